import PQueue from 'p-queue';
import { EngineError } from '../../model/engine-error.ts';
import type { WatchedRepository } from '../../model/ports/git-watch-store.ts';
import type { TriggerParts } from '../parts.ts';
import { type Difference, differences } from './differences.ts';
import { firstLookEvent } from './first-look.ts';
import type { FollowedTrigger } from './followed.ts';
import { markForced } from './forced.ts';
import type { Listing, Listings } from './listings.ts';
import { branchOf } from './ref-names.ts';
import type { TaskIndex } from './task-index.ts';

const AT_ONCE = 4;
/** Longer than a look may take. */
const LEASE_MS = 180_000;
const IDLE_MS = 5000;
const LONGEST_BACKOFF_MS = 3_600_000;
const LONGEST_ERROR = 1000;
/** Refs that are kept in one transaction, with their events. */
const MOST_AT_ONCE = 500;
/** For repositories that only webhooks tell of, after the first look. */
const NEVER = '9999-12-31T23:59:59.000Z';

type PollerParts = Pick<TriggerParts, 'store' | 'clock' | 'git' | 'gitCache' | 'settings' | 'notify' | 'onProblem'>;

/** Looks at repositories when they are due, and turns what is otherwise than before into events. */
export class Poller {
  readonly #parts: PollerParts;
  readonly #index: TaskIndex;
  readonly #listings: Listings;
  readonly #closing: AbortSignal;
  readonly #queue = new PQueue({ concurrency: AT_ONCE });
  readonly #turns = new Map<string, Promise<void>>();
  #wake = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(parts: PollerParts, around: { readonly index: TaskIndex; readonly listings: Listings; readonly closing: AbortSignal }) {
    this.#parts = parts;
    this.#index = around.index;
    this.#listings = around.listings;
    this.#closing = around.closing;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** There may be something due. */
  wake(): void {
    this.#wake.abort();
  }

  /** Looks now, whenever it is due. Failures stand in the row. */
  async look(key: string): Promise<void> {
    const row = await this.#parts.store.gitWatch.get(key);
    if (row !== undefined) await this.#queue.add(() => this.#look(row));
  }

  /** Milliseconds between looks, as its tasks want it; 0: none. */
  intervalMs(key: string): number {
    const seconds = this.#index.enabledOf(key).map(({ pollInterval }) => pollInterval ?? this.#parts.settings.gitPollSeconds);
    const wanted = seconds.filter((interval) => interval > 0);
    return wanted.length === 0 ? 0 : Math.min(...wanted) * 1000;
  }

  /** After `closing` was aborted: resolves when nothing is looked at any more. */
  async closed(): Promise<void> {
    await Promise.all([this.#loop, this.#queue.onIdle()]);
  }

  async #run(): Promise<void> {
    while (!this.#closing.aborted) {
      this.#wake = new AbortController();
      try {
        const due = await this.#parts.store.gitWatch.due({ limit: AT_ONCE, leaseMs: LEASE_MS });
        for (const row of due) void this.#queue.add(() => this.#look(row));
        if (due.length > 0) {
          await this.#queue.onSizeLessThan(1);
          continue;
        }
      } catch (error) {
        this.#parts.onProblem('repositories that are due could not be read', error);
      }
      await this.#parts.clock.sleep(IDLE_MS, AbortSignal.any([this.#wake.signal, this.#closing]));
    }
  }

  /** Looks at one repository go one after the other: each compares with what the one before has kept. Never rejects. */
  #look(due: WatchedRepository): Promise<void> {
    const turn = (this.#turns.get(due.key) ?? Promise.resolve()).then(() => this.#lookInTurn(due));
    this.#turns.set(due.key, turn);
    void turn.then(() => {
      if (this.#turns.get(due.key) === turn) this.#turns.delete(due.key);
    });
    return turn;
  }

  async #lookInTurn(due: WatchedRepository): Promise<void> {
    if (this.#closing.aborted) return;
    try {
      // Whether it is the first look may have changed while this one waited.
      const row = await this.#parts.store.gitWatch.get(due.key);
      if (row === undefined) return;
      const known = await this.#parts.store.gitWatch.refs(row.key);
      const listing = await this.#listings.now(row.key);
      if (listing !== undefined) await this.#keep(row, known, listing);
    } catch (error) {
      // Its lease ends, and the next process looks again.
      if (!this.#closing.aborted) await this.#failed(due, error);
    }
  }

  /** The first look tells what there is, and not what happened. */
  async #keep(row: WatchedRepository, known: ReadonlyMap<string, string>, listing: Listing): Promise<void> {
    const triggers = this.#index.enabledOf(row.key);
    const followed = new Set(triggers.flatMap(({ events }) => events));
    const differing = differences({ key: row.key, known, knownAt: row.checkedAt ?? '', listing, followed });
    const isFirst = row.checkedAt === undefined;
    const found = isFirst ? differing : await this.#marked(row.key, differing, { listing, triggers });
    const defaultBranch = listing.head === undefined ? undefined : branchOf(listing.head);
    const rest = { nextCheck: this.#nextCheck(row.key), ...(defaultBranch === undefined ? {} : { defaultBranch }) };
    // What is not kept because this process ends is found again; but for the first look, which has to be whole.
    const atOnce = isFirst ? Math.max(found.length, 1) : MOST_AT_ONCE;
    for (let start = 0; start === 0 || start < found.length; start += atOnce) {
      const part = found.slice(start, start + atOnce);
      const events = isFirst ? [firstLookEvent(row.key, listing)] : part.flatMap(({ event }) => event ?? []);
      await this.#parts.store.gitWatch.seen(row.key, { ...rest, refs: new Map(part.map(({ ref, id }) => [ref, id])), events });
      if (events.length > 0) this.#parts.notify();
    }
  }

  #marked(
    key: string,
    found: readonly Difference[],
    { listing, triggers }: { readonly listing: Listing; readonly triggers: readonly FollowedTrigger[] },
  ): Promise<readonly Difference[]> {
    const { git, gitCache, store } = this.#parts;
    const readsHistory = triggers.some((trigger) => trigger.readsHistory);
    const parts = { git, gitCache, watch: store.gitWatch, closing: this.#closing };
    return markForced(found, { key, access: listing.access, readsHistory }, parts);
  }

  async #failed(row: WatchedRepository, error: unknown): Promise<void> {
    if (!(error instanceof EngineError)) this.#parts.onProblem(`the look at ${row.url} failed`, error);
    const message = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_ERROR);
    try {
      await this.#parts.store.gitWatch.failed(row.key, { error: message, nextCheck: this.#nextCheck(row.key, row.failures + 1) });
    } catch (failure) {
      this.#parts.onProblem(`the failed look at ${row.url} could not be kept`, failure);
    }
  }

  /** Up to a tenth sooner or later than the interval, so that repositories do not stay in step; longer the more looks failed. */
  #nextCheck(key: string, failures = 0): string {
    const interval = this.intervalMs(key);
    if (interval === 0 && failures === 0) return NEVER;
    const base = interval === 0 ? 60_000 : interval;
    const ms = Math.max(base, Math.min(base * 2 ** Math.min(failures, 20) * (failures === 0 ? 1 : 0.5), LONGEST_BACKOFF_MS));
    return new Date(this.#parts.clock.now().getTime() + ms * (0.9 + 0.2 * Math.random())).toISOString();
  }
}
