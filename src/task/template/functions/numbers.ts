import { FunctionFailure } from '../failure.ts';
import { printValue } from '../format/sprintf.ts';
import { parseOctal } from '../numbers.ts';
import { goInt, goInt64, type Value } from '../value.ts';
import { toFloat64, toInt64 } from './convert.ts';
import { type CallContext, type FunctionTable, fixed, variadic } from './signature.ts';

function divide(left: Value, right: Value, operation: (left: bigint, right: bigint) => bigint): Value {
  const divisor = toInt64(right);
  if (divisor === 0n) throw new FunctionFailure('runtime error: integer divide by zero');
  return goInt64(operation(toInt64(left), divisor));
}

function largest(first: Value, ...others: Value[]): Value {
  return goInt64([first, ...others].map(toInt64).reduce((a, b) => (b > a ? b : a)));
}

function smallest(first: Value, ...others: Value[]): Value {
  return goInt64([first, ...others].map(toInt64).reduce((a, b) => (b < a ? b : a)));
}

/** Rounds up from a fraction of at least `threshold`; a negative number's fraction is negative and so never reaches it. */
function round(_: CallContext, value: Value, places: bigint, ...thresholds: number[]): number {
  const power = powerOfTen(Number(places));
  const scaled = power * toFloat64(value);
  const fraction = scaled - Math.trunc(scaled);
  return (fraction >= (thresholds[0] ?? 0.5) ? Math.ceil(scaled) : Math.floor(scaled)) / power;
}

/** Powers by squaring, a negative one as a quotient: the same last digits as Go's, which `**` does not promise. */
function powerOfTen(exponent: number): number {
  let power = 1;
  let factor = 10;
  for (let left = Math.abs(exponent); left >= 1; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power *= factor;
    factor *= factor;
  }
  return exponent < 0 ? 1 / power : power;
}

const max = variadic(['any'], 'any', (_, first, ...others) => largest(first, ...others));

export const NUMBER_FUNCTIONS: FunctionTable = {
  int: fixed(['any'], (_, value) => goInt(toInt64(value))),
  int64: fixed(['any'], (_, value) => goInt64(toInt64(value))),
  float64: fixed(['any'], (_, value) => toFloat64(value)),
  toDecimal: fixed(['any'], (context, value) => goInt64(parseOctal(printValue(value, context.budget)) ?? 0n)),
  add1: fixed(['any'], (_, value) => goInt64(toInt64(value) + 1n)),
  add: variadic([], 'any', (_, ...values) => goInt64(values.reduce((sum: bigint, value) => sum + toInt64(value), 0n))),
  sub: fixed(['any', 'any'], (_, left, right) => goInt64(toInt64(left) - toInt64(right))),
  mul: variadic(['any'], 'any', (_, first, ...others) =>
    goInt64(others.reduce((product: bigint, value) => BigInt.asIntN(64, product * toInt64(value)), toInt64(first))),
  ),
  div: fixed(['any', 'any'], (_, left, right) => divide(left, right, (a, b) => a / b)),
  mod: fixed(['any', 'any'], (_, left, right) => divide(left, right, (a, b) => a % b)),
  max,
  biggest: max,
  min: variadic(['any'], 'any', (_, first, ...others) => smallest(first, ...others)),
  ceil: fixed(['any'], (_, value) => Math.ceil(toFloat64(value))),
  floor: fixed(['any'], (_, value) => Math.floor(toFloat64(value))),
  round: variadic(['any', 'int'], 'float64', round),
};
