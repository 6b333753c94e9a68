import type { SecretRef } from '../task-definition.ts';

/**
 * Seals values with the daemon's key (AES-256-GCM). A sealed value opens only under the name that it was bound to: moved to another
 * row it is worthless. `open` rejects by throwing EngineError `secret-unavailable` when key, name or bytes do not fit.
 */
export interface SecretBox {
  seal(plain: Uint8Array | string, boundTo: string): Uint8Array;
  open(sealed: Uint8Array, boundTo: string): Buffer;
}

/** What the value of a row of SecretStore is bound to. */
export function secretBinding(name: string): string {
  return `secret:${name}`;
}

/** What a `{ sealed }` in the definition of a task is bound to; `field` is one of SECRET_FIELDS. */
export function taskSecretBinding(task: string, field: string): string {
  return `task:${task}:${field}`;
}

/** Names of the places of a definition or request where a SecretRef can stand. */
export const SECRET_FIELDS = {
  /** `step.arguments` of a Dockerfile task, `step.values` of the others. */
  argument: (name: string): string => `argument:${name}`,
  contextAccessToken: 'contextAccessToken',
  userName: (loginServer: string): string => `userName:${loginServer}`,
  password: (loginServer: string): string => `password:${loginServer}`,
} as const;

/** Stands in a RunRequest where the value came with the request: it is in the run's own sealed part, under the field's name. */
export const SEALED_WITH_RUN: SecretRef = { sealed: 'run' };
