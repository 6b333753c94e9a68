import type { SourceControlType } from '../trigger-definition.ts';

/** Registries whose notifications are understood. */
export const REGISTRY_HOOK_KINDS = ['distribution', 'acr', 'harbor', 'dockerhub', 'ghcr', 'quay'] as const;
export type RegistryHookKind = (typeof REGISTRY_HOOK_KINDS)[number];

/**
 * An endpoint for deliveries, `POST /hooks/ID`. One for each repository of a forge, shared by all tasks on it, or for each registry. The
 * secret is sealed (bound to `hook:ID`); after a rotation the one before is good until `previousUntil`.
 */
export interface HookRecord {
  /** 22 characters of base64url (128 bits), random: not a secret, and not to be guessed. */
  readonly id: string;
  readonly source:
    | {
        readonly kind: 'git';
        readonly forge: SourceControlType;
        readonly repositoryUrl: string /** Set by the first delivery. */;
        readonly repositoryId?: string;
      }
    | {
        readonly kind: 'registry';
        readonly registryKind: RegistryHookKind /** `host[:port]` as tasks write it: what a payload's own host is replaced by. */;
        readonly registry: string;
      };
  readonly secret: Uint8Array;
  readonly previousSecret?: Uint8Array;
  readonly previousUntil?: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly lastDelivery?: { readonly at: string; readonly result: string };
  /** What the forge calls it, when it was created through its API. */
  readonly remoteId?: string;
}

export interface HookStore {
  /**
   * Makes or replaces it. What deliveries have set stays, whoever read the hook before: the later `lastDelivery`, and a `repositoryId` as long
   * as forge and URL are the same.
   */
  put(hook: HookRecord): Promise<void>;
  get(id: string): Promise<HookRecord | undefined>;
  /** By creation. */
  list(): Promise<readonly HookRecord[]>;
  delete(id: string): Promise<'done' | 'missing'>;
  /** May be written late and in batches. */
  delivered(uses: readonly { readonly id: string; readonly at: string; readonly result: string }[]): Promise<void>;
}
