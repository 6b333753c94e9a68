import { expect, test } from 'vitest';
import { z } from 'zod';
import { zodSentence } from '../../../src/daemon/http/zod-sentence.ts';

test.each<[z.ZodType, unknown, string]>([
  [z.string(), undefined, 'is missing; it must be a text'],
  [z.string(), 5, 'it must be a text'],
  [z.int(), 1.5, 'it must be a whole number'],
  [z.date(), 'x', 'it must be of the type date'],
  [z.string().min(1), '', 'it must not be empty'],
  [z.string().min(3), 'a', 'it must have at least 3 characters'],
  [z.string().max(1), 'ab', 'it must have at most 1 character'],
  [z.array(z.string()).max(1), ['a', 'b'], 'it must have at most 1 item'],
  [z.int().min(60), 5, 'it must be 60 or more'],
  [z.number().lt(5), 5, 'it must be less than 5'],
  [z.enum(['a', 'b']), 'c', 'it must be one of "a", "b"'],
  [z.literal(true), false, 'it must be true'],
  [z.strictObject({}), { b: 1 }, 'it has no field "b"'],
  [z.union([z.string(), z.number()]), true, 'it is none of what it may be'],
  [z.string().regex(/^a/, 'a name begins with a'), 'b', 'a name begins with a'],
])('%#: in words of the API, unless the schema has its own', (schema, value, message) => {
  expect(schema.safeParse(value, { error: zodSentence }).error?.issues[0]?.message).toBe(message);
});
