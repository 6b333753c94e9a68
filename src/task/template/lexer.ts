import type { Token, TokenType } from './token.ts';

const LEFT = '{{';
const RIGHT = '}}';
const KEYWORDS: ReadonlySet<string> = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with']);
const SPACES = ' \t\r\n';
const ALPHANUMERIC = /[\p{L}\p{Nd}_]/u;
const ALPHANUMERICS = /[\p{L}\p{Nd}_]+/uy;
const TERMINATORS = '.,|:()';

/**
 * Splits a template into tokens by the rules of Go's text/template, up to the end (`eof`) or the first problem (`error`).
 * Text between actions is one token without what trim markers remove.
 */
export function tokenize(text: string): readonly Token[] {
  return new Lexer(text).run();
}

class Lexer {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #start = 0;
  /** Where the open action begins, for the message about one that never ends. */
  #actionStart = 0;
  #parens = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): readonly Token[] {
    while (this.#literal()) {
      if (!this.#action()) break;
    }
    return this.#tokens;
  }

  #emit(type: TokenType): true {
    this.#tokens.push({ type, text: this.#text.slice(this.#start, this.#at), start: this.#start, end: this.#at });
    this.#start = this.#at;
    return true;
  }

  #error(message: string, start = this.#start, end = Math.max(this.#at, start + 1)): false {
    this.#tokens.push({ type: 'error', text: message, start, end: Math.min(end, Math.max(start, this.#text.length)) });
    return false;
  }

  /** Text up to the next action. False at the end of the template. */
  #literal(): boolean {
    const found = this.#text.indexOf(LEFT, this.#at);
    const end = found === -1 ? this.#text.length : found;
    this.#at = found !== -1 && this.#hasLeftTrim(found + LEFT.length) ? this.#trimmedEnd(this.#start, end) : end;
    if (this.#at > this.#start) this.#emit('text');
    this.#at = end;
    this.#start = end;
    if (found !== -1) return true;
    this.#emit('eof');
    return false;
  }

  /** One action or comment, the delimiters included. False after an error. */
  #action(): boolean {
    this.#actionStart = this.#at;
    const trim = this.#hasLeftTrim(this.#at + LEFT.length) ? 2 : 0;
    if (this.#text.startsWith('/*', this.#at + LEFT.length + trim)) return this.#comment(this.#at + LEFT.length + trim);
    this.#at += LEFT.length;
    this.#emit('left-delimiter');
    this.#at += trim;
    this.#start = this.#at;
    this.#parens = 0;
    for (;;) {
      const delimiter = this.#rightDelimiter(this.#at);
      if (delimiter !== undefined) {
        if (this.#parens > 0) return this.#error('unclosed left paren');
        this.#close(delimiter);
        return true;
      }
      if (!this.#inside()) return false;
    }
  }

  #comment(at: number): boolean {
    const end = this.#text.indexOf('*/', at + 2);
    if (end === -1) return this.#error('unclosed comment', this.#actionStart, at + 2);
    const delimiter = this.#rightDelimiter(end + 2);
    if (delimiter === undefined) return this.#error('comment ends before closing delimiter', this.#actionStart, end + 2);
    this.#at = end + 2;
    this.#skipDelimiter(delimiter);
    return true;
  }

  #close(delimiter: 'plain' | 'trim'): void {
    if (delimiter === 'trim') this.#at += 2;
    this.#start = this.#at;
    this.#at += RIGHT.length;
    this.#emit('right-delimiter');
    if (delimiter === 'trim') this.#skipSpaces();
    this.#start = this.#at;
  }

  #skipDelimiter(delimiter: 'plain' | 'trim'): void {
    this.#at += (delimiter === 'trim' ? 2 : 0) + RIGHT.length;
    if (delimiter === 'trim') this.#skipSpaces();
    this.#start = this.#at;
  }

  #skipSpaces(): void {
    while (this.#at < this.#text.length && SPACES.includes(this.#text.charAt(this.#at))) this.#at += 1;
  }

  #trimmedEnd(start: number, end: number): number {
    let at = end;
    while (at > start && SPACES.includes(this.#text.charAt(at - 1))) at -= 1;
    return at;
  }

  #hasLeftTrim(at: number): boolean {
    return this.#text.charAt(at) === '-' && isBlank(this.#text.charAt(at + 1));
  }

  #rightDelimiter(at: number): 'plain' | 'trim' | undefined {
    if (isBlank(this.#text.charAt(at)) && this.#text.startsWith(`-${RIGHT}`, at + 1)) return 'trim';
    return this.#text.startsWith(RIGHT, at) ? 'plain' : undefined;
  }

  /** One token inside an action. */
  #inside(): boolean {
    const character = this.#peek();
    if (character === '') return this.#error('unclosed action', this.#actionStart, this.#actionStart + LEFT.length);
    if (isBlank(character)) return this.#space();
    if (/[0-9+-]/.test(character)) return this.#number();
    if (character === '.') return /[0-9]/.test(this.#text.charAt(this.#at + 1)) ? this.#number() : this.#fieldOrVariable('field');
    if (character === '$') return this.#fieldOrVariable('variable');
    if (ALPHANUMERIC.test(character)) return this.#identifier();
    this.#at += character.length;
    switch (character) {
      case '"':
        return this.#quoted('"', 'string', 'quoted string');
      case "'":
        return this.#quoted("'", 'char-constant', 'character constant');
      case '`':
        return this.#rawQuoted();
      case '=':
        return this.#emit('assign');
      case '|':
        return this.#emit('pipe');
      case ':':
        if (this.#peek() !== '=') return this.#error('expected :=');
        this.#at += 1;
        return this.#emit('declare');
      case '(':
        this.#parens += 1;
        return this.#emit('left-paren');
      case ')':
        this.#parens -= 1;
        return this.#parens < 0 ? this.#error(`unexpected right paren ${describe(')')}`) : this.#emit('right-paren');
      default:
        return /^[\x20-\x7e]$/.test(character)
          ? this.#emit('char')
          : this.#error(`unrecognized character in action: ${describe(character)}`);
    }
  }

  #peek(): string {
    const code = this.#text.codePointAt(this.#at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  /** A run of blanks, without the one that belongs to a trim marker. */
  #space(): boolean {
    this.#skipSpaces();
    if (this.#rightDelimiter(this.#at - 1) === 'trim') {
      this.#at -= 1;
      if (this.#at === this.#start) return true;
    }
    return this.#emit('space');
  }

  #identifier(): boolean {
    this.#alphanumerics();
    if (!this.#atTerminator()) return this.#badCharacter();
    const word = this.#text.slice(this.#start, this.#at);
    if (KEYWORDS.has(word)) return this.#emit('keyword');
    if (word === 'nil') return this.#emit('nil');
    return this.#emit(word === 'true' || word === 'false' ? 'bool' : 'identifier');
  }

  #fieldOrVariable(type: 'field' | 'variable'): boolean {
    this.#at += 1;
    if (this.#atTerminator()) return this.#emit(type === 'field' ? 'dot' : 'variable');
    this.#alphanumerics();
    return this.#atTerminator() ? this.#emit(type) : this.#badCharacter();
  }

  #badCharacter(): false {
    return this.#error(`bad character ${describe(this.#peek())}`, this.#at, this.#at + this.#peek().length);
  }

  #alphanumerics(): void {
    ALPHANUMERICS.lastIndex = this.#at;
    if (ALPHANUMERICS.test(this.#text)) this.#at = ALPHANUMERICS.lastIndex;
  }

  #atTerminator(): boolean {
    const next = this.#peek();
    return next === '' || isBlank(next) || TERMINATORS.includes(next) || this.#text.startsWith(RIGHT, this.#at);
  }

  #quoted(quote: string, type: 'string' | 'char-constant', name: string): boolean {
    for (;;) {
      const next = this.#text.charAt(this.#at);
      const escaped = next === '\\' ? this.#text.charAt(this.#at + 1) : undefined;
      if (next === '' || next === '\n' || escaped === '' || escaped === '\n') return this.#error(`unterminated ${name}`);
      this.#at += escaped === undefined ? 1 : 2;
      if (next === quote) return this.#emit(type);
    }
  }

  #rawQuoted(): boolean {
    const end = this.#text.indexOf('`', this.#at);
    if (end === -1) return this.#error('unterminated raw quoted string');
    this.#at = end + 1;
    return this.#emit('raw-string');
  }

  #number(): boolean {
    if (!this.#scanNumber()) return this.#badNumber();
    if (!/[+-]/.test(this.#peek())) return this.#emit('number');
    if (!this.#scanNumber() || this.#text.charAt(this.#at - 1) !== 'i') return this.#badNumber();
    return this.#emit('complex');
  }

  #badNumber(): false {
    return this.#error(`bad number syntax: ${JSON.stringify(this.#text.slice(this.#start, this.#at))}`);
  }

  /** The look of a number; whether it is one is decided when it is read. */
  #scanNumber(): boolean {
    NUMBER_LOOK.lastIndex = this.#at;
    this.#at += NUMBER_LOOK.exec(this.#text)?.[0].length ?? 0;
    const next = this.#peek();
    if (next === '' || !ALPHANUMERIC.test(next)) return true;
    this.#at += next.length;
    return false;
  }
}

const NUMBER_LOOK =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;

function isBlank(character: string): boolean {
  return character !== '' && SPACES.includes(character);
}

function describe(character: string): string {
  if (character === '') return 'end of text';
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `U+${code} '${character}'`;
}
