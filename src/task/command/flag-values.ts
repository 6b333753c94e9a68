/** What a flag's value must look like, checked before an engine sees it. */
export type FlagValueKind =
  | 'text'
  | 'integer'
  | 'decimal'
  | 'bytes'
  | 'bytes-or-unlimited'
  | 'ulimit'
  | 'name-value'
  | 'platforms'
  | readonly string[];

const PATTERNS: Readonly<
  Record<Exclude<FlagValueKind, readonly string[] | 'text'>, { readonly pattern: RegExp; readonly expected: string }>
> = {
  integer: { pattern: /^-?\d{1,15}$/, expected: 'a whole number' },
  decimal: { pattern: /^\d*\.?\d+$/, expected: 'a number such as `1.5`' },
  bytes: { pattern: /^\d+(?:\.\d+)? ?(?:[kmgtp]i?b?|b)?$/i, expected: 'a size such as `512m` or `1g`' },
  'bytes-or-unlimited': { pattern: /^(?:-1|\d+(?:\.\d+)? ?(?:[kmgtp]i?b?|b)?)$/i, expected: 'a size such as `1g`, or `-1` for no limit' },
  ulimit: { pattern: /^[a-z]+=-?\d+(?::-?\d+)?$/, expected: '`NAME=SOFT[:HARD]`, for example `nofile=1024:2048`' },
  'name-value': { pattern: /^[^=]+(?:=[\s\S]*)?$/, expected: '`NAME=VALUE`' },
  platforms: {
    pattern: /^(?:local|[a-z0-9]+(?:\/[a-z0-9_]+){0,2})(?:,[a-z0-9]+(?:\/[a-z0-9_]+){0,2})*$/i,
    expected: '`OS/ARCH[/VARIANT]`, for example `linux/arm64`',
  },
};

/** What was expected where a value is not of its kind; undefined when it is. */
export function flagValueProblem(kind: FlagValueKind, value: string): string | undefined {
  if (kind === 'text') return value === '' ? 'a value that is not empty' : undefined;
  if (typeof kind !== 'string') return kind.includes(value) ? undefined : `one of ${kind.map((one) => `\`${one}\``).join(', ')}`;
  const { pattern, expected } = PATTERNS[kind];
  return pattern.test(value) ? undefined : expected;
}
