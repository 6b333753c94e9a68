import type { z } from 'zod';

type RawIssue = z.core.$ZodRawIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** What is wrong with a value, for those who know the API but not the library that reads it; undefined: what the library says. */
export function zodSentence(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `${issue.input === undefined ? 'is missing; it' : 'it'} must be ${KINDS[issue.expected] ?? `of the type ${issue.expected}`}`;
    case 'invalid_value':
      return `it must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'unrecognized_keys':
      return `it has no field ${issue.keys.map((key) => JSON.stringify(key.slice(0, 100))).join(', ')}`;
    case 'too_small':
      return boundText(issue.origin, issue.minimum, 'least', issue.inclusive ?? true);
    case 'too_big':
      return boundText(issue.origin, issue.maximum, 'most', issue.inclusive ?? true);
    case 'invalid_union':
      return 'it is none of what it may be';
    default:
      return undefined;
  }
}

function boundText(origin: string, bound: number | bigint, side: 'least' | 'most', inclusive: boolean): string {
  if (origin === 'string' && side === 'least' && bound === 1) return 'it must not be empty';
  const counted = { string: 'character', array: 'item', set: 'item', map: 'item' }[origin];
  if (counted !== undefined) return `it must have at ${side} ${bound} ${counted}${Number(bound) === 1 ? '' : 's'}`;
  if (!inclusive) return `it must be ${side === 'least' ? 'more' : 'less'} than ${bound}`;
  return `it must be ${bound} or ${side === 'least' ? 'more' : 'less'}`;
}
