import { unquoteCharacter } from './literals.ts';
import type { NumberNode } from './nodes.ts';
import { fitsInt, fitsUint, parseFloatLiteral, parseIntegerLiteral } from './numbers.ts';
import type { Token } from './token.ts';

type Readings = Pick<NumberNode, 'int' | 'uint' | 'float' | 'complex'>;

/** Every reading of a number constant; a message when it is none. */
export function readNumber(token: Token): NumberNode | string {
  const { text, start, end } = token;
  const readings = readingsOf(token);
  return typeof readings === 'string' ? readings : { type: 'number', text, start, end, ...readings };
}

function readingsOf(token: Token): Readings | string {
  const { text } = token;
  if (token.type === 'char-constant') {
    const code = unquoteCharacter(text);
    if (code === undefined) return `malformed character constant: ${text}`;
    return { int: BigInt(code), uint: BigInt(code), float: code, complex: undefined };
  }
  if (token.type === 'complex') return readComplex(text) ?? `illegal number syntax: ${JSON.stringify(text)}`;
  if (text.endsWith('i')) {
    const imaginary = parseFloatLiteral(text.slice(0, -1));
    if (imaginary !== undefined) return simplified(0, imaginary);
  }
  return readReal(text) ?? `illegal number syntax: ${JSON.stringify(text)}`;
}

function readReal(text: string): Readings | string | undefined {
  const integer = parseIntegerLiteral(text);
  if (integer !== undefined && (fitsInt(integer) || fitsUint(integer))) {
    const unsigned = !/^[+-]/.test(text) || integer === 0n;
    if (!fitsInt(integer) && !unsigned) return `integer overflow: ${JSON.stringify(text)}`;
    return {
      int: fitsInt(integer) ? integer : undefined,
      uint: unsigned && fitsUint(integer) ? integer : undefined,
      float: Number(integer),
      complex: undefined,
    };
  }
  const float = parseFloatLiteral(text);
  if (float === undefined) return undefined;
  return /[.eEpP]/.test(text) ? withIntegers(float, undefined) : `integer overflow: ${JSON.stringify(text)}`;
}

function withIntegers(float: number, complex: Readings['complex']): Readings {
  const whole = Number.isInteger(float) ? BigInt(float) : undefined;
  return {
    int: whole !== undefined && fitsInt(whole) ? whole : undefined,
    uint: whole !== undefined && fitsUint(whole) ? whole : undefined,
    float,
    complex,
  };
}

function simplified(real: number, imaginary: number): Readings {
  const complex = { real, imaginary };
  return imaginary === 0 ? withIntegers(real, complex) : { int: undefined, uint: undefined, float: undefined, complex };
}

function readComplex(text: string): Readings | undefined {
  const split = Math.max(...[...text.matchAll(/(?<=[^eEpP])[+-]/g)].map((match) => match.index));
  if (!Number.isFinite(split)) return undefined;
  const real = parseFloatLiteral(text.slice(0, split));
  const imaginary = parseFloatLiteral(text.slice(split, -1));
  return real === undefined || imaginary === undefined ? undefined : simplified(real, imaginary);
}
