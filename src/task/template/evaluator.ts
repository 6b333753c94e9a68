import { assign, assignNil, assignNumber, expectedFor, idealNumber } from './assign.ts';
import type { Budget } from './budget.ts';
import { FunctionFailure, LimitReached, TemplateFailure } from './failure.ts';
import type { CallContext, FunctionTable, GoFunction, ParameterType } from './functions/signature.ts';
import { normalized } from './go-string.ts';
import { methodOf } from './methods.ts';
import type { CommandNode, Operand, PipeNode } from './nodes.ts';
import { Certificate, GoMap, isTrue, typeOf, type Value } from './value.ts';

/** What the evaluation of pipelines needs to know. */
export interface EvaluatorOptions {
  readonly text: string;
  readonly functions: FunctionTable;
  readonly budget: Budget;
  readonly now: Date;
}

/** Offsets in the template's text. */
interface Place {
  readonly start: number;
  readonly end: number;
}

/** No value from an earlier stage of the pipeline. */
const NOTHING = Symbol('nothing');
type Final = Value | typeof NOTHING;

/** Evaluates pipelines: operands, variables, fields, methods and calls, with Go's rules of assigning arguments. */
export class Evaluator {
  readonly #options: EvaluatorOptions;
  /** The variables in scope, innermost last; who opens a scope cuts the list back at its end. */
  variables: { readonly name: string; value: Value }[] = [];

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  /** The value of a pipeline. A nil of an interface comes out as no value, as in Go. */
  pipe(pipe: PipeNode, dot: Value): Value {
    let value: Final = NOTHING;
    for (const command of pipe.commands) value = this.#command(command, dot, value) ?? undefined;
    const result = value === NOTHING ? undefined : value;
    for (const name of pipe.variables) {
      if (pipe.assign) this.setVariable(name, result, pipe);
      else this.variables.push({ name, value: result });
    }
    return result;
  }

  /** Assigns to the innermost variable of a name. */
  setVariable(name: string, value: Value, at: Place): void {
    const variable = this.variables.findLast((one) => one.name === name);
    if (variable === undefined) this.fail(at, `undefined variable: ${name}`);
    else variable.value = value;
  }

  #command(command: CommandNode, dot: Value, final: Final): Value {
    const [first, ...rest] = command.args;
    if (first === undefined) return undefined;
    switch (first.type) {
      case 'identifier':
        return this.#invoke(first.name, this.#function(first.name), { place: command, name: first, rest, dot, final });
      case 'field':
        return this.#fields(dot, first.fields, { place: first, name: first, rest, dot, final });
      case 'variable':
        if (first.fields.length > 0)
          return this.#fields(this.#variable(first.name, first), first.fields, { place: first, name: first, rest, dot, final });
        break;
      case 'chain':
        return this.#fields(this.#chainBase(first.base, dot), first.fields, { place: first, name: first, rest, dot, final });
      default:
    }
    if (rest.length > 0 || final !== NOTHING) this.fail(first, `can't give argument to non-function ${this.#source(first)}`);
    if (first.type === 'nil') this.fail(first, 'nil is not a command');
    return this.#operand(first, dot);
  }

  #chainBase(base: Operand, dot: Value): Value {
    if (base.type === 'nil') this.fail(base, 'indirection through explicit nil');
    return this.#operand(base, dot);
  }

  /** The value of an operand where no type is asked for. */
  #operand(node: Operand, dot: Value): Value {
    switch (node.type) {
      case 'bool':
      case 'string':
        return node.value;
      case 'dot':
        return dot;
      case 'nil':
        return undefined;
      case 'number':
        return this.guard(node, () => idealNumber(node));
      case 'pipe':
        return this.pipe(node, dot);
      case 'field':
        return this.#fields(dot, node.fields, noArguments(node, dot));
      case 'variable': {
        const value = this.#variable(node.name, node);
        return node.fields.length === 0 ? value : this.#fields(value, node.fields, noArguments(node, dot));
      }
      case 'chain':
        return this.#fields(this.#chainBase(node.base, dot), node.fields, noArguments(node, dot));
      default:
        return this.#invoke(node.name, this.#function(node.name), noArguments(node, dot));
    }
  }

  #variable(name: string, at: Place): Value {
    const variable = this.variables.findLast((one) => one.name === name);
    return variable === undefined ? this.fail(at, `undefined variable: ${name}`) : variable.value;
  }

  #function(name: string): GoFunction {
    const found = Object.hasOwn(this.#options.functions, name) ? this.#options.functions[name] : undefined;
    if (found === undefined) throw new Error(`the parser let an unknown function pass: ${name}`);
    return found;
  }

  /** `.A.B.C arguments`: only the last field can be a method with arguments. */
  #fields(receiver: Value, fields: readonly string[], call: Invocation): Value {
    const inner: Invocation = call.rest.length === 0 && call.final === NOTHING ? call : { ...call, rest: [], final: NOTHING };
    const last = fields.length - 1;
    let value = receiver;
    for (let index = 0; index <= last; index += 1) value = this.#field(value, fields[index] ?? '', index === last ? call : inner);
    return value;
  }

  #field(receiver: Value, field: string, call: Invocation): Value {
    if (receiver === undefined) return undefined;
    if (receiver === null) return this.fail(call.place, `nil pointer evaluating interface {}.${field}`);
    const method = methodOf(receiver, field);
    if (method !== undefined) return this.#invoke(field, method, call);
    const hasArguments = call.rest.length > 0 || call.final !== NOTHING;
    if (receiver instanceof GoMap) {
      if (hasArguments) this.fail(call.place, `${field} is not a method but has arguments`);
      return receiver.get(field);
    }
    if (receiver instanceof Certificate && (field === 'Cert' || field === 'Key')) {
      if (hasArguments) this.fail(call.place, `${field} has arguments but cannot be invoked as function`);
      return field === 'Cert' ? receiver.cert : receiver.key;
    }
    return this.fail(call.place, `can't evaluate field ${field} in type ${typeOf(receiver)}`);
  }

  #invoke(name: string, target: GoFunction, call: Invocation): Value {
    this.#checkCount(name, target, call);
    if (target.shortCircuit !== undefined) return this.#shortCircuit(target.shortCircuit, call);
    const args: unknown[] = call.rest.map((node, index) => this.#argument(node, parameterAt(target, index), call.dot));
    const { final } = call;
    if (final !== NOTHING) args.push(this.guard(call.place, () => assign(final, parameterAt(target, args.length))));
    const context: CallContext = {
      now: this.#options.now,
      budget: this.#options.budget,
      argumentText: (index) => this.#source(call.rest[index] ?? call.name),
    };
    return this.guard(call.place, () => this.#run(name, target, context, args));
  }

  #run(name: string, target: GoFunction, context: CallContext, args: readonly unknown[]): Value {
    context.budget.step();
    for (const argument of args) if (typeof argument === 'string') context.budget.text(argument.length);
    try {
      const value = target.call(context, args);
      if (typeof value !== 'string') return value;
      context.budget.text(value.length);
      return normalized(value);
    } catch (error) {
      if (error instanceof FunctionFailure) throw new FunctionFailure(`error calling ${name}: ${error.message}`);
      throw error;
    }
  }

  #checkCount(name: string, target: GoFunction, call: Invocation): void {
    const given = call.rest.length + (call.final === NOTHING ? 0 : 1);
    const wanted = target.parameters.length;
    if (target.rest === undefined ? given === wanted : given >= wanted) return;
    const least = target.rest === undefined ? '' : 'at least ';
    this.fail(call.name, `wrong number of args for ${name}: want ${least}${wanted} got ${given}`);
  }

  /** `and` and `or`: the first argument that decides, the rest is not looked at. */
  #shortCircuit(decisive: boolean, call: Invocation): Value {
    let value: Value;
    for (const node of call.rest) {
      value = this.#operand(node, call.dot);
      if (isTrue(value) === decisive) return value;
    }
    return call.final === NOTHING ? value : call.final;
  }

  #argument(node: Operand, type: ParameterType, dot: Value): unknown {
    return this.guard(node, () => {
      switch (node.type) {
        case 'nil':
          return assignNil(type);
        case 'number':
          return assignNumber(node, type);
        case 'string':
        case 'bool':
          return type === 'any' || type === 'value' || type === constantType(node) ? node.value : expectedFor(type, this.#source(node));
        default:
          return assign(this.#operand(node, dot), type);
      }
    });
  }

  #source(node: Place): string {
    return this.#options.text.slice(node.start, node.end);
  }

  /** Counts steps of work at a place. */
  step(at: Place, count = 1): void {
    try {
      this.#options.budget.step(count);
    } catch (error) {
      if (error instanceof LimitReached) this.fail(at, error.message, 'template-limit');
      throw error;
    }
  }

  /** Gives failures inside of `work` their place; those of inner nodes have one already. */
  guard<T>(at: Place, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof FunctionFailure) return this.fail(at, error.message);
      if (error instanceof LimitReached) return this.fail(at, error.message, 'template-limit');
      throw error;
    }
  }

  /** @throws the failure */
  fail(at: Place, message: string, code: TemplateFailure['code'] = 'template-failed'): never {
    throw this.failure(at, message, code);
  }

  /** A failure of the template at a place. */
  failure(at: Place, message: string, code: TemplateFailure['code'] = 'template-failed'): TemplateFailure {
    return new TemplateFailure(code, message, at.start, at.end);
  }
}

/** A call of a function or method: the nodes of its arguments and the value piped into it. */
interface Invocation {
  /** What a failure of the call points at. */
  readonly place: Place;
  /** What a wrong number of arguments points at. */
  readonly name: Place;
  readonly rest: readonly Operand[];
  readonly dot: Value;
  readonly final: Final;
}

function noArguments(node: Place, dot: Value): Invocation {
  return { place: node, name: node, rest: [], dot, final: NOTHING };
}

function constantType(node: { readonly type: 'string' | 'bool' }): ParameterType {
  return node.type;
}

function parameterAt(target: GoFunction, index: number): ParameterType {
  return target.parameters[index] ?? target.rest ?? 'any';
}
