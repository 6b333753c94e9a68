import { type MappedText, MappedTextBuilder, originOf } from '../mapped-text.ts';

interface CutText {
  /** The lines of the `alias` block; empty when there is none. */
  readonly block: MappedText;
  /** All other lines. */
  readonly rest: MappedText;
}

const BLOCK_START = /^alias\s*:/;
const TOP_LEVEL_KEY = /^[^\s:][^:]*:/;

/**
 * Takes the `alias` block out of a task text, line by line because the text is no YAML yet. The block ends at the next line
 * that looks like a top-level key. Every line ends with a line feed afterwards; carriage returns before them are gone.
 */
export function cutAliasBlock(mapped: MappedText): CutText {
  const { text } = mapped;
  const block = new MappedTextBuilder();
  const rest = new MappedTextBuilder();
  let inside = false;
  let copied = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const wasInside: boolean = inside;
    // Indented lines, nearly all of them, neither start nor end a block.
    if (text.charCodeAt(start) !== BLANK) inside = isInside(text.slice(start, end), inside);
    if (inside !== wasInside) {
      (wasInside ? block : rest).copy(mapped, copied, start);
      copied = start;
    }
    if (end > start && text.charCodeAt(end - 1) === CARRIAGE_RETURN) {
      (inside ? block : rest).copy(mapped, copied, end - 1);
      copied = end;
    }
    start = end + 1;
  }
  const last = inside ? block : rest;
  last.copy(mapped, copied, text.length);
  if (text !== '' && !text.endsWith('\n')) endLine(last, mapped);
  return { block: block.build(), rest: rest.build() };
}

const BLANK = 0x20;
const CARRIAGE_RETURN = 0x0d;

function isInside(line: string, before: boolean): boolean {
  return before ? !TOP_LEVEL_KEY.test(line) : BLOCK_START.test(line);
}

function endLine(builder: MappedTextBuilder, mapped: MappedText): void {
  const origin = originOf(mapped, mapped.text.length - 1, mapped.text.length);
  if (origin !== undefined) builder.generate('\n', origin);
}
