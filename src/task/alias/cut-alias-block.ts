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
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const lineEnd = end > start && text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end;
    const line = isIndented(text, start) ? '' : text.slice(start, lineEnd);
    if (inside) inside = !TOP_LEVEL_KEY.test(line);
    else inside = BLOCK_START.test(line);
    appendLine(inside ? block : rest, mapped, start, lineEnd, newline);
    start = end + 1;
  }
  return { block: block.build(), rest: rest.build() };
}

const CARRIAGE_RETURN = 0x0d;

function isIndented(text: string, start: number): boolean {
  return text.charCodeAt(start) === 0x20;
}

function appendLine(builder: MappedTextBuilder, mapped: MappedText, start: number, lineEnd: number, newline: number): void {
  builder.copy(mapped, start, lineEnd);
  if (newline !== -1) {
    builder.copy(mapped, newline, newline + 1);
    return;
  }
  const origin = originOf(mapped, Math.max(0, lineEnd - 1), lineEnd);
  if (origin !== undefined) builder.generate('\n', origin);
}
