import { FunctionFailure } from '../failure.ts';
import { sprint, sprintf } from '../format/sprintf.ts';
import { byteLength, toBytes } from '../go-string.ts';
import { GoInt, GoList, GoMap, goInt, isTrue, kindOf, typeOf, type Value } from '../value.ts';
import { escapeHtml, escapeJavaScript, escapeQuery } from './escapes.ts';
import { type CallContext, type FunctionTable, fixed, type GoFunction, variadic } from './signature.ts';

/** `and`, `or`: evaluated argument by argument by the executor. */
function shortCircuit(decisive: boolean): GoFunction {
  return { ...variadic(['value'], 'value', (_, first) => first), shortCircuit: decisive };
}

function length(value: Value): Value {
  if (typeof value === 'string') return goInt(byteLength(value));
  if (value instanceof GoList) return goInt(value.items.length);
  if (value instanceof GoMap) return goInt(value.entries.size);
  throw new FunctionFailure(value === undefined || value === null ? 'len of nil' : `len of type ${typeOf(value)}`);
}

function index(item: Value, ...keys: Value[]): Value {
  if (item === undefined || item === null) throw new FunctionFailure('index of untyped nil');
  let current: Value = item;
  for (const key of keys) {
    if (current === undefined || current === null) throw new FunctionFailure('index of nil pointer');
    if (current instanceof GoMap) current = current.get(mapKey(key));
    else if (current instanceof GoList) current = current.items[position(key, current.items.length)];
    else if (typeof current === 'string') current = byteAt(current, key);
    else throw new FunctionFailure(`can't index item of type ${typeOf(current)}`);
  }
  return current;
}

function byteAt(text: string, key: Value): Value {
  const bytes = toBytes(text);
  return new GoInt('uint8', BigInt(bytes.charCodeAt(position(key, bytes.length))));
}

function mapKey(key: Value): string {
  if (typeof key === 'string') return key;
  if (key === undefined || key === null) throw new FunctionFailure('value is nil; should be of type string');
  throw new FunctionFailure(`value has type ${typeOf(key)}; should be string`);
}

function position(key: Value, size: number): number {
  if (key === undefined || key === null) throw new FunctionFailure('cannot index slice/array with nil');
  if (!(key instanceof GoInt)) throw new FunctionFailure(`cannot index slice/array with type ${typeOf(key)}`);
  if (key.value < 0n || key.value >= BigInt(size)) throw new FunctionFailure(`index out of range: ${key.value}`);
  return Number(key.value);
}

function callFunction(context: CallContext, value: Value): never {
  const text = context.argumentText(0);
  throw new FunctionFailure(
    value === undefined || value === null ? `call of nil: ${text}` : `non-function ${text} of type ${typeOf(value)}`,
  );
}

function printLine(context: CallContext, ...values: Value[]): string {
  return `${values.map((value) => sprint([value], context.budget)).join(' ')}\n`;
}

export const BUILTIN_FUNCTIONS: FunctionTable = {
  and: shortCircuit(false),
  or: shortCircuit(true),
  not: fixed(['value'], (_, value) => !isTrue(value)),
  len: fixed(['value'], (_, value) => length(value)),
  index: variadic(['value'], 'value', (_, item, ...keys) => index(item, ...keys)),
  print: variadic([], 'any', (context, ...values) => sprint(values, context.budget)),
  println: variadic([], 'any', printLine),
  printf: variadic(['string'], 'any', (context, format, ...values) => sprintf(format, values, context.budget)),
  html: variadic([], 'any', (context, ...values) => escapeHtml(shown(context, values))),
  js: variadic([], 'any', (context, ...values) => escapeJavaScript(shown(context, values))),
  urlquery: variadic([], 'any', (context, ...values) => escapeQuery(shown(context, values))),
  call: variadic(['value'], 'value', callFunction),
};

/** The arguments of html, js and urlquery as one text. */
function shown(context: CallContext, values: readonly Value[]): string {
  // A nil among the arguments is shown like the value of a missing key.
  const texts = values.map((value) => (kindOf(value) === 'invalid' ? '<no value>' : value));
  return sprint(texts, context.budget);
}
