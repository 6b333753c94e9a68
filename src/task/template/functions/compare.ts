import { FunctionFailure } from '../failure.ts';
import { GoTime } from '../time/go-time.ts';
import { Certificate, compareStrings, GoComplex, GoInt, GoList, GoMap, typeOf, type Value, Version } from '../value.ts';
import { type FunctionTable, fixed, variadic } from './signature.ts';

type BasicKind = 'bool' | 'complex' | 'int' | 'uint' | 'float' | 'string' | undefined;

function basicKind(value: Value): BasicKind {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'float';
  if (value instanceof GoComplex) return 'complex';
  if (value instanceof GoInt) return value.signed ? 'int' : 'uint';
  return undefined;
}

const INCOMPATIBLE = 'incompatible types for comparison';

function isInteger(kind: BasicKind): boolean {
  return kind === 'int' || kind === 'uint';
}

/** @throws FunctionFailure for values of different kinds and for lists and maps */
function equal(left: Value, right: Value): boolean {
  const leftKind = basicKind(left);
  const rightKind = basicKind(right);
  const isMissing = (value: Value): boolean => value === undefined || value === null;
  if (isMissing(left) || isMissing(right)) return isNil(left) && isNil(right);
  if (leftKind !== rightKind && !(isInteger(leftKind) && isInteger(rightKind))) throw new FunctionFailure(INCOMPATIBLE);
  if (left instanceof GoInt && right instanceof GoInt) return left.value === right.value;
  if (left instanceof GoComplex && right instanceof GoComplex) return left.real === right.real && left.imaginary === right.imaginary;
  return leftKind === undefined ? equalComposite(left, right) : left === right;
}

/** Nil in Go's sense: no value, or a nil map or slice. */
function isNil(value: Value): boolean {
  return value === undefined || value === null || ((value instanceof GoList || value instanceof GoMap) && value.isNil);
}

function equalComposite(left: Value, right: Value): boolean {
  for (const value of [left, right]) {
    if (value instanceof GoList || value instanceof GoMap) throw new FunctionFailure(`non-comparable type ${typeOf(value)}`);
  }
  if (left instanceof GoTime && right instanceof GoTime) return left.unixNanos === right.unixNanos && left.zone === right.zone;
  if (left instanceof Certificate && right instanceof Certificate) return left.cert === right.cert && left.key === right.key;
  return left instanceof Version && left === right;
}

/** @throws FunctionFailure for values that have no order */
function less(left: Value, right: Value): boolean {
  const leftKind = basicKind(left);
  const rightKind = basicKind(right);
  if (leftKind === undefined || rightKind === undefined) throw new FunctionFailure('invalid type for comparison');
  if (leftKind !== rightKind && !(isInteger(leftKind) && isInteger(rightKind))) throw new FunctionFailure(INCOMPATIBLE);
  if (left instanceof GoInt && right instanceof GoInt) return left.value < right.value;
  if (typeof left === 'number' && typeof right === 'number') return left < right;
  if (typeof left === 'string' && typeof right === 'string') return compareStrings(left, right) < 0;
  throw new FunctionFailure('invalid type for comparison');
}

function lessOrEqual(left: Value, right: Value): boolean {
  return less(left, right) || equal(left, right);
}

export const COMPARE_FUNCTIONS: FunctionTable = {
  eq: variadic(['value'], 'value', (_, left, ...others) => {
    if (others.length === 0) throw new FunctionFailure('missing argument for comparison');
    return others.some((other) => equal(left, other));
  }),
  ne: fixed(['value', 'value'], (_, left, right) => !equal(left, right)),
  lt: fixed(['value', 'value'], (_, left, right) => less(left, right)),
  le: fixed(['value', 'value'], (_, left, right) => lessOrEqual(left, right)),
  gt: fixed(['value', 'value'], (_, left, right) => !lessOrEqual(left, right)),
  ge: fixed(['value', 'value'], (_, left, right) => !less(left, right)),
};
