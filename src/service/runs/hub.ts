import type { RunEvent, RunStatus } from '../../model/run-event.ts';
import type { RunRecord } from '../../model/run-record.ts';

/**
 * What happens to runs, as it happens. Nothing here is durable: who must miss nothing reads the store (events after a number, the log after
 * an offset), and takes these as wake-ups that carry what is new.
 */
export type HubMessage =
  /** `stored`: it is in the store under its number; else it is live only (progress of builds and transfers) and its number means nothing. */
  | { readonly kind: 'event'; readonly run: string; readonly task?: string; readonly event: RunEvent; readonly stored: boolean }
  /** The log has grown. */
  | { readonly kind: 'output'; readonly run: string; readonly task?: string }
  /** The row has changed: made, claimed, given back, ended. Comes after the events of the change. */
  | { readonly kind: 'status'; readonly run: string; readonly task?: string; readonly status: RunStatus };

export interface RunHub {
  /** Never waits for a subscriber. `row`: the run of the message as it is now, where whoever publishes has it at hand. */
  publish(message: HubMessage, row?: RunRecord): void;
  /** Of one run, or of all when none is named. Messages from now on are kept until they are taken. */
  subscribe(run?: string): HubSubscription;
  readonly subscribers: number;
}

export interface HubSubscription {
  /**
   * Messages in order, as many as there are. `behind`: the taker was too slow and messages were dropped; the subscription is over, and
   * it goes on by reading the store and subscribing again. `closed`: `close` was called or `signal` aborted.
   */
  take(signal: AbortSignal): Promise<readonly HubMessage[] | 'behind' | 'closed'>;
  close(): void;
}

/** Messages kept for one subscriber: a few hundred kilobytes at most. */
const CAPACITY = 2_000;

export function createRunHub(capacity: number = CAPACITY): RunHub {
  const ofAll = new Set<Subscription>();
  const ofRun = new Map<string, Set<Subscription>>();
  let count = 0;

  function leave(subscription: Subscription, run: string | undefined): void {
    const set = run === undefined ? ofAll : ofRun.get(run);
    if (set?.delete(subscription) !== true) return;
    count -= 1;
    if (run !== undefined && set.size === 0) ofRun.delete(run);
  }

  return {
    publish(message) {
      if (count === 0) return;
      for (const subscription of ofAll) subscription.offer(message);
      for (const subscription of ofRun.get(message.run) ?? []) subscription.offer(message);
    },
    subscribe(run) {
      const subscription = new Subscription(capacity, () => leave(subscription, run));
      count += 1;
      if (run === undefined) ofAll.add(subscription);
      else ofRun.set(run, (ofRun.get(run) ?? new Set()).add(subscription));
      return subscription;
    },
    get subscribers() {
      return count;
    },
  };
}

class Subscription implements HubSubscription {
  readonly #capacity: number;
  readonly #leave: () => void;
  #messages: HubMessage[] = [];
  /** Runs whose growth is told in `#messages` already: telling it again says nothing new. */
  readonly #grown = new Set<string>();
  #state: 'open' | 'behind' | 'closed' = 'open';
  #wake: (() => void) | undefined;

  constructor(capacity: number, leave: () => void) {
    this.#capacity = capacity;
    this.#leave = leave;
  }

  offer(message: HubMessage): void {
    if (message.kind === 'output') {
      if (this.#grown.has(message.run)) return;
      this.#grown.add(message.run);
    }
    if (this.#messages.length >= this.#capacity) {
      // Progress is worth nothing to somebody who is late.
      if (message.kind === 'event' && !message.stored) return;
      this.#end('behind');
      return;
    }
    this.#messages.push(message);
    this.#wake?.();
  }

  async take(signal: AbortSignal): Promise<readonly HubMessage[] | 'behind' | 'closed'> {
    if (this.#messages.length === 0 && this.#state === 'open' && !signal.aborted) await this.#changed(signal);
    if (signal.aborted) this.close();
    if (this.#state !== 'open') return this.#state;
    const messages = this.#messages;
    this.#messages = [];
    this.#grown.clear();
    return messages;
  }

  close(): void {
    if (this.#state === 'open') this.#end('closed');
  }

  #end(state: 'behind' | 'closed'): void {
    this.#state = state;
    this.#messages = [];
    this.#leave();
    this.#wake?.();
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        signal.removeEventListener('abort', done);
        resolve();
      };
      const done = this.#wake;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
