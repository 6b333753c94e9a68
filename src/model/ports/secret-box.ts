import type { SecretRef } from '../task-definition.ts';

/**
 * Seals what must not stand in the database in clear, with the daemon's key. `boundTo` names the place of the sealed value (`secret:NAME`,
 * `task:ID:FIELD`, `run:ID`): it is no part of the result, and the same text must be given to open it, so that a sealed value moved to
 * another row does not open.
 */
export interface SecretBox {
  /** Two sealings of one value differ. */
  seal(plain: string | Uint8Array, boundTo: string): Uint8Array;
  /** Throws EngineError `secret-unavailable`, without any part of the value, for another key, another place or changed bytes. */
  open(sealed: Uint8Array, boundTo: string): Buffer;
}

/** What the value of a row of SecretStore is bound to. */
export function secretBinding(name: string): string {
  return `secret:${name}`;
}

/** What the secrets of a hook are bound to. */
export function hookBinding(id: string): string {
  return `hook:${id}`;
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
  /** `sourceRepository.sourceControlAuthProperties.token` of a source trigger. */
  sourceToken: (trigger: string): string => `sourceToken:${trigger}`,
  /** Of the base image trigger. */
  updateTriggerEndpoint: 'updateTriggerEndpoint',
} as const;

/** Stands in a RunRequest where the value came with the request: it is in the run's own sealed part, under the field's name. */
export const SEALED_WITH_RUN: SecretRef = { sealed: 'run' };
