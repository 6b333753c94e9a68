import type { Diagnostic, SourceRange } from '../../model/diagnostic.ts';
import { isNullScalar, resolveScalar } from '../../task/yaml/scalar.ts';
import type { YamlMapping, YamlNode } from '../../task/yaml/yaml-node.ts';
import { nearestName } from '../../util/nearest-name.ts';
import type { Fields, Shape } from './definition-shape.ts';

/** A document as plain JSON, and where each field of it stands, by its path as `step.values[0].name`. */
export interface DecodedDocument {
  readonly value: Readonly<Record<string, unknown>>;
  readonly places: ReadonlyMap<string, SourceRange>;
  readonly problems: readonly Diagnostic[];
}

/** Reads a mapping by a table of fields. Every problem is reported, with its place; what has one is left out. */
export function decodeDocument(mapping: YamlMapping, fields: Fields): DecodedDocument {
  const decoder = new Decoder();
  const value = decoder.object(mapping, fields, '');
  return { value, places: decoder.places, problems: decoder.problems };
}

interface Entry {
  readonly key: string;
  readonly node: YamlNode;
  /** Of the name. */
  readonly place: SourceRange | undefined;
}

type Details = Partial<Pick<Diagnostic, 'code' | 'expected' | 'help'>>;

class Decoder {
  readonly places = new Map<string, SourceRange>();
  readonly problems: Diagnostic[] = [];

  object(mapping: YamlMapping, fields: Fields, at: string): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    const seen = new Set<string>();
    for (const { key, node, place } of this.#entries(mapping, at)) {
      const path = join(at, key);
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (field === undefined) this.#unknown(key, fields, path, place);
      if (field === undefined || field.shape.kind === 'ignored') continue;
      seen.add(key);
      const decoded = this.#value(node, field.shape, path);
      if (decoded !== undefined) value[key] = decoded;
    }
    for (const [name, { required }] of Object.entries(fields)) {
      if (required !== true || seen.has(name)) continue;
      this.#problem(join(at, name), 'is missing', mapping.range, { code: 'task-field-missing' });
    }
    return value;
  }

  /** Names with their nodes; a name that stands twice is reported. An empty value counts as left out. */
  #entries(mapping: YamlMapping, at: string): readonly Entry[] {
    const entries = new Map<string, Entry>();
    for (const { key, value } of mapping.entries) {
      if (key.kind !== 'scalar') {
        this.#problem(at === '' ? 'the document' : at, 'has a name that is no text', key.range);
        continue;
      }
      const path = join(at, key.text);
      if (entries.has(key.text)) this.#problem(path, 'stands here twice', key.range, { help: 'Remove one of them.' });
      const place = value.range ?? key.range;
      if (place !== undefined) this.places.set(path, place);
      if (value.kind !== 'scalar' || !isNullScalar(value)) entries.set(key.text, { key: key.text, node: value, place: key.range });
    }
    return [...entries.values()];
  }

  #value(node: YamlNode, shape: Shape, path: string): unknown {
    switch (shape.kind) {
      case 'text':
        return this.#text(node, shape.words, path);
      case 'integer':
        return this.#integer(node, path);
      case 'boolean':
        return this.#boolean(node, path);
      case 'list':
        return this.#list(node, shape.items, path);
      case 'map':
        return this.#map(node, shape.values, path);
      case 'object':
        return node.kind === 'mapping' ? this.object(node, shape.fields, path) : this.#mismatch(node, path, 'a mapping of names to values');
      case 'secret':
        return this.#secret(node, path);
      case 'text-or-secret':
        return node.kind === 'mapping' ? this.#secret(node, path) : this.#text(node, undefined, path);
      case 'ignored':
        return undefined;
    }
  }

  #text(node: YamlNode, words: readonly string[] | undefined, path: string): string | undefined {
    if (node.kind !== 'scalar') return this.#mismatch(node, path, words === undefined ? 'a text' : `one of ${words.join(', ')}`);
    if (words === undefined || words.includes(node.text)) return node.text;
    const near = nearestName(node.text, words);
    this.#problem(path, `is ${JSON.stringify(node.text.slice(0, 100))}`, node.range, {
      expected: `one of ${words.join(', ')}`,
      ...(near === undefined ? {} : { help: `did you mean "${near}"?` }),
    });
    return undefined;
  }

  #integer(node: YamlNode, path: string): number | undefined {
    const scalar = node.kind === 'scalar' ? resolveScalar(node) : undefined;
    const value = scalar?.type === 'int' ? Number(scalar.value) : undefined;
    return value !== undefined && Number.isSafeInteger(value) ? value : this.#mismatch(node, path, 'a whole number, without quotes');
  }

  #boolean(node: YamlNode, path: string): boolean | undefined {
    const scalar = node.kind === 'scalar' ? resolveScalar(node) : undefined;
    return scalar?.type === 'bool' ? scalar.value : this.#mismatch(node, path, 'true or false, without quotes');
  }

  #list(node: YamlNode, items: Shape, path: string): unknown[] | undefined {
    if (node.kind !== 'sequence') return this.#mismatch(node, path, 'a list');
    return node.items.map((item, index) => {
      const at = `${path}[${index}]`;
      if (item.range !== undefined) this.places.set(at, item.range);
      return this.#value(item, items, at);
    });
  }

  #map(node: YamlNode, values: Shape, path: string): Record<string, unknown> | undefined {
    if (node.kind !== 'mapping') return this.#mismatch(node, path, 'a mapping of names to values');
    return Object.fromEntries(
      this.#entries(node, path).map((entry) => [entry.key, this.#value(entry.node, values, join(path, entry.key))]),
    );
  }

  /** A file is no place for a value: it lies in repositories and backups. */
  #secret(node: YamlNode, path: string): { readonly secret: string } | { readonly stored: true } | undefined {
    const expected = '{ secret: NAME }';
    if (node.kind !== 'mapping') {
      this.#problem(path, 'must not stand in a file as it is', node.range, { code: 'task-secret-plain', expected });
      return undefined;
    }
    const [entry, ...more] = node.entries;
    const [key, value] = [entry?.key, entry?.value];
    if (key?.kind === 'scalar' && value?.kind === 'scalar' && more.length === 0) {
      if (key.text === 'secret' && value.text !== '') return { secret: value.text };
      if (key.text === 'stored' && this.#boolean(value, path) === true) return { stored: true };
      if (key.text === 'plain') {
        this.#problem(path, 'must not stand in a file as it is', key.range, { code: 'task-secret-plain', expected });
        return undefined;
      }
    }
    return this.#mismatch(node, path, expected);
  }

  #unknown(key: string, fields: Fields, path: string, place: SourceRange | undefined): void {
    const near = nearestName(key, Object.keys(fields));
    const known = Object.entries(fields).flatMap(([name, { shape }]) => (shape.kind === 'ignored' ? [] : [name]));
    this.#problem(path, 'is no field of a task', place, {
      code: 'task-field-unknown',
      expected: `one of ${known.join(', ')}`,
      ...(near === undefined ? {} : { help: `did you mean "${near}"?` }),
    });
  }

  #mismatch(node: YamlNode, path: string, expected: string): undefined {
    const what = node.kind === 'mapping' ? 'a mapping' : node.kind === 'sequence' ? 'a list' : JSON.stringify(node.text.slice(0, 100));
    this.#problem(path, `is ${what}`, node.range, { expected });
  }

  #problem(path: string, message: string, range: SourceRange | undefined, details: Details = {}): void {
    this.problems.push({
      code: 'task-field',
      severity: 'error',
      message: `\`${path}\` ${message}`,
      field: path,
      ...details,
      ...(range === undefined ? {} : { range }),
    });
  }
}

function join(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}
