import type { Budget } from '../budget.ts';
import { FunctionFailure } from '../failure.ts';
import { printValue } from '../format/sprintf.ts';
import { GoList, GoMap, strings, type Value } from '../value.ts';
import { mergeInto } from './merge.ts';
import { type CallContext, type FunctionTable, fixed, variadic } from './signature.ts';

function dict(context: CallContext, ...pairs: Value[]): GoMap {
  const entries = new Map<string, Value>();
  for (let index = 0; index < pairs.length; index += 2) {
    const value = index + 1 < pairs.length ? pairs[index + 1] : '';
    entries.set(printValue(pairs[index], context.budget), value ?? null);
  }
  return new GoMap(entries);
}

function set(_: CallContext, map: GoMap, key: string, value: Value): GoMap {
  if (map.isNil) throw new FunctionFailure('assignment to entry in nil map');
  map.entries.set(key, value ?? null);
  return map;
}

function unset(_: CallContext, map: GoMap, key: string): GoMap {
  map.entries.delete(key);
  return map;
}

/** The entries of a map whose keys pass; always a new map. */
function filtered(context: CallContext, map: GoMap, passes: (key: string) => boolean): GoMap {
  context.budget.items(map.entries.size);
  return new GoMap(new Map([...map.entries].filter(([key]) => passes(key))));
}

function merge(overwrite: boolean): (context: CallContext, target: GoMap, ...sources: GoMap[]) => GoMap {
  return (context, target, ...sources) => {
    const result = target.isNil ? new GoMap() : target;
    for (const source of sources) mergeInto(result, source, overwrite, context.budget);
    return result;
  };
}

/** A copy that shares no list or map with the value. */
export function deepCopy(value: Value, budget: Budget, depth = 0): Value {
  budget.depth(depth);
  budget.step();
  if (value instanceof GoList) {
    return new GoList(
      value.items.map((item) => deepCopy(item, budget, depth + 1)),
      value.elem,
      value.isNil,
    );
  }
  if (!(value instanceof GoMap)) return value;
  const entries = [...value.entries].map(([key, item]): [string, Value] => [key, deepCopy(item, budget, depth + 1)]);
  const { elem, isNil, typeName } = value;
  return new GoMap(new Map(entries), { elem, isNil, ...(typeName === undefined ? {} : { typeName }) });
}

export const DICT_FUNCTIONS: FunctionTable = {
  dict: variadic([], 'any', dict),
  set: fixed(['map', 'string', 'any'], set),
  unset: fixed(['map', 'string'], unset),
  hasKey: fixed(['map', 'string'], (_, map, key) => map.entries.has(key)),
  pluck: variadic(['string'], 'map', (_, key, ...maps) => {
    const found = maps.filter((map) => map.entries.has(key));
    return new GoList(found.map((map) => map.get(key)));
  }),
  pick: variadic(['map'], 'string', (context, map, ...keys) => filtered(context, map, (key) => keys.includes(key))),
  omit: variadic(['map'], 'string', (context, map, ...keys) => filtered(context, map, (key) => !keys.includes(key))),
  keys: variadic([], 'map', (context, ...maps) => {
    context.budget.step(maps.reduce((sum, map) => sum + map.entries.size, 0));
    return strings(maps.flatMap((map) => map.sortedKeys()));
  }),
  values: fixed(['map'], (context, map) => {
    context.budget.step(map.entries.size);
    return new GoList(map.sortedKeys().map((key) => map.get(key)));
  }),
  merge: variadic(['map'], 'map', merge(false)),
  mergeOverwrite: variadic(['map'], 'map', merge(true)),
  deepCopy: fixed(['any'], (context, value) => {
    if (value === null || value === undefined) throw new FunctionFailure('deepCopy error: nil has no copy');
    return deepCopy(value, context.budget);
  }),
};
