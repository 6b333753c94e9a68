import type { RemoteRefs } from '../../model/ports/git-source.ts';
import type { TriggerParts } from '../parts.ts';
import { openAccess, type RepositoryAccess } from './access.ts';
import { withDeadline } from './deadline.ts';
import type { TaskIndex } from './task-index.ts';

/** What a repository held at a moment. */
export interface Listing extends RemoteRefs {
  readonly access: RepositoryAccess;
  /** When it was asked for. */
  readonly askedMs: number;
}

const LONGEST_MS = 90_000;

interface Asked {
  readonly askedMs: number;
  readonly listing: Promise<Listing | undefined>;
  spaceMs: number;
}

/** The space after a question that took long, by how long it took: a repository, or this machine, that has much to do is left alone. */
const SLOW_FACTOR = 3;
const SLOW_SPACE_MS = 10_000;

/** Asks repositories for their refs, in one question for all who ask at the same time. */
export class Listings {
  readonly #parts: Pick<TriggerParts, 'store' | 'secrets' | 'git' | 'clock'>;
  readonly #index: TaskIndex;
  readonly #closing: AbortSignal;
  /** The newest question of each key, for as long as it keeps the next one away. */
  readonly #asked = new Map<string, Asked>();
  /** Who waits until the next question may be asked. */
  readonly #next = new Map<string, Promise<Listing | undefined>>();
  /** The least between two questions to one repository that events ask for. */
  readonly #spaceMs: number;

  constructor(
    parts: Pick<TriggerParts, 'store' | 'secrets' | 'git' | 'clock'>,
    index: TaskIndex,
    { spaceMs, closing }: { readonly spaceMs: number; readonly closing: AbortSignal },
  ) {
    this.#parts = parts;
    this.#spaceMs = spaceMs;
    this.#index = index;
    this.#closing = closing;
  }

  /** Asked for now. Undefined when no task follows it any more. Rejects as GitSource.listRefs. */
  now(key: string): Promise<Listing | undefined> {
    const askedMs = this.#nowMs();
    const listing = this.#ask(key, askedMs);
    const asked: Asked = { askedMs, listing, spaceMs: this.#spaceMs };
    this.#asked.set(key, asked);
    const forget = async (): Promise<void> => {
      const tookMs = this.#nowMs() - askedMs;
      asked.spaceMs = Math.max(this.#spaceMs, Math.min(tookMs * SLOW_FACTOR, SLOW_SPACE_MS));
      await this.#parts.clock.sleep(asked.spaceMs, this.#closing);
      if (this.#asked.get(key) === asked) this.#asked.delete(key);
    };
    void listing.then(forget, forget);
    return listing;
  }

  /** Asked for at `sinceMs` or later, and not too soon after the last question: one that took long keeps the next away for longer. */
  since(key: string, sinceMs: number): Promise<Listing | undefined> {
    const last = this.#asked.get(key);
    if (last !== undefined && last.askedMs >= sinceMs) return last.listing;
    const waitMs = last === undefined ? 0 : last.askedMs + last.spaceMs - this.#nowMs();
    // Clocks jump: no wait is longer than the space.
    if (last === undefined || waitMs <= 0 || waitMs > last.spaceMs) return this.now(key);
    let next = this.#next.get(key);
    if (next === undefined) {
      next = this.#parts.clock.sleep(waitMs, this.#closing).then(() => {
        this.#next.delete(key);
        return this.now(key);
      });
      this.#next.set(key, next);
    }
    return next;
  }

  async #ask(key: string, askedMs: number): Promise<Listing | undefined> {
    const access = await openAccess(key, this.#index, this.#parts);
    if (access === undefined) return undefined;
    const { url, token } = access;
    return withDeadline({ ms: LONGEST_MS, signal: this.#closing, what: `listing the refs of ${url}` }, async (signal) => {
      const refs = await this.#parts.git.listRefs({ url, signal, ...(token === undefined ? {} : { token }) });
      return { ...refs, access, askedMs };
    });
  }

  #nowMs(): number {
    return this.#parts.clock.now().getTime();
  }
}
