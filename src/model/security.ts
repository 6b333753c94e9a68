/** What a token may do, by role; each holds what the one before holds. */
export const ROLES = ['viewer', 'runner', 'editor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** The verbs that routes ask for. One table (service/authorisation.ts) says which role holds which. */
export const SCOPES = [
  'task:read',
  'task:write',
  'run:read',
  'run:create',
  'run:cancel',
  'run:approve',
  'run:write',
  'queue:read',
  'queue:write',
  'secret:read',
  'secret:write',
  'token:read',
  'token:write',
  'audit:read',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];

/** A token without its secret part. The token itself is `slw_` and 43 characters of base64url (256 bits); only its SHA-256 is stored. */
export interface TokenRecord {
  /** Random, for lists and revocation; no part of the token. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Narrows the role to these verbs; absent: all of the role. */
  readonly scopes?: readonly Scope[];
  /** Globs of task names; absent: all tasks. Quick runs need no glob list. */
  readonly tasks?: readonly string[];
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt?: string;
  readonly lastUsedAt?: string;
  readonly revokedAt?: string;
}

/** Who asks: a token, or the owner of the unix socket. */
export interface Principal {
  /** For people and the audit: `token NAME`, `socket uid 0`. */
  readonly name: string;
  readonly tokenId?: string;
  readonly role: Role;
  readonly scopes?: readonly Scope[];
  readonly tasks?: readonly string[];
  /** Where from: address, or `unix`. */
  readonly from: string;
}

export interface SecretRow {
  readonly name: string;
  /** AES-256-GCM, bound to the row by its name. */
  readonly sealed: Uint8Array;
  readonly description: string;
  /** Tasks (globs) whose runs may use it; empty: all. */
  readonly tasks: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

export interface AuditEntry {
  readonly seq: number;
  readonly at: string;
  /** `task.create`, `run.cancel`, `secret.set`, `auth.refused`, … */
  readonly action: string;
  readonly principal: string;
  readonly from: string;
  readonly target: string;
  readonly outcome: 'done' | 'refused';
  /** Never a secret value. */
  readonly details: Readonly<Record<string, unknown>>;
}
