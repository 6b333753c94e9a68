import { readNumber } from './constants.ts';
import { TemplateFailure } from './failure.ts';
import { tokenize } from './lexer.ts';
import { unquote } from './literals.ts';
import type { BranchNode, CommandNode, Node, Operand, PipeNode, TemplateSet } from './nodes.ts';
import { describeToken, type Token } from './token.ts';

/** Go allows 10,000 parentheses; blocks and parentheses together stop here, which fits a JavaScript stack with room to spare. */
const DEEPEST = 400;

type Branch = BranchNode['type'];

/** What ends a list of nodes. */
interface ListEnd {
  readonly keyword: 'end' | 'else';
  readonly token: Token;
}

/**
 * Parses a template and the ones defined in it. Any problem anywhere is fatal, as in Go, also in parts that would not run.
 * @throws TemplateFailure with the code `template-syntax`
 */
export function parseTemplate(name: string, text: string, isFunction: (name: string) => boolean): TemplateSet {
  const templates = new Map<string, readonly Node[]>();
  new Parser(text, isFunction, templates).parseFile(name);
  return templates;
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #isFunction: (name: string) => boolean;
  readonly #templates: Map<string, readonly Node[]>;
  #next = 0;
  #depth = 0;
  #ranges = 0;
  #variables: string[] = ['$'];

  constructor(text: string, isFunction: (name: string) => boolean, templates: Map<string, readonly Node[]>) {
    this.#text = text;
    this.#tokens = tokenize(text);
    this.#isFunction = isFunction;
    this.#templates = templates;
  }

  parseFile(name: string): void {
    const nodes: Node[] = [];
    for (let token = this.#take(); token.type !== 'eof'; token = this.#take()) {
      if (token.type === 'left-delimiter' && this.#peekWord()?.text === 'define') {
        this.#takeWord();
        this.#define();
        continue;
      }
      const node = this.#textOrAction(token);
      if ('keyword' in node) fail(`unexpected {{${node.keyword}}}`, node.token);
      nodes.push(node);
    }
    this.#add(name, nodes, this.#tokens.at(-1));
  }

  #define(): void {
    const name = this.#templateName('define clause');
    this.#expect('right-delimiter', 'define clause');
    this.#ownTemplate(name.value, name.token, 'define clause');
  }

  /** The body of `define` and `block`: variables and loops outside do not reach into it. */
  #ownTemplate(name: string, at: Token, context: string): void {
    const variables = this.#variables;
    const ranges = this.#ranges;
    this.#variables = ['$'];
    this.#ranges = 0;
    const { nodes, end } = this.#list(at);
    if (end.keyword !== 'end') fail(`unexpected {{else}} in ${context}`, end.token);
    this.#variables = variables;
    this.#ranges = ranges;
    this.#add(name, nodes, at);
  }

  #add(name: string, nodes: readonly Node[], at: Token | undefined): void {
    const known = this.#templates.get(name);
    if (known === undefined || this.#isEmpty(known)) {
      this.#templates.set(name, nodes);
    } else if (!this.#isEmpty(nodes)) {
      fail(`multiple definition of template ${JSON.stringify(name)}`, at ?? { start: 0, end: 0 });
    }
  }

  #isEmpty(nodes: readonly Node[]): boolean {
    return nodes.every((node) => node.type === 'text' && /^\p{White_Space}*$/u.test(this.#text.slice(node.start, node.end)));
  }

  #list(opened: { readonly start: number; readonly end: number }): { nodes: Node[]; end: ListEnd } {
    const nodes: Node[] = [];
    this.#enter(opened);
    for (let token = this.#take(); token.type !== 'eof'; token = this.#take()) {
      const node = this.#textOrAction(token);
      if ('keyword' in node) {
        this.#depth -= 1;
        return { nodes, end: node };
      }
      nodes.push(node);
    }
    return fail('unexpected EOF: an {{end}} is missing', opened);
  }

  #enter(at: { readonly start: number; readonly end: number }): void {
    this.#depth += 1;
    if (this.#depth > DEEPEST) fail(`blocks and parentheses are nested deeper than ${DEEPEST} levels`, at);
  }

  #textOrAction(token: Token): Node | ListEnd {
    if (token.type === 'text') return { type: 'text', start: token.start, end: token.end };
    if (token.type === 'left-delimiter') return this.#action();
    return unexpected(token, 'input');
  }

  #action(): Node | ListEnd {
    const token = this.#peekWord();
    if (token?.type !== 'keyword') return this.#printAction();
    this.#takeWord();
    switch (token.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(token.text, token);
      case 'template':
        return this.#templateCall(token);
      case 'block':
        return this.#block(token);
      case 'break':
      case 'continue':
        return this.#loopControl(token.text, token);
      case 'end':
        this.#expect('right-delimiter', 'end');
        return { keyword: 'end', token };
      case 'else':
        if (!this.#isChained()) this.#expect('right-delimiter', 'else');
        return { keyword: 'else', token };
      default:
        return unexpected(token, 'command');
    }
  }

  /** True when `else` is followed by `if` or `with`, which then stays to be read. */
  #isChained(): boolean {
    const next = this.#peekWord();
    return next?.type === 'keyword' && (next.text === 'if' || next.text === 'with');
  }

  #printAction(): Node {
    const pipe = this.#pipeline('command', 'right-delimiter');
    return { type: 'action', pipe, start: pipe.start, end: pipe.end };
  }

  #loopControl(keyword: 'break' | 'continue', token: Token): Node {
    this.#expect('right-delimiter', `{{${keyword}}}`);
    if (this.#ranges === 0) fail(`{{${keyword}}} outside {{range}}`, token);
    return { type: keyword, start: token.start, end: token.end };
  }

  #branch(type: Branch, token: Token): Node {
    const scope = this.#variables.length;
    const pipe = this.#pipeline(type, 'right-delimiter');
    if (type === 'range') this.#ranges += 1;
    const { nodes: list, end } = this.#list(pipe);
    if (type === 'range') this.#ranges -= 1;
    const otherwise = end.keyword === 'else' ? this.#otherwise(type, end.token) : undefined;
    this.#variables.length = scope;
    return { type, pipe, list, otherwise, start: token.start, end: pipe.end };
  }

  #otherwise(type: Branch, opened: Token): Node[] {
    const next = this.#peekWord();
    if (next?.type === 'keyword' && next.text === type && type !== 'range') {
      this.#takeWord();
      this.#enter(next);
      const node = this.#branch(type, next);
      this.#depth -= 1;
      return [node];
    }
    const { nodes, end } = this.#list(opened);
    if (end.keyword !== 'end') fail('expected end; found {{else}}', end.token);
    return nodes;
  }

  #block(token: Token): Node {
    const name = this.#templateName('block clause');
    const pipe = this.#pipeline('block clause', 'right-delimiter');
    this.#ownTemplate(name.value, name.token, 'block clause');
    return { type: 'template', name: name.value, pipe, start: token.start, end: pipe.end };
  }

  #templateCall(token: Token): Node {
    const name = this.#templateName('template clause');
    if (this.#peekWord()?.type === 'right-delimiter') {
      this.#takeWord();
      return { type: 'template', name: name.value, pipe: undefined, start: token.start, end: name.token.end };
    }
    const pipe = this.#pipeline('template clause', 'right-delimiter');
    return { type: 'template', name: name.value, pipe, start: token.start, end: pipe.end };
  }

  #templateName(context: string): { value: string; token: Token } {
    const token = this.#takeWord();
    if (token.type !== 'string' && token.type !== 'raw-string') unexpected(token, context);
    return { value: this.#stringValue(token), token };
  }

  #stringValue(token: Token): string {
    return unquote(token.text) ?? fail('invalid syntax in a string constant', token);
  }

  #pipeline(context: string, close: 'right-delimiter' | 'right-paren'): PipeNode {
    const start = this.#peekWord()?.start ?? this.#text.length;
    const { variables, assign } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#peekWord();
      if (token?.type === close) break;
      if (token === undefined || !OPERAND_STARTS.has(token.type)) unexpected(this.#takeWord(), context);
      commands.push(this.#command());
    }
    const end = this.#takeWord();
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
      const variable = this.#peekWord();
      if (variable?.type !== 'variable') return { variables, assign: false };
      const after = this.#peekWord(1);
      if (after?.type === 'assign' || after?.type === 'declare') {
        this.#declare(variables, variable.text, 2);
        return { variables, assign: after.type === 'assign' };
      }
      if (after?.type !== 'char' || after.text !== ',') return { variables, assign: false };
      this.#declare(variables, variable.text, 2);
      if (context !== 'range' || variables.length > 1) fail(`too many declarations in ${context}`, variable);
      const second = this.#peekWord();
      if (second?.type !== 'variable' && second?.type !== 'right-delimiter') {
        fail('range can only initialize variables', second ?? variable);
      }
    }
  }

  #declare(variables: string[], name: string, words: number): void {
    for (let count = 0; count < words; count += 1) this.#takeWord();
    variables.push(name);
    this.#variables.push(name);
  }

  #command(): CommandNode {
    const args: Operand[] = [];
    for (;;) {
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#take();
      if (token.type === 'space') continue;
      if (token.type === 'right-delimiter' || token.type === 'right-paren') this.#next -= 1;
      else if (token.type !== 'pipe') unexpected(token, 'operand');
      const [first] = args;
      if (first === undefined) return fail('empty command', token);
      return { type: 'command', args, start: first.start, end: args.at(-1)?.end ?? first.end };
    }
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    if (term === undefined || this.#tokens[this.#next]?.type !== 'field') return term;
    const fields: string[] = [];
    let { end } = term;
    for (let token = this.#tokens[this.#next]; token?.type === 'field'; token = this.#tokens[this.#next]) {
      fields.push(token.text.slice(1));
      end = token.end;
      this.#next += 1;
    }
    if (term.type === 'field' || term.type === 'variable') return { ...term, fields: [...term.fields, ...fields], end };
    if (CONSTANTS.has(term.type))
      fail(`unexpected . after term ${JSON.stringify(this.#text.slice(term.start, term.end))}`, { start: term.start, end });
    return { type: 'chain', base: term, fields, start: term.start, end };
  }

  #term(): Operand | undefined {
    const token = this.#peekWord();
    if (token === undefined || !OPERAND_STARTS.has(token.type)) return undefined;
    this.#takeWord();
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
        if (!this.#variables.includes(token.text)) fail(`undefined variable ${JSON.stringify(token.text)}`, token);
        return { type: 'variable', name: token.text, fields: [], start, end };
      case 'left-paren':
        return this.#parenthesized(token);
      case 'string':
      case 'raw-string':
        return { type: 'string', value: this.#stringValue(token), start, end };
      default: {
        const number = readNumber(token);
        return typeof number === 'string' ? fail(number, token) : number;
      }
    }
  }

  #parenthesized(open: Token): PipeNode {
    this.#enter(open);
    const pipe = this.#pipeline('parenthesized pipeline', 'right-paren');
    this.#depth -= 1;
    return { ...pipe, start: open.start };
  }

  /** The next token, blanks included. */
  #take(): Token {
    const token = this.#tokens[this.#next] ?? this.#tokens.at(-1);
    if (token === undefined) throw new Error('a template has no tokens');
    if (token.type === 'error') fail(token.text, token);
    this.#next += 1;
    return token;
  }

  #takeWord(): Token {
    let token = this.#take();
    while (token.type === 'space') token = this.#take();
    return token;
  }

  /** The next token that is no blank, or one further on, left where it is. */
  #peekWord(skip = 0): Token | undefined {
    let left = skip;
    for (let index = this.#next; index < this.#tokens.length; index += 1) {
      const token = this.#tokens[index];
      if (token?.type === 'space') continue;
      if (left === 0) return token;
      left -= 1;
    }
    return undefined;
  }

  #expect(type: Token['type'], context: string): void {
    const token = this.#takeWord();
    if (token.type !== type) unexpected(token, context);
  }
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

function unexpected(token: Token, context: string): never {
  return fail(token.type === 'eof' ? 'unexpected EOF' : `unexpected ${describeToken(token)} in ${context}`, token);
}

function fail(message: string, at: { readonly start: number; readonly end: number }): never {
  throw new TemplateFailure('template-syntax', message, at.start, at.end);
}
