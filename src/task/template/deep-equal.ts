import type { Budget } from './budget.ts';
import { GoTime } from './time/go-time.ts';
import { Certificate, GoComplex, GoInt, GoList, GoMap, typeOf, type Value, Version } from './value.ts';

/** Go's reflect.DeepEqual: equal types and equal content, list by list and map by map. */
export function deepEqual(left: Value, right: Value, budget: Budget, depth = 0): boolean {
  budget.depth(depth);
  budget.step(1 / 8);
  if (left === right) return !(typeof left === 'number' && Number.isNaN(left));
  if (left === null || left === undefined || right === null || right === undefined) return (left ?? null) === (right ?? null);
  if (typeOf(left) !== typeOf(right)) return false;
  budget.step(1 / 2);
  if (left instanceof GoList && right instanceof GoList) return equalLists(left, right, budget, depth);
  if (left instanceof GoMap && right instanceof GoMap) return equalMaps(left, right, budget, depth);
  if (left instanceof GoInt && right instanceof GoInt) return left.value === right.value;
  if (left instanceof GoComplex && right instanceof GoComplex) return left.real === right.real && left.imaginary === right.imaginary;
  if (left instanceof GoTime && right instanceof GoTime) return left.unixNanos === right.unixNanos && sameZone(left, right);
  if (left instanceof Certificate && right instanceof Certificate) return left.cert === right.cert && left.key === right.key;
  return left instanceof Version && right instanceof Version && left.original === right.original;
}

function sameZone(left: GoTime, right: GoTime): boolean {
  if (typeof left.zone === 'string' || typeof right.zone === 'string') return left.zone === right.zone;
  return left.zone.name === right.zone.name && left.zone.offset === right.zone.offset;
}

function equalLists(left: GoList, right: GoList, budget: Budget, depth: number): boolean {
  if (left.isNil !== right.isNil || left.items.length !== right.items.length) return false;
  return left.items.every((item, index) => deepEqual(item, right.items[index], budget, depth + 1));
}

function equalMaps(left: GoMap, right: GoMap, budget: Budget, depth: number): boolean {
  if (left.isNil !== right.isNil || left.entries.size !== right.entries.size) return false;
  for (const [key, value] of left.entries) {
    if (!right.entries.has(key) || !deepEqual(value, right.entries.get(key), budget, depth + 1)) return false;
  }
  return true;
}
