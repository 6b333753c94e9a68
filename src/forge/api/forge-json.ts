import type { z } from 'zod';
import { EngineError } from '../../model/engine-error.ts';
import type { ForgeAnswer, ForgeCall } from './forge-call.ts';

/** The JSON of an answer in its shape. Throws EngineError `forge-failed`. */
export function parsed<Schema extends z.ZodType>(call: ForgeCall, answer: ForgeAnswer, schema: Schema): z.output<Schema> {
  const result = schema.safeParse(jsonOf(answer.text));
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') ?? '';
  throw new EngineError(
    'forge-failed',
    `${new URL(call.url).host} answered ${call.doing} with something that its API does not describe${where === '' ? '' : ` (at ${where})`}`,
    { help: 'Check that the repository URL and the kind of forge (`--forge`) belong together.' },
  );
}

/** Undefined for what is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text, exactNumber);
  } catch {
    return undefined;
  }
}

/** Ids of GitHub's deliveries are beyond the exact numbers of JavaScript: such integers stay texts. */
function exactNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? (context?.source ?? value) : value;
}
