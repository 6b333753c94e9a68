import { TemplateFailure } from './failure.ts';
import { tokenize } from './lexer.ts';
import { describeToken, type Token } from './token.ts';

/** Go allows 10,000 parentheses; blocks and parentheses together stop here, which fits a JavaScript stack with room to spare. */
const DEEPEST = 400;

/** The tokens of a template, read one after the other, with a count of how deep the reader is nested. */
export class TokenStream {
  readonly text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.text = text;
    this.#tokens = tokenize(text);
  }

  /** The next token, blanks included. */
  take(): Token {
    const token = this.#tokens[this.#next] ?? this.#tokens.at(-1);
    if (token === undefined) throw new Error('a template has no tokens');
    if (token.type === 'error') fail(token.text, token);
    this.#next += 1;
    return token;
  }

  /** The next token that is no blank. */
  takeWord(): Token {
    let token = this.take();
    while (token.type === 'space') token = this.take();
    return token;
  }

  /** The next token as it is, left where it is. */
  peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  /** The next token that is no blank, or one further on, left where it is. */
  peekWord(skip = 0): Token | undefined {
    let left = skip;
    for (let index = this.#next; index < this.#tokens.length; index += 1) {
      const token = this.#tokens[index];
      if (token?.type === 'space') continue;
      if (left === 0) return token;
      left -= 1;
    }
    return undefined;
  }

  /** Puts the last token back. */
  back(): void {
    this.#next -= 1;
  }

  /** Takes a token of a type. @throws TemplateFailure when another one comes */
  expect(type: Token['type'], context: string): void {
    const token = this.takeWord();
    if (token.type !== type) unexpected(token, context);
  }

  /** Goes one level deeper; `leave` comes back. @throws TemplateFailure at the deepest level allowed */
  enter(at: { readonly start: number; readonly end: number }): void {
    this.#depth += 1;
    if (this.#depth > DEEPEST) fail(`blocks and parentheses are nested deeper than ${DEEPEST} levels`, at);
  }

  leave(): void {
    this.#depth -= 1;
  }
}

/** @throws TemplateFailure about a token that does not belong here */
export function unexpected(token: Token, context: string): never {
  return fail(token.type === 'eof' ? 'unexpected EOF' : `unexpected ${describeToken(token)} in ${context}`, token);
}

/** @throws TemplateFailure with the code `template-syntax` */
export function fail(message: string, at: { readonly start: number; readonly end: number }): never {
  throw new TemplateFailure('template-syntax', message, at.start, at.end);
}
