import type { Budget } from '../budget.ts';
import { goStringOf, stringOf } from '../time/stringer.ts';
import { Certificate, GoComplex, GoInt, GoList, GoMap, goInt64, typeOf, type Value, Version } from '../value.ts';
import type { FormatSpec } from './spec.ts';
import { formatComplex, formatFloatVerb, formatInteger, formatString, pad } from './verbs.ts';

/** Shows values as Go's fmt does, lists and maps element by element. */
export class Printer {
  readonly #budget: Budget;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  format(value: Value, spec: FormatSpec): string {
    if (spec.verb === 'T') {
      const isNil = value === null || value === undefined;
      return isNil ? nil(spec) : (formatString(typeOf(value), { ...spec, verb: 's' }) ?? '');
    }
    if (value !== null && value !== undefined && spec.verb !== 'p' && spec.verb !== 'w') return this.#value(value, spec, 0);
    if (spec.verb === 'v') return nil(spec);
    return this.#badVerb(value, spec);
  }

  #value(value: Value, spec: FormatSpec, depth: number): string {
    this.#budget.depth(depth);
    this.#budget.step(1 / 4);
    if (value === null || value === undefined) return spec.sharpV ? 'interface {}(nil)' : '<nil>';
    const own = spec.sharpV ? goStringOf(value) : /^[vsxXq]$/.test(spec.verb) ? stringOf(value) : undefined;
    if (own !== undefined) return formatString(own, spec.sharpV ? { ...spec, verb: 's', sharpV: false } : spec) ?? '';
    if (value instanceof GoList) return this.#list(value, spec, depth);
    if (value instanceof GoMap) return this.#map(value, spec, depth);
    return this.#scalar(value, spec) ?? this.#struct(value, spec, depth) ?? this.#badVerb(value, spec);
  }

  #scalar(value: Value, spec: FormatSpec): string | undefined {
    if (typeof value === 'string') return this.#sized(formatString(value, spec));
    if (typeof value === 'boolean')
      return spec.verb === 't' || spec.verb === 'v' ? pad(String(value), spec, spec.zero && !spec.minus) : undefined;
    if (typeof value === 'number') return formatFloatVerb(value, spec);
    if (value instanceof GoInt) return formatInteger(value, spec);
    return value instanceof GoComplex ? formatComplex(value, spec) : undefined;
  }

  #sized(text: string | undefined): string | undefined {
    if (text !== undefined) this.#budget.text(text.length);
    return text;
  }

  #list(list: GoList, spec: FormatSpec, depth: number): string {
    if (spec.sharpV && list.isNil) return `${typeOf(list)}(nil)`;
    const items = this.#joined(list.items, (item) => this.#value(item, spec, depth + 1), spec);
    return spec.sharpV ? `${typeOf(list)}{${items}}` : `[${items}]`;
  }

  #map(map: GoMap, spec: FormatSpec, depth: number): string {
    if (spec.sharpV && map.isNil) return `${typeOf(map)}(nil)`;
    const item = (key: string): string => `${this.#value(key, spec, depth + 1)}:${this.#value(map.get(key), spec, depth + 1)}`;
    const items = this.#joined(map.sortedKeys(), item, spec);
    return spec.sharpV ? `${typeOf(map)}{${items}}` : `map[${items}]`;
  }

  /** Joins piece by piece, so that a list that shows one long text many times stops at the limit. */
  #joined<T>(items: readonly T[], show: (item: T) => string, spec: FormatSpec): string {
    const parts: string[] = [];
    let length = 0;
    for (const item of items) {
      const text = show(item);
      length += text.length + 1;
      this.#budget.size(length);
      parts.push(text);
    }
    return parts.join(spec.sharpV ? ', ' : ' ');
  }

  #struct(value: Value, spec: FormatSpec, depth: number): string | undefined {
    const fields = fieldsOf(value);
    if (fields === undefined) return undefined;
    const named = spec.plusV || spec.sharpV;
    const items = fields.map(([name, field]) => `${named ? `${name}:` : ''}${this.#value(field, spec, depth + 1)}`);
    const mark = value instanceof Version ? '&' : '';
    return spec.sharpV ? `${mark}${typeOf(value).replace('*', '')}{${items.join(', ')}}` : `${mark}{${items.join(' ')}}`;
  }

  #badVerb(value: Value, spec: FormatSpec): string {
    if (value === null || value === undefined) return `%!${spec.verb}(<nil>)`;
    return `%!${spec.verb}(${typeOf(value)}=${this.#value(value, { ...spec, verb: 'v' }, 0)})`;
  }
}

function nil(spec: FormatSpec): string {
  return pad('<nil>', spec, spec.zero && !spec.minus);
}

function fieldsOf(value: Value): readonly (readonly [string, Value])[] | undefined {
  if (value instanceof Certificate)
    return [
      ['Cert', value.cert],
      ['Key', value.key],
    ];
  if (value instanceof Version) {
    const { major, minor, patch, prerelease, metadata, original } = value;
    const numbers = [
      ['major', goInt64(major)],
      ['minor', goInt64(minor)],
      ['patch', goInt64(patch)],
    ] as const;
    return [...numbers, ['pre', prerelease], ['metadata', metadata], ['original', original]];
  }
  return undefined;
}
