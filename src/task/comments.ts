import type { SourceText } from '../model/diagnostic.ts';
import { type MappedText, MappedTextBuilder, mapWhole } from './mapped-text.ts';

/**
 * Drops every line whose first character that is not white space is `#`, as splitting at line feeds, filtering and joining
 * would. Nothing else changes: comments after other text stay, and so do carriage returns. It runs before templates and
 * YAML, so it also reaches into block scalars.
 */
export function stripComments(source: SourceText): MappedText {
  const whole = mapWhole(source);
  const { text } = source;
  const builder = new MappedTextBuilder();
  let keptFrom = 0;
  for (let start = 0; start <= text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    if (isComment(text, start, end)) {
      builder.copy(whole, keptFrom, start);
      keptFrom = end + 1;
    }
    start = end + 1;
  }
  if (keptFrom === 0) return whole;
  builder.copy(whole, keptFrom, text.length);
  const stripped = builder.build();
  // When the text ends inside a comment, the break of the last kept line separates it from nothing any more.
  const endedInComment = keptFrom > text.length;
  return endedInComment && stripped.text.endsWith('\n') ? withoutLast(stripped) : stripped;
}

function withoutLast(mapped: MappedText): MappedText {
  const builder = new MappedTextBuilder();
  builder.copy(mapped, 0, mapped.text.length - 1);
  return builder.build();
}

function isComment(text: string, start: number, end: number): boolean {
  let at = start;
  while (at < end && text.charCodeAt(at) === 0x20) at += 1;
  if (at >= end) return false;
  const unit = text.charCodeAt(at);
  if (unit === 0x23) return true;
  if (unit > 0x20 && unit < 0x80) return false;
  return LEADING_HASH.test(text.slice(at, end));
}

/** White space by Unicode's White_Space property: JavaScript's `\s` also takes U+FEFF and misses U+0085. */
const LEADING_HASH = /^\p{White_Space}*#/u;
