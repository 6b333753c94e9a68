import type { NewTriggerEvent } from '../trigger-event.ts';

/** What was seen of a repository at the last look: by canonical URL and the credential it was seen with. */
export interface WatchedRepository {
  readonly key: string;
  readonly url: string;
  /** Absent until the first look. */
  readonly checkedAt?: string;
  readonly nextCheck: string;
  readonly defaultBranch?: string;
  readonly failures: number;
  readonly error?: string;
}

export interface GitWatchStore {
  /** Makes these keys, and no others, watched; new ones are due at once. */
  sync(repositories: readonly { readonly key: string; readonly url: string }[]): Promise<void>;
  /** As `sync` for these keys alone; the others are let be. */
  change(change: {
    readonly watch: readonly { readonly key: string; readonly url: string }[];
    readonly unwatch: readonly string[];
  }): Promise<void>;
  /** Due ones, longest due first, leased to the caller for `leaseMs` so that no other daemon looks too; `seen` and `failed` end the lease. */
  due(query: { readonly limit: number; readonly leaseMs: number }): Promise<readonly WatchedRepository[]>;
  get(key: string): Promise<WatchedRepository | undefined>;
  list(): Promise<readonly WatchedRepository[]>;
  /** Object ids by full ref name, as last seen. */
  refs(key: string): Promise<ReadonlyMap<string, string>>;
  /** Whether the ref had this id among its newest (50); of refs that are gone too, the latest 1,000 of a repository. */
  hadRef(key: string, ref: string, id: string): Promise<boolean>;
  /**
   * Stores what a look found together with the events that follow from it. `refs` is only what changed; null: gone. Of what is no longer
   * watched nothing is stored, and no event.
   */
  seen(
    key: string,
    look: {
      readonly refs: ReadonlyMap<string, string | null>;
      readonly defaultBranch?: string;
      readonly nextCheck: string;
      readonly events: readonly NewTriggerEvent[];
    },
  ): Promise<readonly { readonly id: string; readonly fresh: boolean }[]>;
  failed(key: string, failure: { readonly error: string; readonly nextCheck: string }): Promise<void>;
  /** Due now; while somebody looks, as soon as that look is stored. */
  hurry(key: string): Promise<void>;
}
