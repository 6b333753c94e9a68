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

/** Asks repositories for their refs, in one question for all who ask at the same time. */
export class Listings {
  readonly #parts: Pick<TriggerParts, 'store' | 'secrets' | 'git' | 'clock'>;
  readonly #index: TaskIndex;
  readonly #closing: AbortSignal;
  /** The newest question of each key, for a second. */
  readonly #asked = new Map<string, { readonly askedMs: number; readonly listing: Promise<Listing | undefined> }>();
  /** Who waits until a second is over. */
  readonly #next = new Map<string, Promise<Listing | undefined>>();

  /** Between two questions to one repository that events ask for. */
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
    const asked = { askedMs, listing };
    this.#asked.set(key, asked);
    const forget = async (): Promise<void> => {
      await this.#parts.clock.sleep(this.#spaceMs, this.#closing);
      if (this.#asked.get(key) === asked) this.#asked.delete(key);
    };
    void listing.then(forget, forget);
    return listing;
  }

  /** Asked for at `sinceMs` or later, and at most once a second. */
  since(key: string, sinceMs: number): Promise<Listing | undefined> {
    const last = this.#asked.get(key);
    if (last !== undefined && last.askedMs >= sinceMs) return last.listing;
    const waitMs = last === undefined ? 0 : last.askedMs + this.#spaceMs - this.#nowMs();
    // Clocks jump: no wait is longer than the space.
    if (waitMs <= 0 || waitMs > this.#spaceMs) return this.now(key);
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
