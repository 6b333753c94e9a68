import { z } from 'zod';
import { sha256 } from './common.ts';
import { uploadResource } from './daemon-schema.ts';
import { queueResource } from './queue-schema.ts';
import { CHANGE, LIST, NO_TARGET, optionalJson, READ, type RouteEntry, V1 } from './route-entry.ts';
import { pauseBody } from './run-request-schema.ts';

const uploadParams = z.object({ sha256 });

export const QUEUE_ROUTES = [
  {
    name: 'headUpload',
    method: 'HEAD',
    path: `${V1}/uploads/:sha256`,
    scope: 'run:create',
    target: NO_TARGET,
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
    target: NO_TARGET,
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
    target: NO_TARGET,
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
    target: NO_TARGET,
    ...CHANGE,
    answers: { 200: queueResource },
    tag: 'queue',
    summary: 'Starts runs again.',
  },
] as const satisfies readonly RouteEntry[];
