import { z } from 'zod';
import type { Scope } from '../model/security.ts';
import { loginServer, pageOf, pageQuery, rowId, secretName, sha256, taskName } from './common.ts';
import { agentResource, forceQuery, gcBody, gcResult, health, readiness, uploadResource, versionResource } from './daemon-schema.ts';
import {
  allEventsQuery,
  cancelBody,
  cancelResult,
  createRunBody,
  eventPage,
  eventsQuery,
  lastOf,
  logQuery,
  pauseBody,
  queueResource,
  rerunBody,
  runParams,
  runPatch,
  runResource,
  runSummaryResource,
  runsQuery,
} from './run-schema.ts';
import {
  auditEntry,
  auditQuery,
  createdToken,
  meResource,
  secretBody,
  secretResource,
  tokenBody,
  tokenResource,
} from './security-schema.ts';
import { applyBody, applyResult, credentialBody, credentialShown, taskBody, taskPatch, taskResource } from './task-schema.ts';

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

const V1 = '/api/v1';
const NONE = { kind: 'none' } as const;
const LIST = { kind: 'list' } as const;
const TASK = { kind: 'task', param: 'name' } as const;
const RUN = { kind: 'run', param: 'id' } as const;
const SSE = 'text/event-stream';

const taskParams = z.object({ name: taskName });
const credentialParams = z.object({ name: taskName, server: loginServer });
const uploadParams = z.object({ sha256 });
const idParams = z.object({ id: rowId });
const secretParams = z.object({ name: secretName });
const lastQuery = z.object(lastOf);

function json<Schema extends z.ZodType>(schema: Schema) {
  return { kind: 'json', schema } as const;
}

/** A body that may be left out: an empty one means its defaults. */
function optionalJson<Schema extends z.ZodType>(schema: Schema) {
  return { kind: 'json', schema, optional: true } as const;
}

const READ = { changes: false, creates: false } as const;
const CHANGE = { changes: true, creates: false } as const;
const CREATE = { changes: true, creates: true } as const;

export const ROUTES = [
  {
    name: 'listTasks',
    method: 'GET',
    path: `${V1}/tasks`,
    scope: 'task:read',
    target: LIST,
    ...READ,
    query: z.object(pageQuery),
    answers: { 200: pageOf(taskResource) },
    tag: 'tasks',
    summary: 'Lists tasks by name.',
  },
  {
    name: 'createTask',
    method: 'POST',
    path: `${V1}/tasks`,
    scope: 'task:write',
    target: { kind: 'body-task' },
    ...CREATE,
    body: json(taskBody),
    answers: { 201: taskResource },
    tag: 'tasks',
    summary: 'Defines a task; refused when the name is taken.',
  },
  {
    name: 'getTask',
    method: 'GET',
    path: `${V1}/tasks/:name`,
    scope: 'task:read',
    target: TASK,
    ...READ,
    params: taskParams,
    answers: { 200: taskResource },
    tag: 'tasks',
    summary: 'Shows a task, with its etag.',
  },
  {
    name: 'putTask',
    method: 'PUT',
    path: `${V1}/tasks/:name`,
    scope: 'task:write',
    target: TASK,
    ...CHANGE,
    ifMatch: true,
    params: taskParams,
    query: forceQuery,
    body: json(taskBody),
    answers: { 200: taskResource, 201: taskResource },
    tag: 'tasks',
    summary: 'Creates or replaces a task.',
  },
  {
    name: 'patchTask',
    method: 'PATCH',
    path: `${V1}/tasks/:name`,
    scope: 'task:write',
    target: TASK,
    ...CHANGE,
    ifMatch: true,
    params: taskParams,
    query: forceQuery,
    body: json(taskPatch),
    answers: { 200: taskResource },
    tag: 'tasks',
    summary: 'Changes what is named; `null` unsets.',
  },
  {
    name: 'deleteTask',
    method: 'DELETE',
    path: `${V1}/tasks/:name`,
    scope: 'task:write',
    target: TASK,
    ...CHANGE,
    ifMatch: true,
    params: taskParams,
    query: forceQuery,
    answers: { 204: undefined },
    tag: 'tasks',
    summary: 'Deletes a task; its runs stay.',
  },
  {
    name: 'listCredentials',
    method: 'GET',
    path: `${V1}/tasks/:name/credentials`,
    scope: 'task:read',
    target: TASK,
    ...READ,
    params: taskParams,
    answers: { 200: pageOf(credentialShown) },
    tag: 'tasks',
    summary: 'Lists the registry credentials of a task, without secrets.',
  },
  {
    name: 'putCredential',
    method: 'PUT',
    path: `${V1}/tasks/:name/credentials/:server`,
    scope: 'task:write',
    target: TASK,
    ...CHANGE,
    ifMatch: true,
    params: credentialParams,
    query: forceQuery,
    body: json(credentialBody),
    answers: { 200: credentialShown, 201: credentialShown },
    tag: 'tasks',
    summary: 'Adds or replaces the credential of one registry.',
  },
  {
    name: 'deleteCredential',
    method: 'DELETE',
    path: `${V1}/tasks/:name/credentials/:server`,
    scope: 'task:write',
    target: TASK,
    ...CHANGE,
    ifMatch: true,
    params: credentialParams,
    query: forceQuery,
    answers: { 204: undefined },
    tag: 'tasks',
    summary: 'Removes the credential of one registry.',
  },
  {
    name: 'apply',
    method: 'POST',
    path: `${V1}/apply`,
    scope: 'task:write',
    target: { kind: 'body-tasks' },
    ...CREATE,
    body: json(applyBody),
    answers: { 200: applyResult },
    tag: 'tasks',
    summary: 'Creates and updates tasks as declared; `dryRun` only says what would change.',
  },

  {
    name: 'createRun',
    method: 'POST',
    path: `${V1}/runs`,
    scope: 'run:create',
    target: { kind: 'body-task' },
    ...CREATE,
    body: json(createRunBody),
    answers: { 201: runResource },
    tag: 'runs',
    summary: 'Starts a run: of a task, or a quick one.',
  },
  {
    name: 'listRuns',
    method: 'GET',
    path: `${V1}/runs`,
    scope: 'run:read',
    target: LIST,
    ...READ,
    query: runsQuery,
    answers: { 200: pageOf(runSummaryResource) },
    tag: 'runs',
    summary: 'Lists runs, newest first.',
  },
  {
    name: 'getRun',
    method: 'GET',
    path: `${V1}/runs/:id`,
    scope: 'run:read',
    target: RUN,
    ...READ,
    params: runParams,
    query: lastQuery,
    answers: { 200: runResource },
    tag: 'runs',
    summary: 'Shows a run; `last` is the newest.',
  },
  {
    name: 'patchRun',
    method: 'PATCH',
    path: `${V1}/runs/:id`,
    scope: 'run:write',
    target: RUN,
    ...CHANGE,
    params: runParams,
    query: lastQuery,
    body: json(runPatch),
    answers: { 200: runResource },
    tag: 'runs',
    summary: 'Keeps a run beyond the retention, or no longer.',
  },
  {
    name: 'cancelRun',
    method: 'POST',
    path: `${V1}/runs/:id/cancel`,
    scope: 'run:cancel',
    target: RUN,
    ...CHANGE,
    params: runParams,
    query: lastQuery,
    body: optionalJson(cancelBody),
    answers: { 200: cancelResult, 202: cancelResult },
    tag: 'runs',
    summary: 'Cancels a run. 202: its steps are being stopped.',
  },
  {
    name: 'rerun',
    method: 'POST',
    path: `${V1}/runs/:id/rerun`,
    scope: 'run:create',
    target: RUN,
    ...CREATE,
    params: runParams,
    query: lastQuery,
    body: optionalJson(rerunBody),
    answers: { 201: runResource },
    tag: 'runs',
    summary: 'Runs the same request again.',
  },
  {
    name: 'runEvents',
    method: 'GET',
    path: `${V1}/runs/:id/events`,
    scope: 'run:read',
    target: RUN,
    ...READ,
    params: runParams,
    query: eventsQuery,
    answers: { 200: eventPage },
    streams: [SSE],
    tag: 'runs',
    summary: 'Events of a run: a page, or (Accept: text/event-stream) a stream that ends with the run and goes on from Last-Event-ID.',
  },
  {
    name: 'runLog',
    method: 'GET',
    path: `${V1}/runs/:id/log`,
    scope: 'run:read',
    target: RUN,
    ...READ,
    params: runParams,
    query: logQuery,
    answers: { 200: undefined },
    streams: ['text/plain', 'application/x-ndjson'],
    tag: 'runs',
    summary: 'The log of a run, byte for byte; X-Log-Next says where to go on.',
  },
  {
    name: 'events',
    method: 'GET',
    path: `${V1}/events`,
    scope: 'run:read',
    target: LIST,
    ...READ,
    query: allEventsQuery,
    answers: { 200: undefined },
    streams: [SSE],
    tag: 'runs',
    summary: 'Events of all runs that the asker may see, from now on.',
  },

  {
    name: 'headUpload',
    method: 'HEAD',
    path: `${V1}/uploads/:sha256`,
    scope: 'run:create',
    target: NONE,
    ...READ,
    params: uploadParams,
    answers: { 204: undefined },
    tag: 'uploads',
    summary: 'Whether a context is here already.',
  },
  {
    name: 'putUpload',
    method: 'PUT',
    path: `${V1}/uploads/:sha256`,
    scope: 'run:create',
    target: NONE,
    ...CHANGE,
    params: uploadParams,
    body: { kind: 'bytes' },
    answers: { 201: uploadResource },
    tag: 'uploads',
    summary: 'Sends a context as a tar stream; its SHA-256 is checked.',
  },

  {
    name: 'getQueue',
    method: 'GET',
    path: `${V1}/queue`,
    scope: 'queue:read',
    target: LIST,
    ...READ,
    answers: { 200: queueResource },
    tag: 'queue',
    summary: 'What waits, in which order, for what.',
  },
  {
    name: 'pauseQueue',
    method: 'POST',
    path: `${V1}/queue/pause`,
    scope: 'queue:write',
    target: NONE,
    ...CHANGE,
    body: optionalJson(pauseBody),
    answers: { 200: queueResource },
    tag: 'queue',
    summary: 'Starts no further run.',
  },
  {
    name: 'resumeQueue',
    method: 'POST',
    path: `${V1}/queue/resume`,
    scope: 'queue:write',
    target: NONE,
    ...CHANGE,
    answers: { 200: queueResource },
    tag: 'queue',
    summary: 'Starts runs again.',
  },

  {
    name: 'listTokens',
    method: 'GET',
    path: `${V1}/tokens`,
    scope: 'token:read',
    target: NONE,
    ...READ,
    answers: { 200: pageOf(tokenResource) },
    tag: 'security',
    summary: 'Lists tokens without their secret part.',
  },
  {
    name: 'createToken',
    method: 'POST',
    path: `${V1}/tokens`,
    scope: 'token:write',
    target: NONE,
    ...CREATE,
    body: json(tokenBody),
    answers: { 201: createdToken },
    tag: 'security',
    summary: 'Makes a token; it is shown once.',
  },
  {
    name: 'revokeToken',
    method: 'DELETE',
    path: `${V1}/tokens/:id`,
    scope: 'token:write',
    target: NONE,
    ...CHANGE,
    params: idParams,
    answers: { 204: undefined },
    tag: 'security',
    summary: 'Revokes a token.',
  },
  {
    name: 'listSecrets',
    method: 'GET',
    path: `${V1}/secrets`,
    scope: 'secret:read',
    target: NONE,
    ...READ,
    answers: { 200: pageOf(secretResource) },
    tag: 'security',
    summary: 'Lists secrets without values.',
  },
  {
    name: 'putSecret',
    method: 'PUT',
    path: `${V1}/secrets/:name`,
    scope: 'secret:write',
    target: NONE,
    ...CHANGE,
    params: secretParams,
    body: json(secretBody),
    answers: { 200: secretResource },
    tag: 'security',
    summary: 'Sets a secret.',
  },
  {
    name: 'deleteSecret',
    method: 'DELETE',
    path: `${V1}/secrets/:name`,
    scope: 'secret:write',
    target: NONE,
    ...CHANGE,
    params: secretParams,
    answers: { 204: undefined },
    tag: 'security',
    summary: 'Deletes a secret.',
  },
  {
    name: 'listAudit',
    method: 'GET',
    path: `${V1}/audit`,
    scope: 'audit:read',
    target: NONE,
    ...READ,
    query: auditQuery,
    answers: { 200: pageOf(auditEntry) },
    tag: 'security',
    summary: 'Who did what from where, newest first.',
  },

  {
    name: 'listAgents',
    method: 'GET',
    path: `${V1}/agents`,
    scope: 'queue:read',
    target: NONE,
    ...READ,
    answers: { 200: pageOf(agentResource) },
    tag: 'daemon',
    summary: 'Agents and the runs they hold.',
  },
  {
    name: 'gc',
    method: 'POST',
    path: `${V1}/gc`,
    scope: 'admin',
    target: NONE,
    ...CHANGE,
    body: optionalJson(gcBody),
    answers: { 200: gcResult },
    tag: 'daemon',
    summary: 'Removes what is past its retention.',
  },
  {
    name: 'me',
    method: 'GET',
    path: `${V1}/me`,
    scope: 'any',
    target: NONE,
    ...READ,
    answers: { 200: meResource },
    tag: 'daemon',
    summary: 'Who asks, and what they may do.',
  },
  {
    name: 'version',
    method: 'GET',
    path: `${V1}/version`,
    scope: 'any',
    target: NONE,
    ...READ,
    answers: { 200: versionResource },
    tag: 'daemon',
    summary: 'Version of the daemon and of its API.',
  },

  {
    name: 'healthz',
    method: 'GET',
    path: '/healthz',
    scope: 'none',
    target: NONE,
    ...READ,
    answers: { 200: health },
    tag: 'operations',
    summary: 'The process lives.',
  },
  {
    name: 'readyz',
    method: 'GET',
    path: '/readyz',
    scope: 'none',
    target: NONE,
    ...READ,
    answers: { 200: readiness, 503: readiness },
    tag: 'operations',
    summary: 'The daemon takes runs, or why not.',
  },
  {
    name: 'metrics',
    method: 'GET',
    path: '/metrics',
    scope: 'queue:read',
    target: NONE,
    ...READ,
    answers: { 200: undefined },
    streams: ['text/plain'],
    tag: 'operations',
    summary: 'Metrics in Prometheus’ text format.',
  },
  {
    name: 'openapi',
    method: 'GET',
    path: '/api/openapi.json',
    scope: 'any',
    target: NONE,
    ...READ,
    answers: { 200: z.looseObject({ openapi: z.string() }) },
    tag: 'operations',
    summary: 'This description.',
  },
] as const satisfies readonly RouteEntry[];

export type RouteName = (typeof ROUTES)[number]['name'];
export type Route<Name extends RouteName> = Extract<(typeof ROUTES)[number], { readonly name: Name }>;
