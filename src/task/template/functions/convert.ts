import type { Budget } from '../budget.ts';
import { printValue } from '../format/sprintf.ts';
import { parseDecimal, parseFloatLiteral, truncateToInt } from '../numbers.ts';
import { GoInt, GoList, type Value } from '../value.ts';

const MAX_INT = (1n << 63n) - 1n;

/** sprig's "int64 or 0": texts are decimal numbers, floats are cut, true is 1, everything else is 0. */
export function toInt64(value: Value): bigint {
  if (typeof value === 'string') return parseDecimal(value) ?? 0n;
  if (typeof value === 'number') return truncateToInt(value);
  if (value instanceof GoInt) return value.value > MAX_INT ? MAX_INT : value.value;
  return value === true ? 1n : 0n;
}

/** sprig's "float64 or 0". */
export function toFloat64(value: Value): number {
  if (typeof value === 'string') return parseFloatLiteral(value) ?? 0;
  if (typeof value === 'number') return value;
  if (value instanceof GoInt) return Number(value.value);
  return value === true ? 1 : 0;
}

/** sprig's list of texts: a list element by element without nils, anything else as the only element. */
export function toTexts(value: Value, budget: Budget): string[] {
  if (value === undefined || value === null) return [];
  if (!(value instanceof GoList)) return [printValue(value, budget)];
  budget.items(value.items.length);
  return value.items.filter((item) => item !== null && item !== undefined).map((item) => printValue(item, budget));
}
