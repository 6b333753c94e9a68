import type { AddressPolicy } from '../util/address-policy.ts';
import type { HttpClient } from '../util/http.ts';
import type { GitCommand } from './git-command.ts';
import type { GitUrl } from './git-url.ts';

/** What every part of a checkout needs to know of the machine. */
export interface GitContext {
  readonly http: HttpClient;
  readonly addresses: AddressPolicy;
  readonly allowFile: boolean;
  /** git sees only a few names of it (git-command.ts). */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A tree that is checked out and may lack its submodules and large files. */
export interface TreeRequest {
  readonly parent: GitUrl;
  readonly git: GitCommand;
  readonly directory: string;
  readonly signal: AbortSignal;
  onProgress?(message: string): void;
}
