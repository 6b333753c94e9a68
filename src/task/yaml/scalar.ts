import type { YamlScalar } from './yaml-node.ts';

/** What a scalar means under YAML 1.1 as go-yaml v2 reads it. Dates stay strings, and so do numbers of base 60. */
export type ScalarValue =
  | { readonly type: 'null' }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'string'; readonly value: string };

/**
 * The typed value of a scalar: plain ones by their look, quoted and block ones always strings, explicit tags obeyed.
 * No scalar has a text that its own tag does not allow (`!!int abc`): reading such a text fails.
 */
export function resolveScalar(node: YamlScalar): ScalarValue {
  const { tag, text } = node;
  if (tag === undefined) return node.plain ? resolvePlain(text) : { type: 'string', value: text };
  if (!LOOK_TAGS.has(tag)) return { type: 'string', value: text };
  const value = resolvePlain(text);
  return tag === '!!float' && value.type === 'int' ? { type: 'float', value: Number(value.value) } : value;
}

const TIMESTAMP = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})?)?$/;

/** Whether a text can be what its explicit tag says; unknown tags allow everything. */
export function fitsTag(text: string, tag: string): boolean {
  if (!LOOK_TAGS.has(tag)) return true;
  if (tag === '!!timestamp') return TIMESTAMP.test(text);
  const { type } = resolvePlain(text);
  return tag === `!!${type}` || (tag === '!!float' && type === 'int');
}

/** Whether a scalar means nothing: cheaper than resolving it. */
export function isNullScalar({ tag, plain, text }: YamlScalar): boolean {
  return (tag === undefined ? plain : LOOK_TAGS.has(tag)) && text.length < 5 && NULLS.has(text);
}

const LOOK_TAGS: ReadonlySet<string> = new Set(['!!null', '!!bool', '!!int', '!!float', '!!timestamp']);

const NULLS: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL']);
const TRUES: ReadonlySet<string> = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']);
const FALSES: ReadonlySet<string> = new Set(['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']);
const SPECIAL_FLOATS: ReadonlyMap<string, number> = new Map([
  ...['.nan', '.NaN', '.NAN'].map((word): [string, number] => [word, Number.NaN]),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word): [string, number] => [word, Number.POSITIVE_INFINITY]),
  ...['-.inf', '-.Inf', '-.INF'].map((word): [string, number] => [word, Number.NEGATIVE_INFINITY]),
]);

function resolvePlain(text: string): ScalarValue {
  if (NULLS.has(text)) return { type: 'null' };
  if (TRUES.has(text)) return { type: 'bool', value: true };
  if (FALSES.has(text)) return { type: 'bool', value: false };
  const special = SPECIAL_FLOATS.get(text);
  if (special !== undefined) return { type: 'float', value: special };
  return (NUMBER_START.test(text) ? resolveNumber(text) : undefined) ?? { type: 'string', value: text };
}

const NUMBER_START = /^[-+.0-9]/;
const DECIMAL_FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** Behind a leading point `_` may stand between digits only. */
const POINT_FLOAT = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;
/** Longer digit strings are no 64-bit integers; the bound also keeps BigInt's cost small. */
const LONGEST_INTEGER = 128;

function resolveNumber(text: string): ScalarValue | undefined {
  if (text.startsWith('.')) return POINT_FLOAT.test(text) ? finite(Number(text.replaceAll('_', ''))) : undefined;
  const digits = text.includes('_') ? text.replaceAll('_', '') : text;
  const integer = parseInteger(digits);
  if (integer !== undefined) return { type: 'int', value: integer };
  return DECIMAL_FLOAT.test(digits) ? finite(Number(digits)) : undefined;
}

/** A number that overflows a 64-bit float stays text. */
function finite(value: number): ScalarValue | undefined {
  return Number.isFinite(value) ? { type: 'float', value } : undefined;
}

const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|(0[0-7]+)|(0|[1-9][0-9]*))$/;

/** Signed 64-bit, or unsigned 64-bit without a sign; undefined for everything else. */
function parseInteger(text: string): bigint | undefined {
  if (text.length > LONGEST_INTEGER) return undefined;
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign, hex, binary, octal, oldOctal, decimal] = match;
  const magnitude = BigInt(
    hex !== undefined
      ? `0x${hex}`
      : binary !== undefined
        ? `0b${binary}`
        : (octal ?? oldOctal)
          ? `0o${octal ?? oldOctal}`
          : (decimal ?? '0'),
  );
  const value = sign === '-' ? -magnitude : magnitude;
  const highest = sign === '' ? 0xffff_ffff_ffff_ffffn : 0x7fff_ffff_ffff_ffffn;
  return value >= -0x8000_0000_0000_0000n && value <= highest ? value : undefined;
}
