import { err, ok, type Result } from '../util/result.ts';
import type { ScheduleProblem } from './schedule-problem.ts';

/** A field of a schedule: its name in messages, its values, and the names that stand for them from `least` on. */
export interface FieldKind {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** In the order of a schedule. */
export const FIELD_KINDS = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, names: MONTHS },
  { name: 'day of week', least: 0, most: 6, names: WEEKDAYS },
] as const satisfies readonly FieldKind[];

/** A part of a field with its place in the whole text. */
interface Piece {
  readonly text: string;
  /** From 0. */
  readonly at: number;
}

/** Values of one field, ascending. Reads what NCrontab reads: lists, ranges (reversed ones are swapped), steps, names by their beginning. */
export function parseField(kind: FieldKind, text: string, at: number): Result<readonly number[], ScheduleProblem> {
  const values = new Set<number>();
  let start = at;
  for (const element of text.split(',')) {
    const added = addElement(kind, { text: element, at: start }, values);
    if (!added.ok) return added;
    start += element.length + 1;
  }
  return ok([...values].sort((a, b) => a - b));
}

function addElement(kind: FieldKind, piece: Piece, values: Set<number>): Result<undefined, ScheduleProblem> {
  const slash = piece.text.indexOf('/');
  const range = readRange(kind, slash > 0 ? { ...piece, text: piece.text.slice(0, slash) } : piece, slash > 0);
  if (!range.ok) return range;
  const step = slash > 0 ? readStep(kind, { text: piece.text.slice(slash + 1), at: piece.at + slash + 1 }) : ok(1);
  if (!step.ok) return step;
  for (let value = range.value.first; value <= range.value.last; value += step.value) values.add(value);
  return ok(undefined);
}

/** `*`, `a-b` or `a`; `a` with a step goes on to the field's end. */
function readRange(
  kind: FieldKind,
  { text, at }: Piece,
  stepped: boolean,
): Result<{ readonly first: number; readonly last: number }, ScheduleProblem> {
  if (text === '*') return ok({ first: kind.least, last: kind.most });
  const dash = text.indexOf('-');
  const first = readValue(kind, { text: dash > 0 ? text.slice(0, dash) : text, at });
  if (!first.ok) return first;
  if (dash <= 0) return ok({ first: first.value, last: stepped ? kind.most : first.value });
  const last = readValue(kind, { text: text.slice(dash + 1), at: at + dash + 1 });
  if (!last.ok) return last;
  return ok({ first: Math.min(first.value, last.value), last: Math.max(first.value, last.value) });
}

/** A number in the field's bounds, or the beginning of a name: the first name that begins so. */
function readValue(kind: FieldKind, piece: Piece): Result<number, ScheduleProblem> {
  const { text } = piece;
  if (/^\d+$/.test(text)) {
    const value = Number(text);
    return value >= kind.least && value <= kind.most ? ok(value) : err(problem(kind, piece, outOfRange(kind, text)));
  }
  const index = text === '' ? -1 : (kind.names?.findIndex((name) => name.toLowerCase().startsWith(text.toLowerCase())) ?? -1);
  return index >= 0 ? ok(index + kind.least) : err(problem(kind, piece, notAValue(kind, text)));
}

/** As NCrontab: 0 and less are 1. */
function readStep(kind: FieldKind, piece: Piece): Result<number, ScheduleProblem> {
  if (/^[+-]?\d{1,9}$/.test(piece.text)) return ok(Math.max(1, Number(piece.text)));
  return err({
    ...problem(kind, piece, `the ${kind.name} field has ${shown(piece.text)} as a step`),
    expected: 'a whole number after `/`',
    help: 'Write `*/5` for every fifth value, or leave the step out.',
  });
}

function problem(kind: FieldKind, { text, at }: Piece, message: string): ScheduleProblem {
  return { message, column: at + 1, length: Math.max(1, text.length), expected: valuesOf(kind), help: helpFor(kind, text) };
}

function outOfRange(kind: FieldKind, text: string): string {
  return `the ${kind.name} field has ${shown(text)}, which is not from ${kind.least} to ${kind.most}`;
}

function notAValue(kind: FieldKind, text: string): string {
  return text === '' ? `the ${kind.name} field lacks a value` : `the ${kind.name} field has ${shown(text)}, which is no value of it`;
}

function valuesOf({ least, most, names }: FieldKind): string {
  const named = names === undefined ? '' : `, or a name or its beginning (${names[0]} … ${names.at(-1)})`;
  return `\`*\`, numbers from ${least} to ${most}${named}, with \`,\` \`-\` \`/\` between them`;
}

function helpFor(kind: FieldKind, text: string): string {
  if (kind.name === 'day of week' && text === '7') return 'Sunday is 0.';
  if (/[?LW#]/.test(text)) return '`?`, `L`, `W` and `#` of other dialects are not known; write `*` or the values.';
  return `Every ${kind.name} is \`*\`.`;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
