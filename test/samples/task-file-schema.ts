import { readFileSync } from 'node:fs';
import { z } from 'zod';

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];

interface StepSchema {
  readonly anyOf: readonly { readonly required: readonly string[] }[];
  readonly [key: string]: unknown;
}

interface TaskSchema {
  readonly properties: { readonly steps: { readonly items: StepSchema; readonly [key: string]: unknown }; readonly [key: string]: unknown };
}

/** Checks a document against schemas/task.schema.json; gives what is wrong with it, nothing when it fits. */
export function checkAgainstSchema(document: unknown): string[] {
  const parsed = KEYS.safeParse(document);
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const { steps = [] } = document as { readonly steps?: readonly Record<string, unknown>[] };
  return steps.flatMap((step, index) =>
    KINDS.some(({ required }) => required.every((key) => step[key] !== undefined)) ? [] : [`steps.${index}: none of the kinds of steps`],
  );
}

const SCHEMA = JSON.parse(readFileSync(new URL('../../schemas/task.schema.json', import.meta.url), 'utf8')) as TaskSchema;
const { anyOf: KINDS, ...STEP } = SCHEMA.properties.steps.items;
// Zod drops what stands beside `anyOf`: the kinds of steps are looked at apart.
const KEYS = z.fromJSONSchema({
  ...SCHEMA,
  properties: { ...SCHEMA.properties, steps: { ...SCHEMA.properties.steps, items: STEP } },
} as JsonSchema);
