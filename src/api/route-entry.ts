import type { z } from 'zod';
import type { Scope } from '../model/security.ts';

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * One route of the API. Everything that serves, guards, documents or tests the API is made from this table.
 *
 * - `scope`: what the asker must hold; `any`: any asker who is known; `none`: nobody is asked who they are.
 * - `target`: whose right counts for tokens with a list of tasks: the path parameter that names the task or run. `body-task`: the `task` of
 *   the body, if any. `body-tasks`: the names of the tasks in the body. `list`: the answer holds only what the asker may see.
 * - `changes`: whether it changes state (JSON content type, audit); `creates`: whether it takes an `Idempotency-Key`.
 * - `body`: `json` by its schema, or `bytes` (`application/octet-stream`, `application/x-tar`).
 * - `answers`: schema by status; `undefined` is an empty body. `streams` names media types that it may answer instead.
 */
export interface RouteEntry {
  readonly name: string;
  readonly method: HttpMethod;
  readonly path: string;
  readonly scope: Scope | 'any' | 'none';
  readonly target: RouteTarget;
  readonly changes: boolean;
  readonly creates: boolean;
  readonly ifMatch?: boolean;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: { readonly kind: 'json'; readonly schema: z.ZodType; readonly optional?: boolean } | { readonly kind: 'bytes' };
  readonly answers: Readonly<Record<number, z.ZodType | undefined>>;
  readonly streams?: readonly string[];
  readonly tag: string;
  readonly summary: string;
}

export type RouteTarget =
  | { readonly kind: 'none' }
  | { readonly kind: 'list' }
  | { readonly kind: 'task'; readonly param: string }
  | { readonly kind: 'run'; readonly param: string }
  | { readonly kind: 'body-task' }
  | { readonly kind: 'body-tasks' };

export const V1 = '/api/v1';
export const NO_TARGET = { kind: 'none' } as const;
export const LIST = { kind: 'list' } as const;
export const TASK = { kind: 'task', param: 'name' } as const;
export const RUN = { kind: 'run', param: 'id' } as const;
export const SSE = 'text/event-stream';

export const READ = { changes: false, creates: false } as const;
export const CHANGE = { changes: true, creates: false } as const;
export const CREATE = { changes: true, creates: true } as const;

export function json<Schema extends z.ZodType>(schema: Schema) {
  return { kind: 'json', schema } as const;
}

/** A body that may be left out: an empty one means its defaults. */
export function optionalJson<Schema extends z.ZodType>(schema: Schema) {
  return { kind: 'json', schema, optional: true } as const;
}
