import { z } from 'zod';
import { RUN_ID } from '../model/run-id.ts';

const TASK_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const LONGEST_TEXT = 4096;
const MOST_ENTRIES = 1000;

export const PAGE_SIZE = { default: 15, max: 1000 } as const;

export const taskName = z.string().regex(TASK_NAME, 'a task name has 1 to 63 of a-z 0-9 . _ - and starts with a letter or digit');
export const runId = z.string().regex(RUN_ID, 'a run id has 4 to 40 of a-z and 0-9');
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits in lower case');
export const rowId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, `_` and `-`');
export const secretName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9._-]{0,126}$/, 'a secret name starts with a letter, then letters, digits, `.`, `_`, `-`');
export const loginServer = z
  .string()
  .max(255)
  .regex(/^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?$/, 'a registry is `host` or `host:port`');

/** ISO 8601. Answers are in UTC; requests may carry an offset. */
export const time = z.iso.datetime({ offset: true }).describe('ISO 8601');
export const text = z.string().max(LONGEST_TEXT);
export const seconds = z.int().min(1).max(604_800).describe('Seconds');

/** A list of a request: bounded. */
export function manyOf<Item extends z.ZodType>(item: Item, most = MOST_ENTRIES) {
  return z.array(item).max(most).readonly();
}

/** A list of an answer. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.array(item).readonly();
}

/** A page of a list: `next` is passed back as `?after=` for the page behind it; absent on the last page. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: listOf(item), next: z.string().exactOptional().describe('Opaque; pass it as `after` for the next page.') });
}

/** `after` and `top` of every list. */
export const pageQuery = {
  top: z.coerce.number().int().min(1).max(PAGE_SIZE.max).default(PAGE_SIZE.default).describe('Most items of the page.'),
  after: z.string().max(200).exactOptional().describe('`next` of the page before.'),
};

/** A query parameter that is true or false. */
export const flag = z.stringbool({ truthy: ['true', '1', ''], falsy: ['false', '0'] });

export const platform = z
  .object({
    os: z.string().regex(/^[a-z]{1,16}$/, 'for example `linux`'),
    architecture: z.string().regex(/^[a-z0-9]{1,16}$/, 'for example `amd64`, `arm64`, `arm`'),
    variant: z
      .string()
      .regex(/^v[0-9]{1,2}$/, 'for example `v7`')
      .exactOptional(),
  })
  .readonly()
  .meta({ id: 'Platform', description: 'What a run builds for, in Go’s names.' });

/**
 * A secret value in a request: `plain` is sealed before it is stored; `secret` names a secret of the daemon; `stored` keeps what the task
 * has at this place (so that an answer can be sent back).
 */
export const secretInput = z
  .union([
    z.strictObject({ plain: z.string().max(65_536) }),
    z.strictObject({ secret: secretName }),
    z.strictObject({ stored: z.literal(true) }),
  ])
  .readonly()
  .meta({
    id: 'SecretValue',
    description:
      '`plain`: the value itself, sealed before it is stored. `secret`: the name of a secret of the daemon. `stored`: keep what the task has here.',
  });
export type SecretInput = z.output<typeof secretInput>;

/** A secret value in an answer: never the value. */
export const secretShown = z
  .union([z.object({ secret: z.string() }), z.object({ stored: z.literal(true) })])
  .readonly()
  .meta({ id: 'SecretPlace', description: 'Where a secret value is: a secret of the daemon by name, or stored with the task or run.' });
export type SecretShown = z.output<typeof secretShown>;

export const diagnostic = z
  .object({
    code: z.string(),
    severity: z.enum(['error', 'warning']),
    message: z.string(),
    expected: z.string().exactOptional(),
    help: z.string().exactOptional(),
    source: z.string().exactOptional(),
    line: z.number().exactOptional(),
    column: z.number().exactOptional(),
    /** The field of the request, for example `step.values[0].name`. */
    field: z.string().exactOptional(),
  })
  .readonly()
  .meta({ id: 'Diagnostic', description: 'One mistake, with its place in a file or in the request.' });

/** RFC 9457. `type` leads to the page of errors, where `code` stands. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    code: z.string(),
    help: z.string(),
    instance: z.string().describe('The id of the request; the log of the daemon has it too.'),
    diagnostics: listOf(diagnostic).exactOptional(),
  })
  .readonly()
  .meta({ id: 'Problem', description: 'Every error: RFC 9457, with the code of the error catalogue.' });
export type Problem = z.output<typeof problem>;
