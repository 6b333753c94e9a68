import { InvalidArgumentError } from 'commander';

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** A `NAME=VALUE` of a flag. */
export interface Assignment {
  readonly name: string;
  readonly value: string;
}

/** For a flag that may be given several times. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** `NAME=VALUE`, split at the first `=`; repeatable. */
export function collectAssignments(text: string, previous: readonly Assignment[]): readonly Assignment[] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Expected NAME=VALUE.');
  return [...previous, { name: text.slice(0, equals), value: text.slice(equals + 1) }];
}

/** A duration in milliseconds: a number of seconds, or with a unit (`90s`, `10m`, `1h30m`). */
export function parseDuration(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text) * UNIT_MS.s;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const total = parts.reduce((sum, [, amount = '', unit = '']) => sum + Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS], 0);
  if (parts.map(([part]) => part).join('') !== text || total <= 0 || !Number.isSafeInteger(Math.round(total))) {
    throw new InvalidArgumentError('Expected seconds or a duration such as 90s, 10m or 1h30m.');
  }
  return Math.round(total);
}

export function parsePositiveInteger(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1.');
  return Number(text);
}

/** `os`, `os/arch` or `os/arch/variant`. */
export function parsePlatform(text: string): string {
  if (!/^[a-z0-9]+(\/[a-z0-9_]+){0,2}$/i.test(text))
    throw new InvalidArgumentError('Expected os[/arch[/variant]], for example linux/arm64.');
  return text.toLowerCase();
}
