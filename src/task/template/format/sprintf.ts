import type { Budget } from '../budget.ts';
import { typeOf, type Value } from '../value.ts';
import { parseFormat } from './parse-format.ts';
import { Printer } from './printer.ts';
import { PLAIN_SPEC } from './spec.ts';

/** A value as `{{value}}`, `print` and `%v` show it. */
export function printValue(value: Value, budget: Budget): string {
  return typeof value === 'string' ? value : new Printer(budget).format(value, PLAIN_SPEC);
}

/** fmt.Sprint: a blank between two operands when neither is a string. */
export function sprint(values: readonly Value[], budget: Budget): string {
  const parts: string[] = [];
  for (const [index, value] of values.entries()) {
    if (index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string') parts.push(' ');
    parts.push(printValue(value, budget));
  }
  return parts.join('');
}

/** fmt.Sprintf. It never fails on a format: mistakes are part of the text, such as `%!d(string=hi)`. */
export function sprintf(format: string, values: readonly Value[], budget: Budget): string {
  const { pieces, surplus } = parseFormat(format, values);
  const printer = new Printer(budget);
  const parts: string[] = [];
  let length = 0;
  for (const piece of pieces) {
    const text = piece.type === 'text' ? piece.text : printer.format(piece.value, piece.spec);
    length += text.length;
    budget.size(length);
    parts.push(text);
  }
  if (surplus.length > 0) parts.push(`%!(EXTRA ${surplus.map((value) => surplusText(value, printer)).join(', ')})`);
  return parts.join('');
}

function surplusText(value: Value, printer: Printer): string {
  return value === null || value === undefined ? '<nil>' : `${typeOf(value)}=${printer.format(value, PLAIN_SPEC)}`;
}
