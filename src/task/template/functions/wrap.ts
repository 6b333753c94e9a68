import { fromBytes, toBytes } from '../go-string.ts';
import { type CallContext, type FunctionTable, fixed } from './signature.ts';

/** Cuts a text of more than `width` bytes and marks the cut with `...`; with an offset also what is left out before it. */
function abbreviate(text: string, offset: bigint, width: bigint): string {
  const bytes = toBytes(text);
  const size = BigInt(bytes.length);
  if (size <= width) return text;
  const cut = (start: bigint, end?: bigint): string => fromBytes(bytes.slice(Number(start), end === undefined ? undefined : Number(end)));
  const room = width - 3n;
  let start = offset > size ? size : offset;
  if (size - start < room) start = size - room;
  if (start <= 4n) return `${cut(0n, room)}...`;
  if (width < 7n) return '';
  if (start + room >= size) return `...${cut(size - room)}`;
  return `...${abbreviate(cut(start), 0n, room)}`;
}

interface WrapOptions {
  readonly width: number;
  readonly separator: string;
  readonly cutLongWords: boolean;
}

/** Breaks a text at blanks into lines of at most `width` bytes; words that are longer stay whole or are cut. */
function wrap(text: string, { width, separator, cutLongWords }: WrapOptions): string {
  const bytes = toBytes(text);
  const lines: string[] = [];
  let at = 0;
  while (bytes.length - at > width) {
    if (bytes.charAt(at) === ' ') {
      at += 1;
      continue;
    }
    const blank = bytes.slice(at, at + width + 1).lastIndexOf(' ');
    const next = blank === -1 && !cutLongWords ? bytes.indexOf(' ', at + width) : -1;
    if (blank === -1 && !cutLongWords && next === -1) {
      lines.push(bytes.slice(at));
      return joined(lines, separator);
    }
    const end = blank !== -1 ? at + blank : cutLongWords ? at + width : next;
    lines.push(bytes.slice(at, end));
    at = blank === -1 && cutLongWords ? end : end + 1;
  }
  lines.push(bytes.slice(at));
  return joined(lines, separator);
}

function joined(lines: readonly string[], separator: string): string {
  return fromBytes(lines.join(separator));
}

function wrapText(context: CallContext, width: bigint, separator: string, text: string, cutLongWords: boolean): string {
  const columns = width < 1n ? 1 : Number(width);
  const break_ = toBytes(separator === '' ? '\n' : separator);
  context.budget.text(text.length * 2 + Math.ceil(text.length / columns) * break_.length);
  return text === '' ? '' : wrap(text, { width: columns, separator: break_, cutLongWords });
}

export const WRAP_FUNCTIONS: FunctionTable = {
  abbrev: fixed(['int', 'string'], (_, width, text) => (width < 4n ? text : abbreviate(text, 0n, width))),
  abbrevboth: fixed(['int', 'int', 'string'], (_, left, right, text) =>
    right < 4n || (left > 0n && right < 7n) ? text : abbreviate(text, left, right),
  ),
  wrap: fixed(['int', 'string'], (context, width, text) => wrapText(context, width, '', text, false)),
  wrapWith: fixed(['int', 'string', 'string'], (context, width, separator, text) => wrapText(context, width, separator, text, true)),
};
