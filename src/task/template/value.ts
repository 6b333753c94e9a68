import type { GoTime } from './time/go-time.ts';

/**
 * A value as Go's templates see it. Floats are numbers, integers are GoInt. `null` is a nil of an interface (a list element,
 * a present or missing map entry); `undefined` is no value at all, what Go calls an invalid value. The two differ: a field of
 * `null` is an error, a field of `undefined` is `undefined` again.
 */
export type Value = undefined | null | boolean | number | string | GoInt | GoComplex | GoList | GoMap | GoTime | Version | Certificate;

/** The integer types that values can have; the last three are named types with methods. */
export type IntType = 'int' | 'int64' | 'uint8' | 'uint64' | 'uint32' | 'time.Month' | 'time.Weekday' | 'time.Duration';

const INT_KINDS: Readonly<Record<IntType, 'int' | 'int64' | 'uint8' | 'uint64' | 'uint32'>> = {
  int: 'int',
  int64: 'int64',
  uint8: 'uint8',
  uint32: 'uint32',
  uint64: 'uint64',
  'time.Month': 'int',
  'time.Weekday': 'int',
  'time.Duration': 'int64',
};

/** An integer of at most 64 bits; overflow wraps around as in Go. */
export class GoInt {
  readonly type: IntType;
  readonly value: bigint;

  constructor(type: IntType, value: bigint) {
    this.type = type;
    const bits = type === 'uint8' ? 8 : type === 'uint32' ? 32 : 64;
    this.value = type.startsWith('uint') ? BigInt.asUintN(bits, value) : BigInt.asIntN(64, value);
  }

  get signed(): boolean {
    return !this.type.startsWith('uint');
  }
}

export function goInt(value: number | bigint): GoInt {
  return new GoInt('int', BigInt(value));
}

export function goInt64(value: number | bigint): GoInt {
  return new GoInt('int64', BigInt(value));
}

export class GoComplex {
  readonly real: number;
  readonly imaginary: number;

  constructor(real: number, imaginary: number) {
    this.real = real;
    this.imaginary = imaginary;
  }
}

/** A slice. A nil slice is empty too, but prints as `null` in JSON. */
export class GoList {
  readonly elem: 'interface {}' | 'string' | 'int';
  readonly items: readonly Value[];
  readonly isNil: boolean;

  constructor(items: readonly Value[], elem: 'interface {}' | 'string' | 'int' = 'interface {}', isNil = false) {
    this.items = items;
    this.elem = elem;
    this.isNil = isNil;
  }
}

export function strings(items: readonly string[]): GoList {
  return new GoList(items, 'string');
}

/** A map with string keys; the functions `set`, `unset`, `merge` change it in place. */
export class GoMap {
  readonly entries: Map<string, Value>;
  readonly elem: 'interface {}' | 'string';
  /** The name of its Go type when it has one of its own. */
  readonly typeName: string | undefined;
  readonly isNil: boolean;

  constructor(
    entries: Map<string, Value> = new Map(),
    options: { readonly elem?: 'interface {}' | 'string'; readonly typeName?: string; readonly isNil?: boolean } = {},
  ) {
    this.entries = entries;
    this.elem = options.elem ?? 'interface {}';
    this.typeName = options.typeName;
    this.isNil = options.isNil ?? false;
  }

  /** The value of a key; the zero value of the element type when it is missing. */
  get(key: string): Value {
    const value = this.entries.get(key);
    if (value !== undefined) return value;
    return this.elem === 'string' ? '' : null;
  }

  /** Keys in byte order of their UTF-8 form. */
  sortedKeys(): string[] {
    return [...this.entries.keys()].sort(compareStrings);
  }
}

/** A semantic version as `semver` gives it. */
export class Version {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly prerelease: string;
  readonly metadata: string;
  readonly original: string;

  constructor(numbers: readonly [bigint, bigint, bigint], prerelease: string, metadata: string, original: string) {
    [this.major, this.minor, this.patch] = numbers;
    this.prerelease = prerelease;
    this.metadata = metadata;
    this.original = original;
  }

  toString(): string {
    const base = `${this.major}.${this.minor}.${this.patch}`;
    return `${base}${this.prerelease === '' ? '' : `-${this.prerelease}`}${this.metadata === '' ? '' : `+${this.metadata}`}`;
  }
}

/** A certificate with its private key, both PEM. */
export class Certificate {
  readonly cert: string;
  readonly key: string;

  constructor(cert: string, key: string) {
    this.cert = cert;
    this.key = key;
  }
}

export type Kind =
  | 'invalid'
  | 'bool'
  | 'string'
  | 'float64'
  | 'complex128'
  | 'slice'
  | 'map'
  | 'struct'
  | 'ptr'
  | 'int'
  | 'int64'
  | 'uint8'
  | 'uint32'
  | 'uint64';

/** Go's reflect kind. */
export function kindOf(value: Value): Kind {
  if (value === undefined || value === null) return 'invalid';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'float64';
  if (value instanceof GoInt) return INT_KINDS[value.type];
  if (value instanceof GoList) return 'slice';
  if (value instanceof GoMap) return 'map';
  if (value instanceof GoComplex) return 'complex128';
  if (value instanceof Version) return 'ptr';
  return 'struct';
}

/** The name of the Go type, as `%T` prints it. */
export function typeOf(value: Value): string {
  if (value === undefined || value === null) return '<nil>';
  if (value instanceof GoInt) return value.type;
  if (value instanceof GoList) return `[]${value.elem}`;
  if (value instanceof GoMap) return value.typeName ?? `map[string]${value.elem}`;
  if (value instanceof Version) return '*semver.Version';
  if (value instanceof Certificate) return 'sprig.certificate';
  const kind = kindOf(value);
  return kind === 'struct' ? 'time.Time' : kind;
}

/** Go's truth: false, zero, the empty string, list and map and nil are false. */
export function isTrue(value: Value): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  if (typeof value === 'string') return value !== '';
  if (value instanceof GoInt) return value.value !== 0n;
  if (value instanceof GoList) return value.items.length > 0;
  if (value instanceof GoMap) return value.entries.size > 0;
  if (value instanceof GoComplex) return value.real !== 0 || value.imaginary !== 0;
  return true;
}

/** Orders strings by the bytes of their UTF-8 form, which is the order of code points. */
export function compareStrings(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return codePointRank(a) - codePointRank(b);
  }
  return left.length - right.length;
}

/** Surrogates stand for code points above every other unit. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
