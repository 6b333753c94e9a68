import type { Budget } from '../budget.ts';
import { GoMap, isTrue, type Value } from '../value.ts';

/**
 * Fills the empty places of `target` from `source`, or with `overwrite` also the others where the source has something.
 * Maps are merged map by map, in place.
 */
export function mergeInto(target: GoMap, source: GoMap, overwrite: boolean, budget: Budget, depth = 0): void {
  budget.depth(depth);
  for (const [key, value] of source.entries) {
    budget.step(1 / 8);
    const present = target.entries.get(key) ?? null;
    if (value === null || value === undefined) {
      if (overwrite) target.entries.set(key, null);
    } else if (value instanceof GoMap && value.isNil) {
      if (overwrite) target.entries.set(key, value);
    } else if (value instanceof GoMap && present instanceof GoMap && !present.isNil) {
      mergeInto(present, value, overwrite, budget, depth + 1);
    } else if (replaces(value, present, overwrite)) {
      target.entries.set(key, value);
    }
  }
}

/** Even with `overwrite` a map does not take the place of something that is none. */
function replaces(value: Value, present: Value, overwrite: boolean): boolean {
  const isEmpty = present === null || present === undefined || !isTrue(present);
  return isEmpty || (overwrite && !(value instanceof GoMap));
}
