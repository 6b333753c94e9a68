import { byteOf, isLoneByte, isPrintable } from '../go-string.ts';

const SHORT: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/** A string as a Go constant, as strconv.Quote writes it; `ascii` escapes everything beyond ASCII too. */
export function quoteString(text: string, options: { readonly ascii?: boolean; readonly quote?: '"' | "'" } = {}): string {
  const { ascii = false, quote = '"' } = options;
  const parts: string[] = [quote];
  for (const character of text) parts.push(character === quote ? `\\${quote}` : escapeCharacter(character, ascii));
  parts.push(quote);
  return parts.join('');
}

function escapeCharacter(character: string, ascii: boolean): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (isLoneByte(code)) return `\\x${hex(byteOf(code), 2)}`;
  if (code < 0x80 ? code >= 0x20 && code < 0x7f : !ascii && isPrintable(character)) return character;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
}

/** True when a string can stand between back quotes. */
export function canBackquote(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isControl = (code < 0x20 && character !== '\t') || code === 0x7f;
    if (isControl || character === '`' || code === 0xfeff || isLoneByte(code)) return false;
  }
  return true;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, '0');
}
