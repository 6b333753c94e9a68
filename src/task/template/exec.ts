import { Evaluator, type EvaluatorOptions } from './evaluator.ts';
import { printValue } from './format/sprintf.ts';
import type { BranchNode, Node, PipeNode, TemplateCallNode, TemplateSet } from './nodes.ts';
import { GoInt, GoList, GoMap, goInt, isTrue, type Value } from './value.ts';

/** Receives the output: text copied from the template, and text that a node made. */
export interface OutputSink {
  copy(start: number, end: number): void;
  generate(text: string, start: number, end: number): void;
}

export interface ExecOptions extends EvaluatorOptions {
  readonly templates: TemplateSet;
  readonly sink: OutputSink;
}

/**
 * Runs the template of a name with `data` as dot.
 * @throws TemplateFailure with the codes `template-failed` and `template-limit`
 */
export function execute(name: string, data: Value, options: ExecOptions): void {
  new Executor(options).run(name, data);
}

/** Blocks and templates together; what a JavaScript stack holds with room to spare. */
const DEEPEST = 1200;

/** How a list of nodes ended. */
type Flow = 'on' | 'break' | 'continue';

class Executor {
  readonly #options: ExecOptions;
  readonly #evaluator: Evaluator;
  #depth = 0;
  /** Lists of nodes running inside each other. */
  #nesting = 0;

  constructor(options: ExecOptions) {
    this.#options = options;
    this.#evaluator = new Evaluator(options);
  }

  run(name: string, data: Value): void {
    this.#evaluator.variables = [{ name: '$', value: data }];
    this.#list(this.#options.templates.get(name) ?? [], data);
  }

  #list(nodes: readonly Node[], dot: Value): Flow {
    this.#nesting += 1;
    for (const node of nodes) {
      if (this.#nesting > DEEPEST)
        this.#evaluator.fail(node, `templates and blocks run inside each other deeper than ${DEEPEST} levels`, 'template-limit');
      const flow = this.#node(node, dot);
      if (flow === 'on') continue;
      this.#nesting -= 1;
      return flow;
    }
    this.#nesting -= 1;
    return 'on';
  }

  #node(node: Node, dot: Value): Flow {
    this.#evaluator.step(node);
    switch (node.type) {
      case 'text':
        this.#options.sink.copy(node.start, node.end);
        return 'on';
      case 'action':
        this.#print(node.pipe, dot);
        return 'on';
      case 'template':
        this.#call(node, dot);
        return 'on';
      case 'range':
        return this.#range(node, dot);
      case 'if':
      case 'with':
        return this.#ifOrWith(node, dot);
      default:
        return node.type;
    }
  }

  #print(pipe: PipeNode, dot: Value): void {
    const value = this.#evaluator.pipe(pipe, dot);
    if (pipe.variables.length > 0) return;
    this.#evaluator.guard(pipe, () => {
      const text = value === undefined ? '<no value>' : printValue(value, this.#options.budget);
      this.#options.sink.generate(text, pipe.start, pipe.end);
    });
  }

  #ifOrWith(node: BranchNode, dot: Value): Flow {
    const mark = this.#evaluator.variables.length;
    const value = this.#evaluator.pipe(node.pipe, dot);
    const inner = node.type === 'with' ? value : dot;
    const flow = isTrue(value) ? this.#list(node.list, inner) : this.#list(node.otherwise ?? [], dot);
    this.#evaluator.variables.length = mark;
    return flow;
  }

  #range(node: BranchNode, dot: Value): Flow {
    const mark = this.#evaluator.variables.length;
    const value = this.#evaluator.pipe(node.pipe, dot);
    const inner = this.#evaluator.variables.length;
    let count = 0;
    let flow: Flow = 'on';
    for (const [index, element] of this.#elements(node, value)) {
      count += 1;
      this.#evaluator.step(node.pipe);
      this.#setRangeVariables(node.pipe, index, element);
      flow = this.#list(node.list, element);
      this.#evaluator.variables.length = inner;
      if (flow === 'break') break;
    }
    const after = count === 0 ? this.#list(node.otherwise ?? [], dot) : 'on';
    this.#evaluator.variables.length = mark;
    return after;
  }

  #setRangeVariables(pipe: PipeNode, index: Value, element: Value): void {
    const [first, second] = pipe.variables;
    if (first === undefined) return;
    if (second !== undefined) {
      this.#setRangeVariable(pipe, first, 2, index);
      this.#setRangeVariable(pipe, second, 1, element);
    } else {
      this.#setRangeVariable(pipe, first, 1, element);
    }
  }

  /** `:=` made the variables anew on top of the stack, `=` sets those of an outer scope. */
  #setRangeVariable(pipe: PipeNode, name: string, fromTop: number, value: Value): void {
    if (pipe.assign) {
      this.#evaluator.setVariable(name, value, pipe);
      return;
    }
    const variable = this.#evaluator.variables[this.#evaluator.variables.length - fromTop];
    if (variable !== undefined) variable.value = value;
  }

  *#elements(node: BranchNode, value: Value): Generator<readonly [Value, Value]> {
    if (value === undefined || value === null) return;
    if (value instanceof GoInt) {
      if (node.pipe.variables.length > 1)
        this.#evaluator.fail(node.pipe, `can't use ${value.value} to iterate over more than one variable`);
      for (let count = 0n; count < value.value; count += 1n) {
        const number = new GoInt(value.type, count);
        yield [number, number];
      }
    } else if (value instanceof GoList) {
      for (const [index, item] of value.items.entries()) yield [goInt(index), item];
    } else if (value instanceof GoMap) {
      this.#evaluator.step(node.pipe, value.entries.size);
      for (const key of value.sortedKeys()) yield [key, value.get(key)];
    } else {
      this.#evaluator.fail(node.pipe, `range can't iterate over ${printValue(value, this.#options.budget)}`);
    }
  }

  #call(node: TemplateCallNode, dot: Value): void {
    const nodes = this.#options.templates.get(node.name);
    if (nodes === undefined) throw this.#evaluator.failure(node, `template ${JSON.stringify(node.name)} not defined`);
    const { depth } = this.#options.budget.limits;
    if (this.#depth >= depth) this.#evaluator.fail(node, `exceeded maximum template depth (${depth})`, 'template-limit');
    const inner = node.pipe === undefined ? undefined : this.#evaluator.pipe(node.pipe, dot);
    const outer = this.#evaluator.variables;
    this.#evaluator.variables = [{ name: '$', value: inner }];
    this.#depth += 1;
    this.#list(nodes, inner);
    this.#depth -= 1;
    this.#evaluator.variables = outer;
  }
}
