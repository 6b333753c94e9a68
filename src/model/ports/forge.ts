import type { CommitStatus } from './status-store.ts';

/** What Slipway asks of a forge through its API. Adapters: src/forge, one for each kind. */
export interface Forge {
  /** Rejects with EngineError `forge-failed` (transient or not) or `forge-denied`. A state that the forge has already is no error. */
  setStatus(status: CommitStatus, access: ForgeAccess): Promise<void>;
  /** Creates the hook, or brings the one with this URL up to date. */
  createHook(hook: ForgeHook, access: ForgeAccess): Promise<{ readonly id: string; readonly created: boolean }>;
  /** Failed deliveries since, asked to be sent again (GitHub only; 0 elsewhere). */
  redeliver(hook: { readonly repositoryUrl: string; readonly id: string; readonly since: string }, access: ForgeAccess): Promise<number>;
}

export interface ForgeAccess {
  readonly token: string;
  readonly signal: AbortSignal;
}

export interface ForgeHook {
  readonly repositoryUrl: string;
  /** The daemon's `POST /hooks/ID`. */
  readonly url: string;
  readonly secret: string;
  readonly events: readonly ('push' | 'pull-request')[];
}
