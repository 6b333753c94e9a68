import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../model/ports/clock.ts';
import type { ImageTargetState, ImageWatchStore } from '../../model/ports/image-watch-store.ts';
import type { Registry } from '../../model/ports/registry.ts';
import type { NewTriggerEvent } from '../../model/trigger-event.ts';
import { ImageLooker, type Look } from './look.ts';
import { LookWriter } from './look-writer.ts';
import { lookAfterFailure, lookNotBefore, nextLook } from './next-look.ts';
import { type GateLimits, RegistryBackOff, RegistryGate } from './registry-gate.ts';
import { lookAsTold, type Told } from './told-look.ts';

export interface PollerParts {
  readonly watch: ImageWatchStore;
  readonly clock: Clock;
  readonly registry: (credential: string, host: string) => Promise<Pick<Registry, 'look' | 'listTags'>>;
  readonly limits: (host: string) => GateLimits;
  /** Events that follow from a look; `run` pushed what is looked at. */
  readonly eventsOf: (target: ImageTargetState, look: Found, run: string | undefined) => Promise<readonly NewTriggerEvent[]>;
  /** Events were recorded. */
  readonly notify: () => void;
  readonly onProblem: (what: string, error: unknown) => void;
}

export type Found = Extract<Look, { readonly kind: 'found' }>;

/** What came of a look. `events`: those that are new. */
export type LookResult =
  | { readonly kind: 'found'; readonly target: ImageTargetState; readonly look: Found; readonly events: readonly string[] }
  | { readonly kind: 'missing' | 'unreachable'; readonly target: ImageTargetState; readonly because: string };

/** Why somebody wants a look: a run pushed the image, or somebody told of a push. */
export interface LookReason {
  readonly run?: string | undefined;
  readonly told?: Told;
  /** A run that uses what is found is about to be ordered: what follows is decided on a moment later. */
  readonly beforeRun?: true;
}

/** Rows that wait for their turn: enough to keep every registry busy, few enough to be held. */
const MOST_WAITING = 4000;
const MOST_A_QUERY = 1000;
const LEASE_MS = 600_000;
/** Until a run that was looked for is ordered. */
const ORDERING_MS = 1000;
/** Between questions for what is due, when nothing is. */
const IDLE_MS = 5000;

/** Looks at targets when they are due, and at once when somebody asks. Each target is looked at by one at a time. */
export class ImagePoller {
  readonly #parts: PollerParts;
  readonly #looker = new ImageLooker();
  readonly #writer: LookWriter;
  readonly #gates = new Map<string, RegistryGate>();
  /** Ends of the looks that are under way or wait, by target. */
  readonly #looks = new Map<string, Promise<unknown>>();
  readonly #closed = new AbortController();
  #wake = new AbortController();
  #running: Promise<void> | undefined;
  #waiting = 0;

  constructor(parts: PollerParts) {
    this.#parts = parts;
    this.#writer = new LookWriter(parts.watch, parts.clock);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Something may be due. */
  wake(): void {
    this.#wake.abort();
  }

  /** What is followed no more. */
  forget(keys: readonly string[]): void {
    this.#looker.forget(keys);
  }

  /** Looks at the target as it is after this call, whatever is due. Never rejects but when the store does or it is closed. */
  lookNow(key: string, why: LookReason = {}): Promise<LookResult | undefined> {
    return this.#inTurn(key, async () => {
      const [target] = await this.#parts.watch.targets({ key });
      return target === undefined ? undefined : this.#look(target, why);
    });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.wake();
    await this.#running;
    await Promise.allSettled([...this.#looks.values()]);
  }

  async #run(): Promise<void> {
    const { clock, onProblem } = this.#parts;
    while (!this.#closed.signal.aborted) {
      this.#wake = new AbortController();
      const begun = await this.#beginDue().catch((error: unknown) => {
        onProblem('images that are due could not be read', error);
        return 0;
      });
      // What was begun takes its time; its end wakes.
      if (begun === 0 || this.#waiting >= MOST_WAITING) await clock.sleep(IDLE_MS, this.#wake.signal);
      else await setImmediate();
    }
  }

  async #beginDue(): Promise<number> {
    const limit = Math.min(MOST_A_QUERY, MOST_WAITING - this.#waiting);
    if (limit <= 0) return 0;
    const due = await this.#parts.watch.due({ limit, leaseMs: LEASE_MS });
    const fresh = due.filter(({ key }) => !this.#looks.has(key));
    for (const target of fresh) {
      this.#waiting += 1;
      this.#inTurn(target.key, () => this.#look(target))
        .catch((error: unknown) => this.#closed.signal.aborted || this.#parts.onProblem('an image could not be looked at', error))
        .finally(() => {
          this.#waiting -= 1;
          if (this.#waiting === MOST_WAITING / 2) this.wake();
        });
    }
    return fresh.length;
  }

  #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#looks.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#looks.set(key, turn);
    const leave = (): void => {
      if (this.#looks.get(key) === turn) this.#looks.delete(key);
    };
    turn.then(leave, leave);
    return turn;
  }

  /** Urgent when somebody wants it. */
  async #look(target: ImageTargetState, why?: LookReason): Promise<LookResult> {
    const { registry: host } = target.image;
    const gate = this.#gateOf(host);
    const { signal } = this.#closed;
    const urgent = why !== undefined;
    const ask = (): Promise<Look> =>
      gate.run(urgent, async () => this.#looker.look(target, await this.#parts.registry(target.credential, host), signal));
    let look: Look;
    try {
      // Patterns follow another tag than the one that was told of, most of the time.
      const isTold = why?.told !== undefined && target.pattern === '';
      look = isTold ? await lookAsTold(why.told, ask, { clock: this.#parts.clock, signal }) : await ask();
    } catch (error) {
      signal.throwIfAborted();
      return this.#failed(target, 'unreachable', error);
    }
    return look.kind === 'found' ? this.#found(target, look, why) : this.#failed(target, 'missing', new Error(look.because));
  }

  async #found(target: ImageTargetState, look: Found, why: LookReason | undefined): Promise<LookResult> {
    const { clock, eventsOf, notify } = this.#parts;
    const events = await eventsOf(target, look, why?.run);
    const { indexDigest, digests, newestTag } = look;
    const stored = { key: target.key, indexDigest, digests, newestTag, nextCheck: nextLook(target, clock.now()), events };
    const recorded = await this.#writer.write(stored, why !== undefined);
    const fresh = recorded.filter((one) => one.fresh).map(({ id }) => id);
    if (fresh.length > 0 && why?.beforeRun === true) void clock.sleep(ORDERING_MS, this.#closed.signal).then(notify);
    else if (fresh.length > 0) notify();
    return { kind: 'found', target, look, events: fresh };
  }

  async #failed(target: ImageTargetState, status: 'unreachable' | 'missing', error: unknown): Promise<LookResult> {
    const now = this.#parts.clock.now();
    const because = error instanceof Error ? error.message : String(error);
    const alone = this.#gateOf(target.image.registry).refusal(false);
    const own = error instanceof RegistryBackOff ? '' : lookAfterFailure(target, now);
    const shared = alone === undefined ? '' : lookNotBefore(target, now, alone.waitMs);
    const nextCheck = own > shared ? own : shared || lookAfterFailure(target, now);
    await this.#parts.watch.failed(target.key, { status, error: because, nextCheck });
    return { kind: status, target, because };
  }

  #gateOf(host: string): RegistryGate {
    const known = this.#gates.get(host);
    if (known !== undefined) return known;
    const gate = new RegistryGate(this.#parts.limits(host), this.#parts.clock, this.#closed.signal);
    this.#gates.set(host, gate);
    return gate;
  }
}
