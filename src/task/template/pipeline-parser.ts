import { readNumber } from './constants.ts';
import { unquote } from './literals.ts';
import type { CommandNode, Operand, PipeNode } from './nodes.ts';
import type { Token } from './token.ts';
import { fail, type TokenStream, unexpected } from './token-stream.ts';

/** Parses what stands inside of actions: declarations, commands, operands. */
export class PipelineParser {
  readonly #tokens: TokenStream;
  readonly #isFunction: (name: string) => boolean;
  /** The variables in scope; who opens a scope cuts the list back at its end. */
  variables: string[] = ['$'];

  constructor(tokens: TokenStream, isFunction: (name: string) => boolean) {
    this.#tokens = tokens;
    this.#isFunction = isFunction;
  }

  /** A pipeline up to and with the token that closes it. */
  pipeline(context: string, close: 'right-delimiter' | 'right-paren'): PipeNode {
    const start = this.#tokens.peekWord()?.start ?? this.#tokens.text.length;
    const { variables, assign } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#tokens.peekWord();
      if (token?.type === close) break;
      if (token === undefined || !OPERAND_STARTS.has(token.type)) unexpected(this.#tokens.takeWord(), context);
      commands.push(this.#command());
    }
    const end = this.#tokens.takeWord();
    const lastEnd = commands.at(-1)?.end ?? end.start;
    this.#checkPipeline(commands, context, end);
    return { type: 'pipe', assign, variables, commands, start, end: close === 'right-paren' ? end.end : lastEnd };
  }

  #checkPipeline(commands: readonly CommandNode[], context: string, end: Token): void {
    if (commands.length === 0) fail(`missing value for ${context}`, end);
    for (const [index, command] of commands.entries()) {
      const first = command.args[0]?.type ?? 'nil';
      if (index > 0 && CONSTANTS.has(first)) fail(`non executable command in pipeline stage ${index + 1}`, command);
    }
  }

  /** `$x :=`, `$x =`, and in a range also `$i, $x :=`. */
  #declarations(context: string): { variables: string[]; assign: boolean } {
    const variables: string[] = [];
    for (;;) {
      const variable = this.#tokens.peekWord();
      if (variable?.type !== 'variable') return { variables, assign: false };
      const after = this.#tokens.peekWord(1);
      if (after?.type === 'assign' || after?.type === 'declare') {
        this.#declare(variables, variable.text, 2);
        return { variables, assign: after.type === 'assign' };
      }
      if (after?.type !== 'char' || after.text !== ',') return { variables, assign: false };
      this.#declare(variables, variable.text, 2);
      if (context !== 'range' || variables.length > 1) fail(`too many declarations in ${context}`, variable);
      const second = this.#tokens.peekWord();
      if (second?.type !== 'variable' && second?.type !== 'right-delimiter') {
        fail('range can only initialize variables', second ?? variable);
      }
    }
  }

  #declare(variables: string[], name: string, words: number): void {
    for (let count = 0; count < words; count += 1) this.#tokens.takeWord();
    variables.push(name);
    this.variables.push(name);
  }

  #command(): CommandNode {
    const args: Operand[] = [];
    for (;;) {
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#tokens.take();
      if (token.type === 'space') continue;
      if (token.type === 'right-delimiter' || token.type === 'right-paren') this.#tokens.back();
      else if (token.type !== 'pipe') unexpected(token, 'operand');
      const [first] = args;
      if (first === undefined) return fail('empty command', token);
      return { type: 'command', args, start: first.start, end: args.at(-1)?.end ?? first.end };
    }
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    if (term === undefined || this.#tokens.peek()?.type !== 'field') return term;
    const fields: string[] = [];
    let { end } = term;
    for (let token = this.#tokens.peek(); token?.type === 'field'; token = this.#tokens.peek()) {
      fields.push(token.text.slice(1));
      end = token.end;
      this.#tokens.take();
    }
    if (term.type === 'field' || term.type === 'variable') return { ...term, fields: [...term.fields, ...fields], end };
    if (CONSTANTS.has(term.type))
      fail(`unexpected . after term ${JSON.stringify(this.#tokens.text.slice(term.start, term.end))}`, { start: term.start, end });
    return { type: 'chain', base: term, fields, start: term.start, end };
  }

  #term(): Operand | undefined {
    const token = this.#tokens.peekWord();
    if (token === undefined || !OPERAND_STARTS.has(token.type)) return undefined;
    this.#tokens.takeWord();
    const { start, end } = token;
    switch (token.type) {
      case 'identifier':
        if (!this.#isFunction(token.text)) fail(`function ${JSON.stringify(token.text)} not defined`, token);
        return { type: 'identifier', name: token.text, start, end };
      case 'dot':
      case 'nil':
        return { type: token.type, start, end };
      case 'bool':
        return { type: 'bool', value: token.text === 'true', start, end };
      case 'field':
        return { type: 'field', fields: [token.text.slice(1)], start, end };
      case 'variable':
        if (!this.variables.includes(token.text)) fail(`undefined variable ${JSON.stringify(token.text)}`, token);
        return { type: 'variable', name: token.text, fields: [], start, end };
      case 'left-paren':
        return this.#parenthesized(token);
      case 'string':
      case 'raw-string':
        return { type: 'string', value: stringValue(token), start, end };
      default: {
        const number = readNumber(token);
        return typeof number === 'string' ? fail(number, token) : number;
      }
    }
  }

  #parenthesized(open: Token): PipeNode {
    this.#tokens.enter(open);
    const pipe = this.pipeline('parenthesized pipeline', 'right-paren');
    this.#tokens.leave();
    return { ...pipe, start: open.start };
  }
}

/** The value of a string constant. @throws TemplateFailure */
export function stringValue(token: Token): string {
  return unquote(token.text) ?? fail('invalid syntax in a string constant', token);
}

const OPERAND_STARTS: ReadonlySet<Token['type']> = new Set([
  'bool',
  'char-constant',
  'complex',
  'dot',
  'field',
  'identifier',
  'left-paren',
  'nil',
  'number',
  'raw-string',
  'string',
  'variable',
] as const);

const CONSTANTS: ReadonlySet<Operand['type']> = new Set(['bool', 'dot', 'nil', 'number', 'string'] as const);
