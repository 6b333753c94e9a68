import type { Budget } from '../budget.ts';
import type { GoTime } from '../time/go-time.ts';
import type { Certificate, GoInt, GoList, GoMap, Value, Version } from '../value.ts';

/** The types that parameters of template functions have in Go. */
interface ArgumentTypes {
  /** `interface {}`: accepts everything, a missing value arrives as null. */
  any: Value;
  /** `reflect.Value`: accepts everything as it is. */
  value: Value;
  string: string;
  int: bigint;
  int64: bigint;
  uint32: bigint;
  duration: bigint;
  float64: number;
  bool: boolean;
  /** `map[string]interface {}` */
  map: GoMap;
  /** `[]interface {}` */
  list: GoList;
  time: GoTime;
  version: Version;
  certificate: Certificate;
}

export type ParameterType = keyof ArgumentTypes;

/** What a function may look at besides its arguments. */
export interface CallContext {
  readonly now: Date;
  readonly budget: Budget;
  /** The text of the template's first argument, for messages that show it. */
  readonly argumentText: (index: number) => string;
}

/** A function of templates with its Go signature. It throws FunctionFailure to fail the rendering. */
export interface GoFunction {
  readonly parameters: readonly ParameterType[];
  /** The element type of the variadic parameter, if there is one. */
  readonly rest: ParameterType | undefined;
  readonly call: (context: CallContext, args: readonly unknown[]) => Value;
  /** For `and` and `or`: the truth of an argument that ends the evaluation. */
  readonly shortCircuit?: boolean;
}

type Arguments<P extends readonly ParameterType[]> = { [K in keyof P]: ArgumentTypes[P[K]] };

/** A function with a fixed number of parameters. The arguments were checked against the signature before the call. */
export function fixed<const P extends readonly ParameterType[]>(
  parameters: P,
  call: (context: CallContext, ...args: Arguments<P>) => Value,
): GoFunction {
  return { parameters, rest: undefined, call: (context, args) => call(context, ...(args as Arguments<P>)) };
}

/** A function whose last parameter takes any number of arguments. */
export function variadic<const P extends readonly ParameterType[], R extends ParameterType>(
  parameters: P,
  rest: R,
  call: (context: CallContext, ...args: [...Arguments<P>, ...ArgumentTypes[R][]]) => Value,
): GoFunction {
  return { parameters, rest, call: (context, args) => call(context, ...(args as [...Arguments<P>, ...ArgumentTypes[R][]])) };
}

/** Functions by name. */
export type FunctionTable = Readonly<Record<string, GoFunction>>;

/** The Go name of a parameter's type, for messages. */
export const PARAMETER_TYPE_NAMES: Readonly<Record<ParameterType, string>> = {
  any: 'interface {}',
  value: 'reflect.Value',
  string: 'string',
  int: 'int',
  int64: 'int64',
  uint32: 'uint32',
  duration: 'time.Duration',
  float64: 'float64',
  bool: 'bool',
  map: 'map[string]interface {}',
  list: '[]interface {}',
  time: 'time.Time',
  version: '*semver.Version',
  certificate: 'sprig.certificate',
};

/** The integer type of a parameter that takes integers. */
export const INTEGER_PARAMETERS: ReadonlyMap<ParameterType, GoInt['type']> = new Map([
  ['int', 'int'],
  ['int64', 'int64'],
  ['uint32', 'uint32'],
  ['duration', 'time.Duration'],
]);
