import { fromBytes, toBytes } from './go-string.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\'"]))|([^\\])/suy;

/** The value of a quoted (`"` or a back quote) Go string constant; undefined when Go's syntax does not allow it. */
export function unquote(literal: string): string | undefined {
  const body = literal.slice(1, -1);
  if (literal.startsWith('`')) return body.replaceAll('\r', '');
  const bytes: string[] = [];
  for (let at = 0; at < body.length; ) {
    const piece = readCharacter(body, at, '"');
    if (piece === undefined) return undefined;
    bytes.push(piece.raw ? String.fromCharCode(piece.code) : toBytes(String.fromCodePoint(piece.code)));
    at = piece.end;
  }
  return fromBytes(bytes.join(''));
}

/** The code point of a character constant such as 'a'. */
export function unquoteCharacter(literal: string): number | undefined {
  const piece = readCharacter(literal.slice(1, -1), 0, "'");
  return piece !== undefined && piece.end === literal.length - 2 ? piece.code : undefined;
}

interface Character {
  readonly code: number;
  /** True when the code is a byte, not a code point. */
  readonly raw: boolean;
  readonly end: number;
}

function readCharacter(body: string, at: number, quote: string): Character | undefined {
  ESCAPE.lastIndex = at;
  const match = ESCAPE.exec(body);
  if (match === null) return undefined;
  const end = ESCAPE.lastIndex;
  const [, hex, short, long, octal, letter, plain] = match;
  if (plain !== undefined) return plain === quote ? undefined : { code: plain.codePointAt(0) ?? 0, raw: false, end };
  if (hex !== undefined) return { code: Number.parseInt(hex, 16), raw: true, end };
  if (octal !== undefined) {
    const code = Number.parseInt(octal, 8);
    return code > 255 ? undefined : { code, raw: true, end };
  }
  if (letter !== undefined) return readLetter(letter, quote, end);
  const code = Number.parseInt(short ?? long ?? '', 16);
  return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? undefined : { code, raw: false, end };
}

function readLetter(letter: string, quote: string, end: number): Character | undefined {
  if (letter === "'" || letter === '"') return letter === quote ? { code: letter.charCodeAt(0), raw: false, end } : undefined;
  return { code: (ESCAPES[letter] ?? '').charCodeAt(0), raw: false, end };
}
