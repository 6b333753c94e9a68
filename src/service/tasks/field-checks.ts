import { nearestName } from '../../util/nearest-name.ts';
import type { FieldProblem } from './field-problem.ts';

/** Names of tasks and pools. */
export const TASK_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export function matches(text: string | undefined, pattern: RegExp, field: string, expected: string): FieldProblem[] {
  return text === undefined || pattern.test(text) ? [] : [{ field, message: `is ${JSON.stringify(text.slice(0, 100))}`, expected }];
}

export function oneOf(word: string | undefined, words: readonly string[], field: string): FieldProblem[] {
  if (word === undefined || words.includes(word)) return [];
  const near = nearestName(word, words);
  return [
    {
      field,
      message: `is ${JSON.stringify(word)}`,
      expected: `one of ${words.join(', ')}`,
      ...(near === undefined ? {} : { help: `did you mean "${near}"?` }),
    },
  ];
}

export function within(value: number | undefined, least: number, most: number, field: string, unit = ''): FieldProblem[] {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return [];
  return [{ field, message: `is ${value}`, expected: `a whole number from ${least} to ${most}${unit}` }];
}

export function atMost(list: readonly unknown[] | undefined, most: number, field: string): FieldProblem[] {
  const length = list?.length ?? 0;
  return length <= most ? [] : [{ field, message: `has ${length} entries`, expected: `at most ${most}` }];
}
