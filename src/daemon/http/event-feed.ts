import { randomBytes } from 'node:crypto';
import type { RunHub } from '../../service/runs/hub.ts';
import { createHeartbeat, HEARTBEAT } from './heartbeat.ts';

/** Events that a reader can still go back to; together no more than the bytes below. */
const MOST_ENTRIES = 10_000;
const MOST_BYTES = 8 * 1024 * 1024;
const ENTRIES_AT_ONCE = 100;

interface FeedEntry {
  readonly number: number;
  readonly task: string;
  readonly data: string;
}

/**
 * The stored events of all runs, one shared window for all readers: a reader is only a place in it. One that falls behind the window, or
 * comes back after a restart, is told so (`event: gap`) and looks at the lists again.
 */
export interface EventFeed {
  follow(options: FollowOptions, signal: AbortSignal): AsyncGenerator<string>;
  close(): void;
}

interface FollowOptions {
  /** `Last-Event-ID`. */
  readonly lastId: string | undefined;
  /** By task; runs without one are `''`. */
  readonly visible: ((task: string) => boolean) | undefined;
  readonly heartbeatMs: number;
}

export function createEventFeed(hub: Pick<RunHub, 'subscribe'>): EventFeed {
  return new Feed(hub);
}

class Feed implements EventFeed {
  /** Of this process: places of another are worth nothing here. */
  readonly #epoch = randomBytes(6).toString('hex');
  readonly #closing = new AbortController();
  readonly #hub: Pick<RunHub, 'subscribe'>;
  readonly #waiting = new Set<() => void>();
  #entries: FeedEntry[] = [];
  #bytes = 0;
  #next = 1;
  #pumping = false;

  constructor(hub: Pick<RunHub, 'subscribe'>) {
    this.#hub = hub;
  }

  close(): void {
    this.#closing.abort();
  }

  async *follow({ lastId, visible, heartbeatMs }: FollowOptions, signal: AbortSignal): AsyncGenerator<string> {
    this.#start();
    const heartbeat = createHeartbeat(heartbeatMs);
    try {
      yield 'retry: 1000\n\n';
      let place = this.#placeOf(lastId);
      if (place === undefined) {
        place = this.#next - 1;
        yield this.#gap(place);
      }
      while (!signal.aborted) {
        if (place < this.#oldest() - 1) {
          place = this.#next - 1;
          yield this.#gap(place);
        }
        for (const entry of this.#after(place)) {
          place = entry.number;
          if (visible?.(entry.task) !== false) yield `id: ${this.#epoch}-${entry.number}\ndata: ${entry.data}\n\n`;
          if (signal.aborted) return;
        }
        if (place !== this.#next - 1) continue;
        const changed = this.#changed(signal);
        while ((await Promise.race([changed, heartbeat.next()])) === 'beat') yield HEARTBEAT;
        heartbeat.stop();
      }
    } finally {
      heartbeat.stop();
    }
  }

  /** The window fills from the first reader on. */
  #start(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    void this.#pump();
  }

  async #pump(): Promise<void> {
    let news = this.#hub.subscribe();
    for (;;) {
      const messages = await news.take(this.#closing.signal);
      if (messages === 'closed') return;
      if (messages === 'behind') {
        news = this.#hub.subscribe();
        // What was missed is a hole in the numbers: every reader's place is before it.
        this.#next += 1;
        this.#entries = [];
        this.#bytes = 0;
      } else {
        for (const one of messages) if (one.kind === 'event' && one.stored) this.#add(one.task ?? '', JSON.stringify(one.event));
      }
      for (const wake of this.#waiting) wake();
      this.#waiting.clear();
    }
  }

  #add(task: string, data: string): void {
    this.#entries.push({ number: this.#next, task, data });
    this.#next += 1;
    this.#bytes += data.length;
    if (this.#entries.length <= MOST_ENTRIES && this.#bytes <= MOST_BYTES) return;
    // Half at once: taking them one by one would move the rest each time.
    const dropped = this.#entries.splice(0, Math.ceil(this.#entries.length / 2));
    this.#bytes -= dropped.reduce((sum, entry) => sum + entry.data.length, 0);
  }

  /** Undefined for a place that is not of this window. */
  #placeOf(lastId: string | undefined): number | undefined {
    if (lastId === undefined) return this.#next - 1;
    const [, epoch, number] = /^([0-9a-f]{12})-(\d{1,15})$/.exec(lastId) ?? [];
    const place = Number(number);
    return epoch === this.#epoch && place < this.#next && place >= this.#oldest() - 1 ? place : undefined;
  }

  #oldest(): number {
    return this.#entries[0]?.number ?? this.#next;
  }

  #after(place: number): readonly FeedEntry[] {
    const from = Math.max(0, place + 1 - this.#oldest());
    return this.#entries.slice(from, from + ENTRIES_AT_ONCE);
  }

  #gap(place: number): string {
    return `id: ${this.#epoch}-${place}\nevent: gap\ndata: {}\n\n`;
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
