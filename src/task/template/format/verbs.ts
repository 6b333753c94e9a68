import { runeCount, toBytes } from '../go-string.ts';
import type { GoComplex, GoInt } from '../value.ts';
import { type FloatVerb, formatFloat } from './float.ts';
import { canBackquote, quoteString } from './quote.ts';
import type { FormatSpec } from './spec.ts';

/** Pads with blanks, or with zeros on the left where the zero flag says so. */
export function pad(text: string, spec: FormatSpec, zeros = false): string {
  const missing = (spec.width ?? 0) - runeCount(text);
  if (missing <= 0) return text;
  if (spec.minus) return text + ' '.repeat(missing);
  return (zeros ? '0' : ' ').repeat(missing) + text;
}

/** A string by the verbs v s x X q; undefined for others. */
export function formatString(text: string, spec: FormatSpec): string | undefined {
  const zeros = spec.zero && !spec.minus;
  switch (spec.verb) {
    case 'v':
      return pad(spec.sharpV ? quoteString(truncated(text, spec)) : truncated(text, spec), spec, zeros);
    case 's':
      return pad(truncated(text, spec), spec, zeros);
    case 'q':
      return pad(quoteWith(truncated(text, spec), spec), spec, zeros);
    case 'x':
    case 'X':
      return pad(hexOfBytes(text, spec), spec, zeros);
    default:
      return undefined;
  }
}

function truncated(text: string, { precision }: FormatSpec): string {
  if (precision === undefined || text.length <= precision) return text;
  return [...text].slice(0, precision).join('');
}

function quoteWith(text: string, spec: FormatSpec): string {
  if (spec.sharp && canBackquote(text)) return `\`${text}\``;
  return quoteString(text, { ascii: spec.plus });
}

function hexOfBytes(text: string, spec: FormatSpec): string {
  const bytes = [...toBytes(text)].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0'));
  const shown = spec.precision === undefined ? bytes : bytes.slice(0, spec.precision);
  if (shown.length === 0) return '';
  const lower = spec.space ? shown.map((byte) => (spec.sharp ? `0x${byte}` : byte)).join(' ') : (spec.sharp ? '0x' : '') + shown.join('');
  return spec.verb === 'X' ? lower.toUpperCase() : lower;
}

const BASES: Readonly<Record<string, number>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

/** An integer by the verbs v d b o O x X c q U; undefined for others. */
export function formatInteger({ value, signed }: GoInt, spec: FormatSpec): string | undefined {
  switch (spec.verb) {
    case 'c':
      return pad(characterOf(value), spec, spec.zero && !spec.minus);
    case 'q':
      return pad(quoteString(characterOf(value), { ascii: spec.plus, quote: "'" }), spec, spec.zero && !spec.minus);
    case 'U':
      return pad(unicodeOf(value, spec), spec);
    case 'v':
      return spec.sharpV && !signed ? integerInBase(value, 16, { ...spec, verb: 'x', sharp: true }) : integerInBase(value, 10, spec);
    default: {
      const base = BASES[spec.verb];
      return base === undefined ? undefined : integerInBase(value, base, spec);
    }
  }
}

function characterOf(value: bigint): string {
  const code = value >= 0n && value <= 0x10ffffn ? Number(value) : 0xfffd;
  return code >= 0xd800 && code <= 0xdfff ? '\ufffd' : String.fromCodePoint(code);
}

function unicodeOf(value: bigint, spec: FormatSpec): string {
  const digits = BigInt.asUintN(64, value).toString(16).toUpperCase();
  const code = `U+${digits.padStart(Math.max(4, spec.precision ?? 4), '0')}`;
  const shown = value >= 0n && value <= 0x10ffffn && quoteString(characterOf(value), { quote: "'" }).length <= 4;
  return spec.sharp && shown && !/^\\/.test(quoteString(characterOf(value)).slice(1)) ? `${code} '${characterOf(value)}'` : code;
}

function integerInBase(value: bigint, base: number, spec: FormatSpec): string {
  if (spec.precision === 0 && value === 0n) return pad('', spec);
  const sign = value < 0n ? '-' : spec.plus ? '+' : spec.space ? ' ' : '';
  const size = value < 0n ? -value : value;
  const raw = size.toString(base);
  const digits = spec.verb === 'X' ? raw.toUpperCase() : raw;
  const prefix = prefixOf(base, spec);
  const zeroWidth = spec.zero && !spec.minus && spec.precision === undefined && spec.width !== undefined ? spec.width - sign.length : 0;
  // With the zero flag the width counts digits, and a prefix such as 0x comes on top of it.
  const filled = digits.padStart(Math.max(spec.precision ?? 0, zeroWidth), '0');
  const octalMark = base === 8 && spec.sharp && !filled.startsWith('0') ? '0' : '';
  return pad(`${sign}${prefix}${octalMark}${filled}`, spec);
}

function prefixOf(base: number, spec: FormatSpec): string {
  if (spec.verb === 'O') return '0o';
  if (!spec.sharp) return '';
  if (base === 16) return spec.verb === 'X' ? '0X' : '0x';
  return base === 2 ? '0b' : '';
}

/** A float by the verbs v e E f F g G b x X; undefined for others. */
export function formatFloatVerb(value: number, spec: FormatSpec): string | undefined {
  const text = floatText(value, spec);
  if (text === undefined) return undefined;
  const signed = signedFloat(text, spec);
  if (!spec.zero || spec.minus || !Number.isFinite(value)) return pad(signed, spec);
  const sign = /^[+\- ]/.exec(signed)?.[0] ?? '';
  const missing = (spec.width ?? 0) - signed.length;
  return missing > 0 ? sign + '0'.repeat(missing) + signed.slice(sign.length) : signed;
}

function floatText(value: number, spec: FormatSpec): string | undefined {
  const { verb, precision } = spec;
  let text: string;
  if (verb === 'v') text = formatFloat(value, 'g', precision ?? -1);
  else if (/^[eEfF]$/.test(verb)) text = formatFloat(value, verb as FloatVerb, precision ?? 6);
  else if (/^[gGbxX]$/.test(verb)) text = formatFloat(value, verb as FloatVerb, precision ?? -1);
  else return undefined;
  return spec.sharp && verb !== 'b' && Number.isFinite(value) ? withPoint(text, spec) : text;
}

function signedFloat(text: string, spec: FormatSpec): string {
  if (text.startsWith('+')) return spec.plus ? text : spec.space ? ` ${text.slice(1)}` : text;
  if (text.startsWith('-')) return text;
  return (spec.plus ? '+' : spec.space ? ' ' : '') + text;
}

/** The sharp flag: always a point, and for %g and %x zeros at the end up to the precision. */
function withPoint(text: string, spec: FormatSpec): string {
  const isHex = /^[xX]$/.test(spec.verb);
  const tailStart = text.search(isHex ? /[pP]/ : /[eE]/);
  const [number, tail] = tailStart === -1 ? [text, ''] : [text.slice(0, tailStart), text.slice(tailStart)];
  const unsigned = number.replace('-', '');
  const wanted = /^[vgGx]$/.test(spec.verb) ? (spec.precision ?? 6) : 0;
  // Everything behind the first character that is not 0 counts, for %x the x itself too.
  const counted = unsigned.replace(/^[0.]+/, '').replace('.', '').length + (unsigned === '0' ? 1 : 0);
  const point = number.includes('.') ? '' : '.';
  return `${number}${point}${'0'.repeat(Math.max(0, wanted - counted))}${tail}`;
}

/** A complex number by the float verbs; undefined for others. */
export function formatComplex(value: GoComplex, spec: FormatSpec): string | undefined {
  const real = formatFloatVerb(value.real, spec);
  const imaginary = formatFloatVerb(value.imaginary, { ...spec, plus: true });
  return real === undefined || imaginary === undefined ? undefined : `(${real}${imaginary}i)`;
}
