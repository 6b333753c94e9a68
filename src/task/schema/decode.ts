import { nearestName } from '../../util/nearest-name.ts';
import { isNullScalar, resolveScalar } from '../yaml/scalar.ts';
import type { YamlMapping, YamlNode, YamlScalar } from '../yaml/yaml-node.ts';
import { parseDuration } from './duration.ts';
import type { Problems } from './problems.ts';
import type { PropertyTable, PropertyType } from './property-table.ts';

/** A value and the nodes that it was read from. */
export interface Located<T> {
  readonly value: T;
  readonly key: YamlNode;
  readonly node: YamlNode;
}

export interface LocatedItem<T> {
  readonly value: T;
  readonly node: YamlNode;
}

/** A mapping that was read with a table. A property that is absent, null or of a wrong type is not there. */
export interface DecodedMapping<T extends PropertyTable> {
  readonly node: YamlMapping;
  readonly fields: { readonly [K in keyof T]?: Located<ValueOf<T[K]['type']>> };
  /** Something in it has a wrong type: what is missing may be missing for that reason. */
  readonly broken: boolean;
}

type ValueOf<T> = T extends 'string'
  ? string
  : T extends 'int' | 'seconds'
    ? number
    : T extends 'bool'
      ? boolean
      : T extends 'strings'
        ? readonly LocatedItem<string>[]
        : T extends 'ints'
          ? readonly number[]
          : T extends 'command'
            ? string | readonly string[]
            : T extends 'string-map'
              ? ReadonlyMap<string, LocatedItem<string>>
              : T extends { readonly listOf: infer L extends PropertyTable }
                ? readonly DecodedMapping<L>[]
                : T extends { readonly mapping: infer M extends PropertyTable }
                  ? DecodedMapping<M>
                  : never;

/**
 * Reads one YAML mapping with a table, as go-yaml v2 fills a struct: unknown keys are left out (with a warning), the last
 * of several equal keys wins, the files of a string map add up. Every wrong type is reported, not only the first.
 * `undefined` when the node is no mapping.
 */
export function decodeMapping<T extends PropertyTable>(
  node: YamlNode,
  table: T,
  what: string,
  problems: Problems,
): DecodedMapping<T> | undefined {
  if (node.kind !== 'mapping') {
    problems.error('type-mismatch', `${what} must be a mapping, but is ${describe(node)}.`, {
      range: node.range,
      expected: `a mapping with the keys ${listKeys(table)}`,
    });
    return undefined;
  }
  const decoder = new Decoder(problems);
  const fields = decoder.fields(node, table, what);
  return { node, fields, broken: decoder.broken } as DecodedMapping<T>;
}

/** Reads a mapping from names to strings that is a document of its own; null is an empty one. */
export function decodeStringMap(node: YamlNode, what: string, problems: Problems): ReadonlyMap<string, LocatedItem<string>> {
  return (isNull(node) ? undefined : new Decoder(problems).stringMap(node, what, undefined)) ?? new Map();
}

type Fields = Record<string, Located<unknown>>;
type UntypedMapping = { readonly node: YamlMapping; readonly fields: Fields; readonly broken: boolean };

class Decoder {
  broken = false;
  readonly #problems: Problems;

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  fields(node: YamlMapping, table: PropertyTable, what: string): Fields {
    const fields: Fields = {};
    for (const { key, value } of node.entries) {
      if (key.kind !== 'scalar') {
        this.#mismatch(key, 'A key', 'a name');
        continue;
      }
      const name = key.text;
      const spec = Object.hasOwn(table, name) ? table[name] : undefined;
      if (spec === undefined) {
        warnUnknownKey(key, table, what, this.#problems);
        continue;
      }
      const read = isNull(value) ? undefined : this.#read(name, spec.type, value, fields[name]);
      if (read !== undefined) fields[name] = { value: read, key, node: value };
      else if (fields[name] !== undefined) delete fields[name];
    }
    return fields;
  }

  #read(name: string, type: PropertyType, node: YamlNode, before: Located<unknown> | undefined): unknown {
    switch (type) {
      case 'string':
        return this.#string(node, name);
      case 'int':
        return this.#int(node, name);
      case 'seconds':
        return this.#seconds(node, name);
      case 'bool':
        return this.#bool(node, name);
      case 'strings':
        return this.#strings(node, name);
      case 'ints':
        return this.#items(node, name, 'whole numbers')?.map((item) => (isNull(item) ? 0 : (this.#int(item, name, ITEM) ?? 0)));
      case 'command':
        return node.kind === 'sequence' ? this.#strings(node, name)?.map(({ value }) => value) : this.#string(node, name);
      case 'string-map':
        return this.stringMap(node, `\`${name}\``, before?.value);
      default:
        return 'listOf' in type ? this.#mappings(node, type.listOf, name) : this.#mapping(node, type.mapping, name);
    }
  }

  #string(node: YamlNode, name: string): string | undefined {
    return node.kind === 'scalar' ? node.text : this.#mismatch(node, `\`${name}\``, 'a string');
  }

  #int(node: YamlNode, name: string, prefix = ''): number | undefined {
    const value = node.kind === 'scalar' ? wholeNumber(node) : undefined;
    return value ?? this.#mismatch(node, `${prefix}\`${name}\``, 'a whole number, without quotes');
  }

  #seconds(node: YamlNode, name: string): number | undefined {
    const whole = node.kind === 'scalar' ? wholeNumber(node) : undefined;
    if (whole !== undefined) return whole * 1000;
    return (node.kind === 'scalar' ? parseDuration(node.text) : undefined) ?? this.#mismatch(node, `\`${name}\``, SECONDS);
  }

  #bool(node: YamlNode, name: string): boolean | undefined {
    const resolved = node.kind === 'scalar' ? resolveScalar(node) : undefined;
    return resolved?.type === 'bool' ? resolved.value : this.#mismatch(node, `\`${name}\``, '`true` or `false`, without quotes');
  }

  #items(node: YamlNode, name: string, of: string): readonly YamlNode[] | undefined {
    if (node.kind === 'sequence') return node.items;
    const help = node.kind === 'scalar' ? `Write a list of one item: \`[${quoteForFlow(node.text)}]\`.` : undefined;
    return this.#mismatch(node, `\`${name}\``, `a list of ${of}`, help);
  }

  #strings(node: YamlNode, name: string): readonly LocatedItem<string>[] | undefined {
    return this.#items(node, name, 'strings')?.map((item) => this.#item(item, `\`${name}\``));
  }

  /** Null is empty; so is what has been reported as no string. */
  #item(node: YamlNode, what: string): LocatedItem<string> {
    if (node.kind !== 'scalar') this.#mismatch(node, `${ITEM}${what}`, 'a string');
    return { value: node.kind === 'scalar' && !isNullScalar(node) ? node.text : '', node };
  }

  stringMap(node: YamlNode, what: string, before: unknown): ReadonlyMap<string, LocatedItem<string>> | undefined {
    if (node.kind !== 'mapping') return this.#mismatch(node, what, 'a mapping from names to strings');
    const map = new Map<string, LocatedItem<string>>(before instanceof Map ? before : []);
    for (const { key, value } of node.entries) {
      if (key.kind === 'scalar') map.set(key.text, this.#item(value, what));
      else this.#mismatch(key, `A key of ${what}`, 'a string');
    }
    return map;
  }

  #mapping(node: YamlNode, table: PropertyTable, name: string): UntypedMapping | undefined {
    if (node.kind !== 'mapping') return this.#mismatch(node, `\`${name}\``, `a mapping with the keys ${listKeys(table)}`);
    const fields = this.fields(node, table, `\`${name}\``);
    return { node, fields, broken: this.broken };
  }

  /** Each mapping of a list has its own decoder, so that one broken item does not make its neighbours suspect. */
  #mappings(node: YamlNode, table: PropertyTable, name: string): readonly DecodedMapping<PropertyTable>[] | undefined {
    const what = `${ITEM}\`${name}\``;
    const read = this.#items(node, name, 'mappings')?.map((item) => {
      if (!isNull(item)) return decodeMapping(item, table, what, this.#problems);
      this.#problems.error('list-item-empty', `${what} is empty.`, { range: item.range, help: 'Remove the dash, or fill the item in.' });
      return undefined;
    });
    const items = read?.filter((item) => item !== undefined);
    if (items?.length !== read?.length) this.broken = true;
    return items;
  }

  #mismatch(node: YamlNode, what: string, expected: string, help?: string): undefined {
    this.broken = true;
    this.#problems.error('type-mismatch', `${what} must be ${expected}, but is ${describe(node)}.`, { range: node.range, expected, help });
    return undefined;
  }
}

const ITEM = 'An item of ';
const SECONDS = 'a whole number of seconds, without quotes, or a duration such as `10m`';

function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && isNullScalar(node);
}

/** A 64-bit integer, or a float with its fraction cut off. */
function wholeNumber(node: YamlScalar): number | undefined {
  const resolved = resolveScalar(node);
  if (resolved.type === 'int') return resolved.value <= LARGEST ? Number(resolved.value) : undefined;
  if (resolved.type === 'float') return Math.abs(resolved.value) < Number(LARGEST) ? Math.trunc(resolved.value) : undefined;
  return undefined;
}

const LARGEST = 0x7fff_ffff_ffff_ffffn;

function warnUnknownKey(key: YamlScalar, table: PropertyTable, what: string, problems: Problems): void {
  if (!problems.listsWarnings) return;
  const near = nearestName(key.text, Object.keys(table));
  problems.warn('unknown-key', `${what} has no property \`${shorten(key.text)}\`: it is ignored.`, {
    range: key.range,
    help: near === undefined ? `The properties are ${listKeys(table)}.` : `Did you mean \`${near}\`?`,
  });
}

function listKeys(table: PropertyTable): string {
  return Object.keys(table)
    .map((name) => `\`${name}\``)
    .join(', ');
}

function describe(node: YamlNode): string {
  if (node.kind === 'mapping') return 'a mapping';
  if (node.kind === 'sequence') return 'a list';
  const resolved = resolveScalar(node);
  if (resolved.type === 'null') return 'empty';
  const kind = { bool: 'the boolean', int: 'the number', float: 'the number', string: 'the text' }[resolved.type];
  return `${kind} \`${shorten(node.text)}\``;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function quoteForFlow(text: string): string {
  const short = shorten(text);
  return /^[\w./:-]*\w$/.test(short) ? short : JSON.stringify(short);
}
