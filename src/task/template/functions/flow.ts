import { deepEqual } from '../deep-equal.ts';
import { FunctionFailure } from '../failure.ts';
import { isTrue, kindOf, typeOf } from '../value.ts';
import { type FunctionTable, fixed, variadic } from './signature.ts';

/** Defaults, conditions and questions about types. sprig's "empty" is the opposite of Go's truth. */
export const FLOW_FUNCTIONS: FunctionTable = {
  default: variadic(['any'], 'any', (_, fallback, ...given) => (given.length > 0 && isTrue(given[0]) ? given[0] : fallback)),
  empty: fixed(['any'], (_, value) => !isTrue(value)),
  coalesce: variadic([], 'any', (_, ...values) => values.find((value) => isTrue(value)) ?? null),
  ternary: fixed(['any', 'any', 'bool'], (_, yes, no, condition) => (condition ? yes : no)),
  fail: fixed(['string'], (_, message) => {
    throw new FunctionFailure(message);
  }),
  typeOf: fixed(['any'], (_, value) => typeOf(value)),
  typeIs: fixed(['string', 'any'], (_, type, value) => typeOf(value) === type),
  typeIsLike: fixed(['string', 'any'], (_, type, value) => typeOf(value) === type || typeOf(value) === `*${type}`),
  kindOf: fixed(['any'], (_, value) => kindOf(value)),
  kindIs: fixed(['string', 'any'], (_, kind, value) => kindOf(value) === kind),
  deepEqual: fixed(['any', 'any'], (context, left, right) => deepEqual(left, right, context.budget)),
};
