/**
 * Go strings are bytes. Here they are JavaScript strings in which a byte that is not part of valid UTF-8 stands as a lone
 * low surrogate (U+DC00 + byte), so that cutting a string between the bytes of a character loses nothing.
 */
const BYTE_BASE = 0xdc00;

const ONLY_ASCII = /^[\0-\x7f]*$/;
const LONE_SURROGATE = /(?<![\ud800-\udbff])[\udc00-\udfff]|[\ud800-\udbff](?![\udc00-\udfff])/;
const LONE_SURROGATES = new RegExp(LONE_SURROGATE, 'g');

/** The bytes of a string, each as one character (a "binary string"); ASCII texts come back as they are. */
export function toBytes(text: string): string {
  if (ONLY_ASCII.test(text)) return text;
  const parts: string[] = [];
  let at = 0;
  for (const match of text.matchAll(LONE_SURROGATES)) {
    if (match.index > at) parts.push(Buffer.from(text.slice(at, match.index), 'utf8').toString('latin1'));
    parts.push(bytesOfLone(match[0].charCodeAt(0)));
    at = match.index + 1;
  }
  parts.push(Buffer.from(text.slice(at), 'utf8').toString('latin1'));
  return parts.join('');
}

/** The byte that a stand-in means; a half of a surrogate pair that is none becomes U+FFFD. */
function bytesOfLone(unit: number): string {
  return isLoneByte(unit) ? String.fromCharCode(unit - BYTE_BASE) : '\xef\xbf\xbd';
}

/** The string of bytes given as characters: the inverse of `toBytes`. */
export function fromBytes(bytes: string): string {
  if (ONLY_ASCII.test(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  const text = buffer.toString('utf8');
  // Decoding puts U+FFFD in the place of broken bytes, and only then can the text differ from its source.
  if (!text.includes('\ufffd') || Buffer.from(text, 'utf8').equals(buffer)) return text;
  return decodeBroken(buffer);
}

function decodeBroken(buffer: Buffer): string {
  const parts: string[] = [];
  let valid = 0;
  let at = 0;
  while (at < buffer.length) {
    const size = sequenceLength(buffer, at);
    if (size > 0) {
      at += size;
      continue;
    }
    if (at > valid) parts.push(buffer.toString('utf8', valid, at));
    parts.push(String.fromCharCode(BYTE_BASE + (buffer[at] ?? 0)));
    at += 1;
    valid = at;
  }
  parts.push(buffer.toString('utf8', valid));
  return parts.join('');
}

/** Length of the valid UTF-8 sequence at an offset, 0 when there is none. */
function sequenceLength(buffer: Buffer, at: number): number {
  const first = buffer[at] ?? 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  // The second byte excludes longer forms than needed, surrogates and what lies beyond U+10FFFF.
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  const second = buffer[at + 1] ?? 0;
  if (second < least || second > most) return 0;
  for (let next = 2; next < size; next += 1) {
    if (((buffer[at + next] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return size;
}

/** A string for the outside: joins split characters again and puts U+FFFD for bytes that are no UTF-8. */
export function toWellFormed(text: string): string {
  return normalized(text).toWellFormed();
}

/** Joins characters whose bytes were cut apart and have come together again. */
export function normalized(text: string): string {
  return LONE_SURROGATE.test(text) ? fromBytes(toBytes(text)) : text;
}

/** Number of bytes of the UTF-8 form. */
export function byteLength(text: string): number {
  return LONE_SURROGATE.test(text) ? toBytes(text).length : Buffer.byteLength(text, 'utf8');
}

/** True for the stand-in of a byte that is no UTF-8. */
export function isLoneByte(code: number): boolean {
  return code >= BYTE_BASE + 0x80 && code <= BYTE_BASE + 0xff;
}

/** The byte that a stand-in stands for. */
export function byteOf(code: number): number {
  return code - BYTE_BASE;
}

/** Go's runes of a string: code points, U+FFFD for a byte that is no UTF-8. */
export function runes(text: string): string[] {
  return [...text].map((character) => (isLoneByte(character.codePointAt(0) ?? 0) ? '\ufffd' : character));
}

/** Number of runes. */
export function runeCount(text: string): number {
  if (ONLY_ASCII.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

const SPACE = /^\p{White_Space}$/u;

/** Go's unicode.IsSpace. */
export function isSpace(character: string): boolean {
  return SPACE.test(character);
}

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Go's unicode.IsPrint. */
export function isPrintable(character: string): boolean {
  return PRINTABLE.test(character);
}

/** Small letters with an iota below: JavaScript upper-cases them to two letters, the simple mapping to one of their own. */
const WITH_IOTA: ReadonlyMap<string, string> = new Map(
  Array.from({ length: 0x1ffd - 0x1f88 }, (_, index) => String.fromCharCode(0x1f88 + index))
    .filter((capital) => capital.toLowerCase() !== capital && !isOneRune(capital.toLowerCase().toUpperCase()))
    .map((capital): [string, string] => [capital.toLowerCase(), capital]),
);

/** Upper case of one character by the simple mapping, which never changes the number of characters. */
export function upperRune(character: string): string {
  const upper = character.toUpperCase();
  return isOneRune(upper) ? upper : (WITH_IOTA.get(character) ?? character);
}

/** Lower case of one character by the simple mapping. */
export function lowerRune(character: string): string {
  if (character === '\u0130') return 'i';
  const lower = character.toLowerCase();
  return isOneRune(lower) ? lower : character;
}

/** The letters whose title case is not their upper case. */
const TITLE: ReadonlyMap<string, string> = new Map(
  ['\u01c4\u01c5\u01c6', '\u01c7\u01c8\u01c9', '\u01ca\u01cb\u01cc', '\u01f1\u01f2\u01f3'].flatMap((three) =>
    [...three].map((one): [string, string] => [one, three.charAt(1)]),
  ),
);

/** Title case of one character by the simple mapping. */
export function titleRune(character: string): string {
  return TITLE.get(character) ?? upperRune(character);
}

function isOneRune(text: string): boolean {
  return text.length === 1 || (text.length === 2 && (text.codePointAt(0) ?? 0) > 0xffff);
}
