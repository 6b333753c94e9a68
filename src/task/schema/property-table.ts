/**
 * The task language as data: one row for each property, with its type, its words and an example. Decoding, the editors'
 * schema and the reference page are all made from these rows.
 */
export interface PropertySpec {
  readonly type: PropertyType;
  /** Sentences for the reference page and for editors. */
  readonly description: string;
  /** The property and its value in YAML, indented by no blanks. */
  readonly example: string;
  /** What holds without the property, in words. */
  readonly default?: string;
  /** Lower-case values that make sense; letters' case does not count. */
  readonly choices?: readonly string[];
  /** Kinds of steps on which the property has an effect; every kind where it does not matter. */
  readonly on?: readonly StepKind[];
  /** Azure Container Registry ignores or refuses the property, or the forms that the sentence names. */
  readonly extension?: string;
}

export type StepKind = 'cmd' | 'build' | 'push';

/**
 * - `string`: any scalar, as written; null is empty.
 * - `int`: a whole number; fractions are cut off; null is 0.
 * - `seconds`: as `int`, or (extension) a duration such as `10m`. Its value is milliseconds.
 * - `bool`: YAML 1.1's words for yes and no.
 * - `strings`, `ints`: a list.
 * - `command`: a string, or (extension) a list of strings.
 * - `string-map`: a mapping from names to strings.
 * - a list of mappings or one mapping, with a table of its own.
 */
export type PropertyType =
  | 'string'
  | 'int'
  | 'seconds'
  | 'bool'
  | 'strings'
  | 'ints'
  | 'command'
  | 'string-map'
  | { readonly listOf: PropertyTable }
  | { readonly mapping: PropertyTable };

export type PropertyTable = { readonly [name: string]: PropertySpec };
