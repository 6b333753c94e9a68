import { InvalidArgumentError } from 'commander';

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** A moment: how long ago (`30m`, `2h`, `7d`) or a date or time (`2026-11-23`, `2026-11-23T14:05Z`). ISO 8601 in UTC. */
export function parseSince(text: string, now: Date = new Date()): string {
  const time = relativeMs(text);
  const moment = time === undefined ? new Date(/^\d{4}-\d{2}-\d{2}/.test(text) ? text : Number.NaN) : new Date(now.getTime() - time);
  if (Number.isNaN(moment.getTime()))
    throw new InvalidArgumentError('Expected a time such as 30m, 2h, 7d, 2026-11-23 or 2026-11-23T14:05Z.');
  return moment.toISOString();
}

/** A moment to come: from now (`30d`) or a date. ISO 8601 in UTC. */
export function parseExpiry(text: string, now: Date = new Date()): string {
  const time = relativeMs(text);
  if (time !== undefined) return new Date(now.getTime() + time).toISOString();
  const moment = parseSince(text, now);
  if (moment <= now.toISOString()) throw new InvalidArgumentError('Expected a time to come.');
  return moment;
}

function relativeMs(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
}
