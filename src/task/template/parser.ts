import type { BranchNode, Node, TemplateSet } from './nodes.ts';
import { PipelineParser, stringValue } from './pipeline-parser.ts';
import type { Token } from './token.ts';
import { fail, TokenStream, unexpected } from './token-stream.ts';

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
  readonly #tokens: TokenStream;
  readonly #pipelines: PipelineParser;
  readonly #templates: Map<string, readonly Node[]>;
  #ranges = 0;

  constructor(text: string, isFunction: (name: string) => boolean, templates: Map<string, readonly Node[]>) {
    this.#tokens = new TokenStream(text);
    this.#pipelines = new PipelineParser(this.#tokens, isFunction);
    this.#templates = templates;
  }

  parseFile(name: string): void {
    const nodes: Node[] = [];
    for (let token = this.#tokens.take(); token.type !== 'eof'; token = this.#tokens.take()) {
      if (token.type === 'left-delimiter' && this.#tokens.peekWord()?.text === 'define') {
        this.#tokens.takeWord();
        this.#define();
        continue;
      }
      const node = this.#textOrAction(token);
      if ('keyword' in node) fail(`unexpected {{${node.keyword}}}`, node.token);
      nodes.push(node);
    }
    this.#add(name, nodes, { start: 0, end: 0 });
  }

  #define(): void {
    const name = this.#templateName('define clause');
    this.#tokens.expect('right-delimiter', 'define clause');
    this.#ownTemplate(name.value, name.token, 'define clause');
  }

  /** The body of `define` and `block`: variables and loops outside do not reach into it. */
  #ownTemplate(name: string, at: Token, context: string): void {
    const variables = this.#pipelines.variables;
    const ranges = this.#ranges;
    this.#pipelines.variables = ['$'];
    this.#ranges = 0;
    const { nodes, end } = this.#list(at);
    if (end.keyword !== 'end') fail(`unexpected {{else}} in ${context}`, end.token);
    this.#pipelines.variables = variables;
    this.#ranges = ranges;
    this.#add(name, nodes, at);
  }

  #add(name: string, nodes: readonly Node[], at: { readonly start: number; readonly end: number }): void {
    const known = this.#templates.get(name);
    if (known === undefined || this.#isEmpty(known)) {
      this.#templates.set(name, nodes);
    } else if (!this.#isEmpty(nodes)) {
      fail(`multiple definition of template ${JSON.stringify(name)}`, at);
    }
  }

  #isEmpty(nodes: readonly Node[]): boolean {
    return nodes.every((node) => node.type === 'text' && /^\p{White_Space}*$/u.test(this.#tokens.text.slice(node.start, node.end)));
  }

  #list(opened: { readonly start: number; readonly end: number }): { nodes: Node[]; end: ListEnd } {
    const nodes: Node[] = [];
    this.#tokens.enter(opened);
    for (let token = this.#tokens.take(); token.type !== 'eof'; token = this.#tokens.take()) {
      const node = this.#textOrAction(token);
      if ('keyword' in node) {
        this.#tokens.leave();
        return { nodes, end: node };
      }
      nodes.push(node);
    }
    return fail('unexpected EOF: an {{end}} is missing', opened);
  }

  #textOrAction(token: Token): Node | ListEnd {
    if (token.type === 'text') return { type: 'text', start: token.start, end: token.end };
    if (token.type === 'left-delimiter') return this.#action();
    return unexpected(token, 'input');
  }

  #action(): Node | ListEnd {
    const token = this.#tokens.peekWord();
    if (token?.type !== 'keyword') return this.#printAction();
    this.#tokens.takeWord();
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
        this.#tokens.expect('right-delimiter', 'end');
        return { keyword: 'end', token };
      case 'else':
        if (!this.#isChained()) this.#tokens.expect('right-delimiter', 'else');
        return { keyword: 'else', token };
      default:
        return unexpected(token, 'command');
    }
  }

  /** True when `else` is followed by `if` or `with`, which then stays to be read. */
  #isChained(): boolean {
    const next = this.#tokens.peekWord();
    return next?.type === 'keyword' && (next.text === 'if' || next.text === 'with');
  }

  #printAction(): Node {
    const pipe = this.#pipelines.pipeline('command', 'right-delimiter');
    return { type: 'action', pipe, start: pipe.start, end: pipe.end };
  }

  #loopControl(keyword: 'break' | 'continue', token: Token): Node {
    this.#tokens.expect('right-delimiter', `{{${keyword}}}`);
    if (this.#ranges === 0) fail(`{{${keyword}}} outside {{range}}`, token);
    return { type: keyword, start: token.start, end: token.end };
  }

  #branch(type: Branch, token: Token): Node {
    const scope = this.#pipelines.variables.length;
    const pipe = this.#pipelines.pipeline(type, 'right-delimiter');
    if (type === 'range') this.#ranges += 1;
    const { nodes: list, end } = this.#list(pipe);
    if (type === 'range') this.#ranges -= 1;
    const otherwise = end.keyword === 'else' ? this.#otherwise(type, end.token) : undefined;
    this.#pipelines.variables.length = scope;
    return { type, pipe, list, otherwise, start: token.start, end: pipe.end };
  }

  #otherwise(type: Branch, opened: Token): Node[] {
    const next = this.#tokens.peekWord();
    if (next?.type === 'keyword' && next.text === type && type !== 'range') {
      this.#tokens.takeWord();
      this.#tokens.enter(next);
      const node = this.#branch(type, next);
      this.#tokens.leave();
      return [node];
    }
    const { nodes, end } = this.#list(opened);
    if (end.keyword !== 'end') fail('expected end; found {{else}}', end.token);
    return nodes;
  }

  #block(token: Token): Node {
    const name = this.#templateName('block clause');
    const pipe = this.#pipelines.pipeline('block clause', 'right-delimiter');
    this.#ownTemplate(name.value, name.token, 'block clause');
    return { type: 'template', name: name.value, pipe, start: token.start, end: pipe.end };
  }

  #templateCall(token: Token): Node {
    const name = this.#templateName('template clause');
    if (this.#tokens.peekWord()?.type === 'right-delimiter') {
      this.#tokens.takeWord();
      return { type: 'template', name: name.value, pipe: undefined, start: token.start, end: name.token.end };
    }
    const pipe = this.#pipelines.pipeline('template clause', 'right-delimiter');
    return { type: 'template', name: name.value, pipe, start: token.start, end: pipe.end };
  }

  #templateName(context: string): { value: string; token: Token } {
    const token = this.#tokens.takeWord();
    if (token.type !== 'string' && token.type !== 'raw-string') unexpected(token, context);
    return { value: stringValue(token), token };
  }
}
