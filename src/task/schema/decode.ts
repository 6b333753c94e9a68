import { nearestName } from '../../util/nearest-name.ts';
import { resolveScalar } from '../yaml/scalar.ts';
import type { YamlMapping, YamlNode, YamlScalar } from '../yaml/yaml-node.ts';
import { parseDuration } from './duration.ts';
import type { Problems } from './problems.ts';
import type { PropertySpec, PropertyTable, PropertyType } from './property-table.ts';

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

/** Called for each property that was read, known or not. */
export interface DecodeObserver {
  property?(name: string, spec: PropertySpec, key: YamlNode, node: YamlNode): void;
}

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
  observer: DecodeObserver = {},
): DecodedMapping<T> | undefined {
  if (node.kind !== 'mapping') {
    problems.error('type-mismatch', `${what} must be a mapping, but is ${describe(node)}.`, {
      range: node.range,
      expected: `a mapping with the keys ${listKeys(table)}`,
    });
    return undefined;
  }
  const decoder = new Decoder(problems, observer);
  const fields = decoder.fields(node, table, what);
  return { node, fields, broken: decoder.broken } as DecodedMapping<T>;
}

/** Reads a mapping from names to strings that is a document of its own; null is an empty one. */
export function decodeStringMap(node: YamlNode, what: string, problems: Problems): ReadonlyMap<string, LocatedItem<string>> {
  return (isNull(node) ? undefined : new Decoder(problems, {}).stringMap(node, what, undefined)) ?? new Map();
}

type Fields = Record<string, Located<unknown>>;
type UntypedMapping = { readonly node: YamlMapping; readonly fields: Fields; readonly broken: boolean };

class Decoder {
  broken = false;
  readonly #problems: Problems;
  readonly #observer: DecodeObserver;

  constructor(problems: Problems, observer: DecodeObserver) {
    this.#problems = problems;
    this.#observer = observer;
  }

  fields(node: YamlMapping, table: PropertyTable, what: string): Fields {
    const fields: Fields = {};
    for (const { key, value } of node.entries) {
      if (key.kind !== 'scalar') {
        this.#mismatch(key, 'A key', 'a name');
        continue;
      }
      const spec = Object.hasOwn(table, key.text) ? table[key.text] : undefined;
      if (spec === undefined) {
        warnUnknownKey(key, table, what, this.#problems);
        continue;
      }
      this.#observer.property?.(key.text, spec, key, value);
      const read = this.#read(key.text, spec.type, value, fields[key.text]);
      if (read === undefined) delete fields[key.text];
      else fields[key.text] = { value: read, key, node: value };
    }
    return fields;
  }

  #read(name: string, type: PropertyType, node: YamlNode, before: Located<unknown> | undefined): unknown {
    if (isNull(node)) return undefined;
    const what = `\`${name}\``;
    switch (type) {
      case 'string':
        return this.#string(node, what);
      case 'int':
        return this.#int(node, what);
      case 'seconds':
        return this.#seconds(node, what);
      case 'bool':
        return this.#bool(node, what);
      case 'strings':
        return this.#list(node, what, 'strings', (item) => this.#item(item, what));
      case 'ints':
        return this.#list(node, what, 'whole numbers', (item) => (isNull(item) ? 0 : this.#int(item, `An item of ${what}`)));
      case 'command':
        return node.kind === 'sequence'
          ? this.#list(node, what, 'strings', (item) => this.#item(item, what)?.value)
          : this.#string(node, what);
      case 'string-map':
        return this.stringMap(node, what, before?.value);
      default:
        return 'listOf' in type ? this.#mappings(node, type.listOf, what) : this.#mapping(node, type.mapping, what);
    }
  }

  #string(node: YamlNode, what: string): string | undefined {
    if (node.kind !== 'scalar') return this.#mismatch(node, what, 'a string');
    return node.text;
  }

  #item(node: YamlNode, what: string): LocatedItem<string> | undefined {
    if (isNull(node)) return { value: '', node };
    const value = this.#string(node, `An item of ${what}`);
    return value === undefined ? undefined : { value, node };
  }

  #int(node: YamlNode, what: string): number | undefined {
    return (node.kind === 'scalar' ? wholeNumber(node) : undefined) ?? this.#mismatch(node, what, 'a whole number, without quotes');
  }

  #seconds(node: YamlNode, what: string): number | undefined {
    if (node.kind !== 'scalar') return this.#mismatch(node, what, SECONDS);
    const whole = wholeNumber(node);
    return (whole === undefined ? parseDuration(node.text) : whole * 1000) ?? this.#mismatch(node, what, SECONDS);
  }

  #bool(node: YamlNode, what: string): boolean | undefined {
    const resolved = node.kind === 'scalar' ? resolveScalar(node) : undefined;
    return resolved?.type === 'bool' ? resolved.value : this.#mismatch(node, what, '`true` or `false`, without quotes');
  }

  #list<T>(node: YamlNode, what: string, of: string, read: (item: YamlNode) => T | undefined): readonly T[] | undefined {
    if (node.kind !== 'sequence') {
      const help = node.kind === 'scalar' ? `Write a list of one item: \`[${quoteForFlow(node.text)}]\`.` : undefined;
      return this.#mismatch(node, what, `a list of ${of}`, help);
    }
    return node.items.map(read).filter((item) => item !== undefined);
  }

  stringMap(node: YamlNode, what: string, before: unknown): ReadonlyMap<string, LocatedItem<string>> | undefined {
    if (node.kind !== 'mapping') return this.#mismatch(node, what, 'a mapping from names to strings');
    const map = new Map<string, LocatedItem<string>>(before instanceof Map ? before : []);
    for (const { key, value } of node.entries) {
      const name = this.#string(key, `A key of ${what}`);
      const item = this.#item(value, what);
      if (name !== undefined && item !== undefined) map.set(name, item);
    }
    return map;
  }

  #mapping(node: YamlNode, table: PropertyTable, what: string): UntypedMapping | undefined {
    if (node.kind !== 'mapping') return this.#mismatch(node, what, `a mapping with the keys ${listKeys(table)}`);
    const fields = this.fields(node, table, what);
    return { node, fields, broken: this.broken };
  }

  /** Each mapping of a list has its own decoder, so that one broken item does not make its neighbours suspect. */
  #mappings(node: YamlNode, table: PropertyTable, what: string): readonly DecodedMapping<PropertyTable>[] | undefined {
    const items = this.#list(node, what, 'mappings', (item) => {
      if (isNull(item)) {
        this.#problems.error('list-item-empty', `An item of ${what} is empty.`, {
          range: item.range,
          help: 'Remove the dash, or fill the item in.',
        });
        return undefined;
      }
      return decodeMapping(item, table, `An item of ${what}`, this.#problems, this.#observer);
    });
    if (node.kind === 'sequence' && items?.length !== node.items.length) this.broken = true;
    return items;
  }

  #mismatch(node: YamlNode, what: string, expected: string, help?: string): undefined {
    this.broken = true;
    this.#problems.error('type-mismatch', `${what} must be ${expected}, but is ${describe(node)}.`, { range: node.range, expected, help });
    return undefined;
  }
}

const SECONDS = 'a whole number of seconds, without quotes, or a duration such as `10m`';

function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && resolveScalar(node).type === 'null';
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
