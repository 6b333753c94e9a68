/** How the texts of a setting become its value, and how that is said to people and to editors. */
export interface SettingKind<Value> {
  readonly list: boolean;
  readonly expected: string;
  /** JSON schema of the value in slipway.yaml. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Undefined when the texts are no such value. */
  read(texts: readonly string[]): Value | undefined;
}

export function textLike(pattern: RegExp, expected: string): SettingKind<string> {
  return {
    list: false,
    expected,
    schema: { type: 'string', pattern: pattern.source },
    read: ([text = '']) => (pattern.test(text) ? text : undefined),
  };
}

export const folderPath: SettingKind<string> = textLike(/^[^\0]+$/, 'a path of a folder');

export function wholeNumber(least: number, most: number): SettingKind<number> {
  return {
    list: false,
    expected: `a whole number from ${least} to ${most}`,
    schema: { type: 'integer', minimum: least, maximum: most },
    read: ([text = '']) => {
      const number = /^\d{1,9}$/.test(text) ? Number(text) : -1;
      return number >= least && number <= most ? number : undefined;
    },
  };
}

export function choice<Name extends string>(names: readonly Name[]): SettingKind<Name> {
  return {
    list: false,
    expected: `one of ${names.join(', ')}`,
    schema: { enum: names },
    read: ([text = '']) => names.find((name) => name === text),
  };
}

export const yesOrNo: SettingKind<boolean> = {
  list: false,
  expected: '`true` or `false`',
  schema: { type: 'boolean' },
  read: ([text = '']) => (text === 'true' ? true : text === 'false' ? false : undefined),
};

/** Hosts, each `host` or `host:port`. */
export const hosts: SettingKind<readonly string[]> = {
  list: true,
  expected: 'a list of hosts, each `host` or `host:port`',
  schema: { type: 'array', items: { type: 'string', pattern: '^[^\\s/,]+$' } },
  read: (texts) => (texts.every((text) => /^[^\s/,]+$/.test(text)) ? texts : undefined),
};

/** Globs of images: `*` within a part between slashes, `**` for any number of parts. */
export const imageGlobs: SettingKind<readonly string[]> = {
  list: true,
  expected: 'a list of at most 100 names of images with their tags, with `*` for any characters but `/`',
  schema: { type: 'array', maxItems: 100, items: { type: 'string', pattern: '^[^\\s,]+$' } },
  read: (texts) => (texts.length <= 100 && texts.every((text) => /^[^\s,]+$/.test(text)) ? texts : undefined),
};

/** `NAME=N` of each pool. */
export const limitsByName: SettingKind<Readonly<Record<string, number>>> = {
  list: true,
  expected: 'a list of `NAME=N`, each a name of lower-case letters, digits and `-`, and a whole number from 1',
  schema: { type: 'array', items: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,62}=[1-9]\\d{0,4}$' } },
  read: (texts) => {
    const pairs = texts.map((text) => /^([a-z0-9][a-z0-9-]{0,62})=([1-9]\d{0,4})$/.exec(text));
    if (pairs.some((pair) => pair === null)) return undefined;
    return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', Number(pair?.[2])]));
  },
};

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds from `90s`, `10m`, `12h`, `30d`; a bare number is seconds. */
export const duration: SettingKind<number> = {
  list: false,
  expected: 'a duration such as `90s`, `10m`, `12h` or `30d`',
  schema: { type: ['string', 'integer'], pattern: '^[1-9]\\d{0,6}[smhd]?$' },
  read: ([text = '']) => {
    const [, amount, unit = 's'] = /^([1-9]\d{0,6})([smhd]?)$/.exec(text) ?? [];
    return amount === undefined ? undefined : Number(amount) * UNITS_MS[(unit === '' ? 's' : unit) as keyof typeof UNITS_MS];
  },
};

/** A duration that is no less, or (with `off`) a `0` that means never. */
export function durationFrom(least: { readonly ms: number; readonly text: string; readonly off?: boolean }): SettingKind<number> {
  const off = least.off === true;
  return {
    ...duration,
    expected: `a duration of at least \`${least.text}\`${off ? ', or `0` for never' : ''}`,
    schema: { ...duration.schema, pattern: off ? '^(0|[1-9]\\d{0,6}[smhd]?)$' : '^[1-9]\\d{0,6}[smhd]?$' },
    read: (texts) => {
      if (off && texts[0] === '0') return 0;
      const ms = duration.read(texts);
      return ms === undefined || ms < least.ms ? undefined : ms;
    },
  };
}

const SIZES = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** Bytes from `64MiB`, `2GiB`; a bare number is bytes. */
export const size: SettingKind<number> = {
  list: false,
  expected: 'a size such as `512KiB`, `64MiB` or `2GiB`',
  schema: { type: ['string', 'integer'], pattern: '^[1-9]\\d{0,9}(KiB|MiB|GiB)?$' },
  read: ([text = '']) => {
    const [, amount, unit = ''] = /^([1-9]\d{0,9})(KiB|MiB|GiB)?$/.exec(text) ?? [];
    return amount === undefined ? undefined : Number(amount) * SIZES[unit as keyof typeof SIZES];
  },
};

/** A size that is no more. */
export function sizeUpTo(most: { readonly bytes: number; readonly text: string }): SettingKind<number> {
  return {
    ...size,
    expected: `${size.expected}, and at most \`${most.text}\``,
    read: (texts) => {
      const bytes = size.read(texts);
      return bytes === undefined || bytes > most.bytes ? undefined : bytes;
    },
  };
}

/** The same kind with its value changed. */
export function mapped<From, To>(kind: SettingKind<From>, change: (value: From) => To): SettingKind<To> {
  return {
    ...kind,
    read: (texts) => {
      const value = kind.read(texts);
      return value === undefined ? undefined : change(value);
    },
  };
}
