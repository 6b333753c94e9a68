import { deepEqual } from '../deep-equal.ts';
import { FunctionFailure } from '../failure.ts';
import { compareStrings, GoList, goInt, isTrue, kindOf, strings, type Value } from '../value.ts';
import { toInt64, toTexts } from './convert.ts';
import { type CallContext, type FunctionTable, fixed, type GoFunction, variadic } from './signature.ts';

/** The items of a list, their number charged to the budget. */
function itemsOf(context: CallContext, value: Value, refusal: string): readonly Value[] {
  if (!(value instanceof GoList)) throw new FunctionFailure(`${refusal} ${kindOf(value)}`);
  context.budget.items(value.items.length);
  return value.items;
}

function contains(context: CallContext, items: readonly Value[], wanted: Value): boolean {
  return items.some((item) => deepEqual(wanted, item, context.budget));
}

/** The list without one end; nil for an empty list. */
function shortened(value: readonly Value[], start: number, end: number): GoList {
  return value.length === 0 ? new GoList([], 'interface {}', true) : new GoList(value.slice(start, end));
}

function uniq(context: CallContext, value: Value): GoList {
  const result: Value[] = [];
  for (const item of itemsOf(context, value, 'Cannot find uniq on type')) {
    if (!contains(context, result, item)) result.push(item);
  }
  return new GoList(result);
}

function slice(context: CallContext, value: Value, ...bounds: Value[]): Value {
  const items = itemsOf(context, value, 'list should be type of slice or array but');
  if (items.length === 0 || !(value instanceof GoList)) return null;
  const start = bounds.length > 0 ? toInt64(bounds[0]) : 0n;
  const end = bounds.length > 1 ? toInt64(bounds[1]) : BigInt(items.length);
  if (start < 0n || end > BigInt(items.length) || start > end) {
    throw new FunctionFailure(`slice bounds out of range [${start}:${end}] with length ${items.length}`);
  }
  return new GoList(items.slice(Number(start), Number(end)), value.elem);
}

function concat(context: CallContext, ...lists: Value[]): GoList {
  const parts = lists.map((list) => {
    if (!(list instanceof GoList)) throw new FunctionFailure(`Cannot concat type ${kindOf(list)} as list`);
    context.budget.items(list.items.length);
    return list.items;
  });
  const items = parts.flat();
  return new GoList(items, 'interface {}', items.length === 0);
}

const list: GoFunction = variadic([], 'any', (_, ...items) => new GoList(items));

const push: GoFunction = fixed(
  ['any', 'any'],
  (context, value, item) => new GoList([...itemsOf(context, value, 'Cannot push on type'), item]),
);

export const LIST_FUNCTIONS: FunctionTable = {
  list,
  tuple: list,
  append: push,
  push,
  prepend: fixed(['any', 'any'], (context, value, item) => new GoList([item, ...itemsOf(context, value, 'Cannot prepend on type')])),
  first: fixed(['any'], (context, value) => itemsOf(context, value, 'Cannot find first on type').at(0) ?? null),
  last: fixed(['any'], (context, value) => itemsOf(context, value, 'Cannot find last on type').at(-1) ?? null),
  rest: fixed(['any'], (context, value) => shortened(itemsOf(context, value, 'Cannot find rest on type'), 1, Number.POSITIVE_INFINITY)),
  initial: fixed(['any'], (context, value) => shortened(itemsOf(context, value, 'Cannot find initial on type'), 0, -1)),
  reverse: fixed(['any'], (context, value) => new GoList(itemsOf(context, value, 'Cannot find reverse on type').toReversed())),
  compact: fixed(['any'], (context, value) => new GoList(itemsOf(context, value, 'Cannot compact on type').filter((item) => isTrue(item)))),
  uniq: fixed(['any'], uniq),
  without: variadic(['any'], 'any', (context, value, ...omitted) => {
    const items = itemsOf(context, value, 'Cannot find without on type');
    return new GoList(items.filter((item) => !contains(context, omitted, item)));
  }),
  has: fixed(['any', 'any'], (context, needle, value) =>
    value === null || value === undefined ? false : contains(context, itemsOf(context, value, 'Cannot find has on type'), needle),
  ),
  slice: variadic(['any'], 'any', slice),
  concat: variadic([], 'any', concat),
  sortAlpha: fixed(['any'], (context, value) => strings(toTexts(value ?? '<nil>', context.budget).sort(compareStrings))),
  until: fixed(['int'], (context, count) => countUp(context, 0n, count, count < 0n ? -1n : 1n)),
  untilStep: fixed(['int', 'int', 'int'], countUp),
};

/** Integers from `start` up or down to, and without, `stop`. */
function countUp(context: CallContext, start: bigint, stop: bigint, step: bigint): GoList {
  const items: Value[] = [];
  const down = stop < start;
  if (down ? step >= 0n : step <= 0n) return new GoList(items, 'int');
  for (let current = start; down ? current > stop : current < stop; current += step) {
    context.budget.step();
    items.push(goInt(current));
  }
  return new GoList(items, 'int');
}
