import { FunctionFailure } from '../failure.ts';
import { printValue } from '../format/sprintf.ts';
import { fromBytes, toBytes } from '../go-string.ts';
import { NotJson, writeJson } from '../json.ts';
import type { Value } from '../value.ts';
import { type CallContext, type FunctionTable, fixed } from './signature.ts';

/** Decodes base64 of the standard alphabet with padding, line breaks ignored; the offset of the bad byte when it is none. */
function decodeBase64(text: string): { readonly bytes: string } | { readonly badAt: number } {
  const source = toBytes(text);
  const whole = /^[A-Za-z0-9+/]*={0,2}$/.test(source) && source.length % 4 === 0;
  if (whole) return { bytes: Buffer.from(source, 'base64').toString('latin1') };
  let digits = '';
  let padding = 0;
  for (let at = 0; at < source.length; at += 1) {
    const byte = source.charAt(at);
    if (byte === '\n' || byte === '\r') continue;
    const isDigit = /[A-Za-z0-9+/]/.test(byte);
    if (padding > 0 && isDigit && (digits.length + padding) % 4 !== 0) return { badAt: at - 1 };
    if (padding > 0 || !isDigit) {
      const place = digits.length % 4;
      if (byte !== '=' || place < 2 || padding >= 4 - place) return { badAt: at };
      padding += 1;
    } else {
      digits += byte;
    }
  }
  if (padding === 0 && digits.length % 4 !== 0) return { badAt: source.length - (digits.length % 4) };
  if ((digits.length + padding) % 4 !== 0) return { badAt: source.length };
  return { bytes: Buffer.from(digits, 'base64').toString('latin1') };
}

/** The bytes of standard base64, as a binary string. @throws FunctionFailure */
export function base64Bytes(text: string): string {
  const decoded = decodeBase64(text);
  if ('badAt' in decoded) throw new FunctionFailure(`illegal base64 data at input byte ${decoded.badAt}`);
  return decoded.bytes;
}

export function encodeBase64(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('base64');
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function encodeBase32(text: string): string {
  let bits = 0;
  let value = 0;
  const digits: string[] = [];
  for (const byte of toBytes(text)) {
    value = (value << 8) | byte.charCodeAt(0);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      digits.push(BASE32.charAt((value >> bits) & 31));
    }
    value &= (1 << bits) - 1;
  }
  if (bits > 0) digits.push(BASE32.charAt((value << (5 - bits)) & 31));
  while (digits.length % 8 !== 0) digits.push('=');
  return digits.join('');
}

/** Decoded base32, or the text of the error, as sprig gives it. */
function decodeBase32(text: string): string {
  const source = toBytes(text).replaceAll(/[\r\n]/g, '');
  const digits = /^[A-Z2-7]*/.exec(source)?.[0] ?? '';
  const padding = source.slice(digits.length);
  const bad = badBase32(digits.length, padding);
  if (bad !== undefined) return `illegal base32 data at input byte ${bad}`;
  let bits = 0;
  let value = 0;
  const bytes: string[] = [];
  for (const digit of digits) {
    value = (value << 5) | BASE32.indexOf(digit);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push(String.fromCharCode((value >> bits) & 255));
      value &= (1 << bits) - 1;
    }
  }
  return fromBytes(bytes.join(''));
}

/** Where base32 is wrong: only some numbers of digits can end a text, and padding fills up to eight. */
function badBase32(digits: number, tail: string): number | undefined {
  const last = digits % 8;
  if (tail === '') return last === 0 ? undefined : digits - last;
  const size = digits + tail.length;
  if (!tail.startsWith('=') || last < 2 || tail.length > 8) return digits;
  if (last + tail.length < 8) return size;
  const signs = /^=*/.exec(tail.slice(0, 8 - last))?.[0].length ?? 0;
  if (signs < 8 - last) return digits + signs - 1;
  return last === 3 || last === 6 ? digits : undefined;
}

function encodeAny(context: CallContext, value: Value): string {
  return value === null || value === undefined ? '' : encodeBase64(toBytes(printValue(value, context.budget)));
}

function json(context: CallContext, value: Value, indent: string): string {
  try {
    return writeJson(value, context.budget, indent);
  } catch (error) {
    if (error instanceof NotJson) return '';
    throw error;
  }
}

export const ENCODING_FUNCTIONS: FunctionTable = {
  b64enc: fixed(['any'], encodeAny),
  b64dec: fixed(['string'], (_, text) => {
    const decoded = decodeBase64(text);
    return 'badAt' in decoded ? `illegal base64 data at input byte ${decoded.badAt}` : fromBytes(decoded.bytes);
  }),
  b32enc: fixed(['string'], (_, text) => encodeBase32(text)),
  b32dec: fixed(['string'], (_, text) => decodeBase32(text)),
  toJson: fixed(['any'], (context, value) => json(context, value, '')),
  toPrettyJson: fixed(['any'], (context, value) => json(context, value, '  ')),
};
