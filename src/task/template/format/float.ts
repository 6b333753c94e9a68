/** The digits of a number and where its point stands: 0.d1d2d3… × 10^point. */
interface Digits {
  readonly digits: string;
  readonly point: number;
}

export type FloatVerb = 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'b' | 'x' | 'X';

/**
 * A float as strconv.FormatFloat writes it; precision -1 takes the fewest digits that give the same float again. The sign
 * is part of the result; infinities are `+Inf` and `-Inf`.
 */
export function formatFloat(value: number, verb: FloatVerb, precision: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (verb === 'b') return sign + formatBinary(size);
  if (verb === 'x' || verb === 'X') return sign + formatHex(size, precision, verb);
  if (verb === 'f' || verb === 'F') return sign + plain(precision < 0 ? shortest(size) : rounded(size, 'fraction', precision), precision);
  if (verb === 'e' || verb === 'E')
    return sign + exponential(precision < 0 ? shortest(size) : rounded(size, 'digits', precision + 1), precision, verb);
  return sign + general(size, precision, verb === 'g' ? 'e' : 'E');
}

function general(size: number, precision: number, exponentSign: 'e' | 'E'): string {
  const wanted = precision === 0 ? 1 : precision;
  const number = wanted < 0 ? shortest(size) : trimmed(rounded(size, 'digits', wanted));
  const { digits, point } = number;
  let threshold = wanted;
  if (threshold > digits.length && digits.length >= point) threshold = digits.length;
  if (wanted < 0) threshold = 6;
  const exponent = point - 1;
  if (exponent < -4 || exponent >= threshold) return exponential(number, digits.length - 1, exponentSign);
  return plain(number, Math.max(digits.length - point, 0));
}

function trimmed({ digits, point }: Digits): Digits {
  const short = digits.replace(/0+$/, '');
  return short === '' ? { digits: '0', point: 1 } : { digits: short, point };
}

function plain({ digits, point }: Digits, precision: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  const fraction = point > 0 ? digits.slice(point) : '0'.repeat(-point) + digits;
  const places = precision < 0 ? fraction.replace(/0+$/, '') : fraction.slice(0, precision).padEnd(precision, '0');
  return places === '' ? whole : `${whole}.${places}`;
}

function exponential({ digits, point }: Digits, precision: number, letter: string): string {
  const fraction = precision < 0 ? digits.slice(1) : digits.slice(1, precision + 1).padEnd(precision, '0');
  const exponent = /^0*$/.test(digits) ? 0 : point - 1;
  const written = `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return `${digits.charAt(0)}${fraction === '' ? '' : `.${fraction}`}${letter}${written}`;
}

function shortest(size: number): Digits {
  const [mantissa = '0', exponent = '0'] = size.toExponential().split('e');
  return { digits: mantissa.replace('.', ''), point: Number(exponent) + 1 };
}

/** The exact value cut to a number of digits, or of places behind the point, rounded half to even. */
function rounded(size: number, unit: 'digits' | 'fraction', count: number): Digits {
  if (size === 0) return { digits: '0', point: 1 };
  const { digits, point } = exactDigits(size);
  const keep = unit === 'digits' ? count : point + count;
  if (keep >= digits.length) return { digits, point };
  if (keep < 0) return { digits: '0', point: 1 };
  const kept = digits.slice(0, keep);
  if (!roundsUp(digits, keep)) return keep === 0 ? { digits: '0', point: 1 } : { digits: kept, point };
  const next = String(BigInt(kept === '' ? 0 : kept) + 1n).padStart(kept.length, '0');
  return next.length > kept.length ? { digits: next, point: point + 1 } : { digits: next, point };
}

function roundsUp(digits: string, at: number): boolean {
  const half = digits.charAt(at);
  if (half !== '5' || /[1-9]/.test(digits.slice(at + 1))) return half >= '5';
  return at > 0 && Number(digits.charAt(at - 1)) % 2 === 1;
}

/** All decimal digits of a float: every float is a whole number times a power of two. */
function exactDigits(size: number): Digits {
  const { mantissa, exponent } = binaryParts(size);
  if (exponent >= 0) {
    const digits = String(mantissa << BigInt(exponent));
    return { digits, point: digits.length };
  }
  const digits = String(mantissa * 5n ** BigInt(-exponent));
  return { digits, point: digits.length + exponent };
}

function binaryParts(size: number): { readonly mantissa: bigint; readonly exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, size);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  if (biased === 0) return { mantissa: fraction, exponent: -1074 };
  return { mantissa: fraction | (1n << 52n), exponent: biased - 1075 };
}

function formatBinary(size: number): string {
  const { mantissa, exponent } = binaryParts(size);
  return `${mantissa}p${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`;
}

function formatHex(size: number, precision: number, verb: 'x' | 'X'): string {
  let { mantissa, exponent } = binaryParts(size);
  if (mantissa === 0n) exponent = 0;
  else {
    while (mantissa < 1n << 52n) {
      mantissa <<= 1n;
      exponent -= 1;
    }
    exponent += 52;
  }
  let digits = 13;
  if (precision >= 0 && precision < 13) {
    const shift = BigInt(4 * (13 - precision));
    const rest = mantissa & ((1n << shift) - 1n);
    const half = 1n << (shift - 1n);
    mantissa >>= shift;
    if (rest > half || (rest === half && (mantissa & 1n) === 1n)) mantissa += 1n;
    digits = precision;
    if (mantissa >> BigInt(4 * digits) > 1n) {
      mantissa >>= 1n;
      exponent += 1;
    }
  }
  const lead = mantissa >> BigInt(4 * digits);
  const all = (mantissa & ((1n << BigInt(4 * digits)) - 1n)).toString(16).padStart(digits, '0');
  const fraction = digits === 0 ? '' : precision < 0 ? all.replace(/0+$/, '') : all.padEnd(precision, '0');
  const text = `0x${lead}${fraction === '' ? '' : `.${fraction}`}p${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return verb === 'X' ? text.toUpperCase() : text;
}
