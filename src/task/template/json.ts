import type { Budget } from './budget.ts';
import { formatFloat } from './format/float.ts';
import { isLoneByte } from './go-string.ts';
import { formatTime } from './time/format.ts';
import { GoTime } from './time/go-time.ts';
import { type Certificate, GoComplex, GoInt, GoList, GoMap, type Value, Version } from './value.ts';

/** A value that JSON cannot express: NaN, infinities, complex numbers, maps that hold themselves. */
export class NotJson extends Error {}

/**
 * A value as Go's encoding/json writes it: keys sorted, `<`, `>`, `&` and the two Unicode line separators escaped.
 * @param indent blanks for each level; none writes everything on one line
 * @throws NotJson
 */
export function writeJson(value: Value, budget: Budget, indent = ''): string {
  return new JsonWriter(budget, indent).write(value, 0);
}

class JsonWriter {
  readonly #budget: Budget;
  readonly #indent: string;

  constructor(budget: Budget, indent: string) {
    this.#budget = budget;
    this.#indent = indent;
  }

  write(value: Value, depth: number): string {
    if (depth > this.#budget.limits.depth) throw new NotJson('nested too deeply');
    this.#budget.step(1 / 8);
    if (value === null || value === undefined) return 'null';
    if (typeof value === 'string') return this.#string(value);
    if (typeof value === 'boolean') return String(value);
    if (typeof value === 'number') return numberText(value);
    if (value instanceof GoInt) return String(value.value);
    if (value instanceof GoTime) return this.#string(formatTime(value, '2006-01-02T15:04:05.999999999Z07:00'));
    if (value instanceof Version) return this.#string(value.toString());
    if (value instanceof GoComplex) throw new NotJson('complex128');
    if (value instanceof GoList) return value.isNil ? 'null' : this.#list(value, depth);
    return this.#object(value, depth);
  }

  #string(text: string): string {
    this.#budget.text(text.length);
    return `"${[...text].map(escapeCharacter).join('')}"`;
  }

  #list(list: GoList, depth: number): string {
    return this.#wrapped('[', ']', list.items, (item) => this.write(item, depth + 1), depth);
  }

  #object(value: GoMap | Certificate, depth: number): string {
    if (value instanceof GoMap && value.isNil) return 'null';
    const map =
      value instanceof GoMap
        ? value
        : new GoMap(
            new Map([
              ['Cert', value.cert],
              ['Key', value.key],
            ]),
          );
    const colon = this.#indent === '' ? ':' : ': ';
    return this.#wrapped('{', '}', map.sortedKeys(), (key) => this.#string(key) + colon + this.write(map.get(key), depth + 1), depth);
  }

  #wrapped<T>(open: string, close: string, items: readonly T[], show: (item: T) => string, depth: number): string {
    if (items.length === 0) return open + close;
    const parts: string[] = [];
    let length = 0;
    for (const item of items) {
      const text = show(item);
      length += text.length + this.#indent.length * depth;
      this.#budget.size(length);
      parts.push(text);
    }
    if (this.#indent === '') return open + parts.join(',') + close;
    const inner = `\n${this.#indent.repeat(depth + 1)}`;
    return `${open + inner + parts.join(`,${inner}`)}\n${this.#indent.repeat(depth)}${close}`;
  }
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new NotJson('not a finite number');
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-6 && size < 1e21)) return formatFloat(value, 'f', -1);
  return formatFloat(value, 'e', -1).replace(/e-0([0-9])$/, 'e-$1');
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function escapeCharacter(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.charCodeAt(0);
  if (isLoneByte(character.codePointAt(0) ?? 0)) return '\\ufffd';
  const escaped = code < 0x20 || '<>&\u2028\u2029'.includes(character);
  return escaped ? `\\u${code.toString(16).padStart(4, '0')}` : character;
}
