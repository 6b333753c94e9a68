const MAX_INT = (1n << 63n) - 1n;
const MIN_INT = -(1n << 63n);
const MAX_UINT = (1n << 64n) - 1n;

const INTEGER =
  /^([+-]?)(?:0[xX](_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)|0[bB](_?[01]+(?:_[01]+)*)|0[oO]?(_?[0-7]+(?:_[0-7]+)*)|([1-9][0-9]*(?:_[0-9]+)*|0))$/;

/** An integer constant by Go's syntax, of any size: decimal, 0x, 0b, 0o, a leading zero for octal, `_` between digits. */
export function parseIntegerLiteral(text: string): bigint | undefined {
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign, hex, binary, octal, decimal] = match;
  const digits = (hex ?? binary ?? octal ?? decimal ?? '').replaceAll('_', '');
  const prefix = hex !== undefined ? '0x' : binary !== undefined ? '0b' : octal !== undefined ? '0o' : '';
  const size = BigInt(prefix + digits);
  return sign === '-' ? -size : size;
}

/** A decimal integer of 64 bits as strconv.ParseInt(text, 10, 64) reads it. */
export function parseDecimal(text: string): bigint | undefined {
  return parseInBase(text, /^[+-]?[0-9]+$/, '');
}

/** The same, but a number that is too large gives the nearest one that fits, and what is none gives 0: strconv.Atoi without its error. */
export function parseClamped(text: string): bigint {
  if (!/^[+-]?[0-9]+$/.test(text)) return 0n;
  return parseDecimal(text) ?? (text.startsWith('-') ? MIN_INT : MAX_INT);
}

/** An octal integer of 64 bits without a prefix. */
export function parseOctal(text: string): bigint | undefined {
  return parseInBase(text, /^[+-]?[0-7]+$/, '0o');
}

function parseInBase(text: string, syntax: RegExp, prefix: string): bigint | undefined {
  // Nothing of more than 64 digits fits, leading zeros apart.
  if (!syntax.test(text)) return undefined;
  const digits = text.replace(/^[+-]?0*(?=[0-9])/, '');
  if (digits.length > 64) return undefined;
  const value = BigInt(prefix + digits) * (text.startsWith('-') ? -1n : 1n);
  return fitsInt(value) ? value : undefined;
}

export function fitsInt(value: bigint): boolean {
  return value >= MIN_INT && value <= MAX_INT;
}

export function fitsUint(value: bigint): boolean {
  return value >= 0n && value <= MAX_UINT;
}

const DECIMAL_FLOAT = /^[+-]?(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+(?:_[0-9]+)*)(?:[eE][+-]?[0-9]+(?:_[0-9]+)*)?$/;
const HEX_FLOAT = /^([+-]?)0[xX]((?:_?[0-9a-fA-F])*)(?:\.([0-9a-fA-F]*(?:_[0-9a-fA-F]+)*))?[pP]([+-]?[0-9]+)$/;
const SPECIAL = /^([+-]?)(inf(?:inity)?|nan)$/i;

/** A float as strconv.ParseFloat reads it; undefined for what is none or is too large. */
export function parseFloatLiteral(text: string): number | undefined {
  const special = SPECIAL.exec(text);
  if (special !== null) {
    if (special[2]?.toLowerCase() === 'nan') return special[1] === '' ? Number.NaN : undefined;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const hex = HEX_FLOAT.exec(text);
  const value = hex === null ? (DECIMAL_FLOAT.test(text) ? Number(text.replaceAll('_', '')) : undefined) : readHexFloat(hex);
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

function readHexFloat(match: RegExpExecArray): number | undefined {
  const whole = (match[2] ?? '').replaceAll('_', '');
  const fraction = (match[3] ?? '').replaceAll('_', '');
  if (whole + fraction === '' || whole.length + fraction.length > 64) return undefined;
  const mantissa = Number(BigInt(`0x${whole}${fraction}`));
  const exponent = Number(match[4]) - 4 * fraction.length;
  const half = Math.trunc(exponent / 2);
  return (match[1] === '-' ? -1 : 1) * mantissa * 2 ** half * 2 ** (exponent - half);
}

/** A float as Go converts it to int64: cut towards zero; what does not fit becomes the smallest integer (amd64). */
export function truncateToInt(value: number): bigint {
  if (!Number.isFinite(value)) return MIN_INT;
  const cut = BigInt(Math.trunc(value));
  return fitsInt(cut) ? cut : MIN_INT;
}
