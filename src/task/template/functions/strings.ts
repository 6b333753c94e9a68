import { FunctionFailure } from '../failure.ts';
import { quoteString } from '../format/quote.ts';
import { printValue } from '../format/sprintf.ts';
import { fromBytes, isSpace, lowerRune, runes, titleRune, toBytes, upperRune } from '../go-string.ts';
import { parseClamped } from '../numbers.ts';
import { GoMap, goInt, strings, type Value } from '../value.ts';
import { toTexts } from './convert.ts';
import { type CallContext, type FunctionTable, fixed, variadic } from './signature.ts';

const BLANKS_AROUND = /^\p{White_Space}+|\p{White_Space}+$/gu;

function mapRunes(text: string, change: (character: string) => string): string {
  return [...text].map(change).join('');
}

/** Upper-cases (title case) every letter that does not follow a letter, digit or `_`. */
function title(text: string): string {
  let previous = ' ';
  return mapRunes(text, (character) => {
    const begins = isSeparator(previous);
    previous = character;
    return begins ? titleRune(character) : character;
  });
}

function isSeparator(character: string): boolean {
  if (character.charCodeAt(0) < 0x80) return !/[A-Za-z0-9_]/.test(character);
  return !/[\p{L}\p{Nd}]/u.test(character) && isSpace(character);
}

function untitle(text: string): string {
  let begins = true;
  return mapRunes(text, (character) => {
    if (isSpace(character)) begins = true;
    else if (begins) {
      begins = false;
      return lowerRune(character);
    }
    return character;
  });
}

function swapCase(text: string): string {
  let afterBlank = true;
  return mapRunes(text, (character) => {
    if (/[\p{Lu}\p{Lt}]/u.test(character)) {
      afterBlank = false;
      return lowerRune(character);
    }
    if (/\p{Ll}/u.test(character)) {
      const first = afterBlank;
      afterBlank = false;
      return first ? titleRune(character) : upperRune(character);
    }
    afterBlank = isSpace(character);
    return character;
  });
}

/** The first byte of each word, as the character of that number. */
function initials(text: string): string {
  let afterGap = true;
  const parts: string[] = [];
  for (const byte of toBytes(text)) {
    if (isSpace(byte)) afterGap = true;
    else if (afterGap) {
      parts.push(byte);
      afterGap = false;
    }
  }
  return parts.join('');
}

function trimSet(cut: string, text: string): string {
  const set = new Set(runes(cut));
  const characters = [...text];
  let start = 0;
  let end = characters.length;
  while (start < end && set.has(characters[start] ?? '')) start += 1;
  while (end > start && set.has(characters[end - 1] ?? '')) end -= 1;
  return characters.slice(start, end).join('');
}

/** Bytes from `start` to `end`; out of range is an error as for a Go slice. */
function sliceBytes(bytes: string, start: bigint, end: bigint): string {
  if (start < 0n || end > BigInt(bytes.length) || start > end) {
    throw new FunctionFailure(`runtime error: slice bounds out of range [${start}:${end}] with length ${bytes.length}`);
  }
  return fromBytes(bytes.slice(Number(start), Number(end)));
}

function substring(start: bigint, end: bigint, text: string): string {
  const bytes = toBytes(text);
  const size = BigInt(bytes.length);
  if (start < 0n) return sliceBytes(bytes, 0n, end);
  return sliceBytes(bytes, start, end < 0n || end > size ? size : end);
}

function truncate(length: bigint, text: string): string {
  const bytes = toBytes(text);
  return BigInt(bytes.length) <= length ? text : sliceBytes(bytes, 0n, length);
}

function repeat(context: CallContext, count: bigint, text: string): string {
  if (count < 0n) throw new FunctionFailure('strings: negative Repeat count');
  if (text === '') return '';
  context.budget.text(text.length * Number(count));
  return text.repeat(Number(count));
}

function replace(context: CallContext, old: string, by: string, text: string): string {
  const parts = old === '' ? ['', ...runes(text), ''] : text.split(old);
  context.budget.text(text.length + (parts.length - 1) * by.length);
  return parts.join(by);
}

function indent(context: CallContext, blanks: bigint, text: string): string {
  if (blanks < 0n) throw new FunctionFailure('strings: negative Repeat count');
  const lines = text.split('\n');
  context.budget.text(text.length + lines.length * Number(blanks));
  const margin = ' '.repeat(Number(blanks));
  return lines.map((line) => margin + line).join('\n');
}

/** strings.Split and SplitN: an empty separator splits into characters. */
export function splitText(text: string, separator: string, limit = -1): string[] {
  if (limit === 0) return [];
  const parts = separator === '' ? runes(text) : text.split(separator);
  if (limit < 0 || parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

function numbered(context: CallContext, parts: readonly string[]): GoMap {
  context.budget.step(parts.length);
  return new GoMap(new Map(parts.map((part, index) => [`_${index}`, part])), { elem: 'string' });
}

function quoteAll(context: CallContext, values: readonly Value[], quote: (text: string) => string): string {
  const present = values.filter((value) => value !== null && value !== undefined);
  return present.map((value) => quote(printValue(value, context.budget))).join(' ');
}

export const STRING_FUNCTIONS: FunctionTable = {
  hello: fixed([], () => 'Hello!'),
  trim: fixed(['string'], (_, text) => text.replaceAll(BLANKS_AROUND, '')),
  trimAll: fixed(['string', 'string'], (_, cut, text) => trimSet(cut, text)),
  trimall: fixed(['string', 'string'], (_, cut, text) => trimSet(cut, text)),
  trimSuffix: fixed(['string', 'string'], (_, suffix, text) => (text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text)),
  trimPrefix: fixed(['string', 'string'], (_, prefix, text) => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
  upper: fixed(['string'], (_, text) => mapRunes(text, upperRune)),
  lower: fixed(['string'], (_, text) => mapRunes(text, lowerRune)),
  title: fixed(['string'], (_, text) => title(text)),
  untitle: fixed(['string'], (_, text) => untitle(text)),
  swapcase: fixed(['string'], (_, text) => swapCase(text)),
  nospace: fixed(['string'], (_, text) => text.replaceAll(/\p{White_Space}+/gu, '')),
  initials: fixed(['string'], (_, text) => initials(text)),
  substr: fixed(['int', 'int', 'string'], (_, start, end, text) => substring(start, end, text)),
  trunc: fixed(['int', 'string'], (_, length, text) => truncate(length, text)),
  repeat: fixed(['int', 'string'], repeat),
  replace: fixed(['string', 'string', 'string'], replace),
  contains: fixed(['string', 'string'], (_, part, text) => text.includes(part)),
  hasPrefix: fixed(['string', 'string'], (_, prefix, text) => text.startsWith(prefix)),
  hasSuffix: fixed(['string', 'string'], (_, suffix, text) => text.endsWith(suffix)),
  quote: variadic([], 'any', (context, ...values) => quoteAll(context, values, (text) => quoteString(text))),
  squote: variadic([], 'any', (context, ...values) => quoteAll(context, values, (text) => `'${text}'`)),
  cat: variadic([], 'any', (context, ...values) => quoteAll(context, values, (text) => text)),
  indent: fixed(['int', 'string'], indent),
  nindent: fixed(['int', 'string'], (context, blanks, text) => `\n${indent(context, blanks, text)}`),
  plural: fixed(['string', 'string', 'int'], (_, one, many, count) => (count === 1n ? one : many)),
  toString: fixed(['any'], (context, value) => printValue(value, context.budget)),
  toStrings: fixed(['any'], (context, value) => strings(toTexts(value, context.budget))),
  atoi: fixed(['string'], (_, text) => goInt(parseClamped(text))),
  join: fixed(['string', 'any'], (context, separator, value) => joinTexts(context, separator, toTexts(value, context.budget))),
  split: fixed(['string', 'string'], (context, separator, text) => numbered(context, splitText(text, separator))),
  splitn: fixed(['string', 'int', 'string'], (context, separator, limit, text) =>
    numbered(context, splitText(text, separator, Number(limit))),
  ),
  splitList: fixed(['string', 'string'], (context, separator, text) => {
    const parts = splitText(text, separator);
    context.budget.step(parts.length);
    return strings(parts);
  }),
};

function joinTexts(context: CallContext, separator: string, texts: readonly string[]): string {
  context.budget.text(texts.reduce((sum, text) => sum + text.length + separator.length, 0));
  return texts.join(separator);
}
