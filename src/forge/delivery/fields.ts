/** A delivery does not have the shape that its sender documents. The message names the field and what was expected, never a value that was there. */
export class MalformedDelivery extends Error {
  override readonly name = 'MalformedDelivery';
}

const LONGEST_TEXT = 1024;
const LONGEST_ID = 128;

/** The fields of one JSON object of a payload. Only its own fields count; `null` is as good as absent. Wrong types throw MalformedDelivery. */
export class Fields {
  readonly #values: object;
  readonly #path: string;

  private constructor(values: object, path: string) {
    this.#values = values;
    this.#path = path;
  }

  static of(value: unknown, path = ''): Fields {
    if (!isObject(value)) throw new MalformedDelivery(`${path === '' ? 'the body' : path}: expected an object`);
    return new Fields(value, path);
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  /** Throws for a field of another name: of a format that is ours a slip is told, not passed over. */
  only(...names: readonly string[]): this {
    const other = Object.keys(this.#values).find((name) => !names.includes(name));
    if (other === undefined) return this;
    const near = names.find((name) => name.toLowerCase() === other.toLowerCase());
    const written = /^[\w.-]{1,64}$/.test(other) ? JSON.stringify(other) : 'of another name';
    const help = near === undefined ? `expected ${names.join(', ')}` : `did you mean ${JSON.stringify(near)}?`;
    throw new MalformedDelivery(`${this.#path === '' ? 'the body' : this.#path} has a field ${written}, which is not known: ${help}`);
  }

  object(name: string): Fields {
    return Fields.of(this.#get(name), this.pathOf(name));
  }

  optionalObject(name: string): Fields | undefined {
    return this.has(name) ? this.object(name) : undefined;
  }

  list(name: string): readonly unknown[] {
    const value = this.#get(name);
    if (!Array.isArray(value)) throw this.expected(name, 'a list');
    return value;
  }

  /** The items of a list of objects, `limit` of them at most. */
  objects(name: string, limit = Number.POSITIVE_INFINITY): Fields[] {
    return this.list(name)
      .slice(0, limit)
      .map((item, index) => Fields.of(item, `${this.pathOf(name)}[${index}]`));
  }

  /** The names of an object's fields. */
  keys(name: string, limit: number): string[] {
    this.object(name);
    return Object.keys(this.#get(name) as object).slice(0, limit);
  }

  text(name: string, longest = LONGEST_TEXT): string {
    const value = this.#get(name);
    if (!isPlainText(value, longest)) throw this.expected(name, `text of 1 to ${longest} characters without control characters`);
    return value;
  }

  optionalText(name: string, longest = LONGEST_TEXT): string | undefined {
    return this.has(name) ? this.text(name, longest) : undefined;
  }

  /** A text that only describes: one that is too long or has control characters is left out, not cut, so that no two become one. */
  note(name: string, longest = 256): string | undefined {
    const value = this.#get(name);
    return isPlainText(value, longest) ? value : undefined;
  }

  /** A stable id of a forge: a whole number, or text without blanks. */
  id(name: string): string {
    const value = this.#get(name);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return String(value);
    if (isPlainText(value, LONGEST_ID) && !/\s/.test(value)) return value;
    throw this.expected(name, `a whole number or text of at most ${LONGEST_ID} characters without blanks`);
  }

  optionalId(name: string): string | undefined {
    return this.has(name) ? this.id(name) : undefined;
  }

  flag(name: string): boolean {
    return this.#get(name) === true;
  }

  /** As `flag`, and nothing else than true and false. */
  optionalFlag(name: string): boolean | undefined {
    const value = this.#get(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.expected(name, 'true or false');
  }

  raw(name: string): unknown {
    return this.#get(name);
  }

  expected(name: string, what: string): MalformedDelivery {
    return new MalformedDelivery(`${this.pathOf(name)}: expected ${what}`);
  }

  pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  #get(name: string): unknown {
    const value = Object.getOwnPropertyDescriptor(this.#values, name)?.value as unknown;
    return value === null ? undefined : value;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlainText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longest && value.isWellFormed() && !/\p{Cc}/u.test(value);
}
