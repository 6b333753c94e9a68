import { FunctionFailure } from './failure.ts';
import { INTEGER_PARAMETERS, PARAMETER_TYPE_NAMES, type ParameterType } from './functions/signature.ts';
import type { NumberNode } from './nodes.ts';
import { fitsInt } from './numbers.ts';
import { GoTime } from './time/go-time.ts';
import { Certificate, GoComplex, GoInt, GoList, GoMap, goInt, typeOf, type Value, Version } from './value.ts';

/**
 * A value as an argument for a parameter of a Go type: integers as bigint for integer parameters, else the value itself.
 * @throws FunctionFailure when Go would not assign it
 */
export function assign(value: Value, type: ParameterType): unknown {
  if (type === 'value') return value;
  if (type === 'any') return value ?? null;
  if (value === undefined || value === null) return zeroOf(value, type);
  const integer = INTEGER_PARAMETERS.get(type);
  if (integer !== undefined) return value instanceof GoInt && value.type === integer ? value.value : mismatch(type, typeOf(value));
  return isAssignable(value, type) ? value : mismatch(type, typeOf(value));
}

/** A missing value is the nil of a map or list, and an error elsewhere; a nil from a map entry is an error everywhere. */
function zeroOf(value: undefined | null, type: ParameterType): unknown {
  if (value === null) return mismatch(type, 'interface {}');
  if (type === 'map') return new GoMap(new Map(), { isNil: true });
  if (type === 'list') return new GoList([], 'interface {}', true);
  throw new FunctionFailure(`invalid value; expected ${PARAMETER_TYPE_NAMES[type]}`);
}

/** The constant `nil` as an argument. */
export function assignNil(type: ParameterType): unknown {
  if (type === 'any' || type === 'value' || type === 'map' || type === 'list') return assign(undefined, type);
  throw new FunctionFailure(`cannot assign nil to ${PARAMETER_TYPE_NAMES[type]}`);
}

function isAssignable(value: Value, type: ParameterType): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'float64':
      return typeof value === 'number';
    case 'bool':
      return typeof value === 'boolean';
    case 'map':
      return value instanceof GoMap && value.elem === 'interface {}';
    case 'list':
      return value instanceof GoList && value.elem === 'interface {}';
    case 'time':
      return value instanceof GoTime;
    case 'version':
      return value instanceof Version;
    default:
      return value instanceof Certificate;
  }
}

function mismatch(type: ParameterType, found: string): never {
  throw new FunctionFailure(`wrong type for value; expected ${PARAMETER_TYPE_NAMES[type]}; got ${found}`);
}

/** A number constant where no type is asked for: its look decides. */
export function idealNumber(node: NumberNode): Value {
  if (node.complex !== undefined) return new GoComplex(node.complex.real, node.complex.imaginary);
  const isHexInteger = /^0[xX]/.test(node.text) && !/[pP]/.test(node.text);
  if (node.float !== undefined && !isHexInteger && !node.text.startsWith("'") && /[.eEpP]/.test(node.text)) return node.float;
  if (node.int !== undefined && fitsInt(node.int)) return goInt(node.int);
  throw new FunctionFailure(`${node.text} overflows int`);
}

/** A number constant for a parameter of a Go type, to which untyped constants adapt. */
export function assignNumber(node: NumberNode, type: ParameterType): unknown {
  const integer = INTEGER_PARAMETERS.get(type);
  if (integer === 'uint32') return node.uint ?? expected('unsigned integer', node.text);
  if (integer !== undefined) return node.int ?? expected('integer', node.text);
  if (type === 'float64') return node.float ?? expected('float', node.text);
  if (type === 'any' || type === 'value') return idealNumber(node);
  return expectedFor(type, node.text);
}

/** The complaint about a constant of another kind than the parameter's. */
export function expectedFor(type: ParameterType, found: string): never {
  const integer = INTEGER_PARAMETERS.get(type);
  if (integer !== undefined) return expected(integer === 'uint32' ? 'unsigned integer' : 'integer', found);
  if (type === 'string' || type === 'bool') return expected(type, found);
  if (type === 'float64') return expected('float', found);
  throw new FunctionFailure(`can't handle ${found} for arg of type ${PARAMETER_TYPE_NAMES[type]}`);
}

function expected(what: string, found: string): never {
  throw new FunctionFailure(`expected ${what}; found ${found}`);
}
