import { err, ok, type Result } from '../util/result.ts';
import { type CronFields, nextCronTime, parseCronFields } from './ncrontab.ts';
import type { ScheduleProblem } from './schedule-problem.ts';
import { findTimeZone, type TimeZone } from './time-zone.ts';

/** When something is due, over and over. */
export interface Schedule {
  /** As written. */
  readonly text: string;
  /** Name of the IANA database; `UTC` without `CRON_TZ=`. */
  readonly zone: string;
  /** The first occurrence after an instant; undefined when there is none any more. */
  next(after: Date): Date | undefined;
}

const ZONE_WORD = 'CRON_TZ=';

/**
 * Reads the five fields of NCrontab, in UTC, or with `CRON_TZ=Zone ` before them in the time of a zone. There each time that clocks on the wall
 * show counts once: when they are put forward, what falls into the gap fires together at the first instant after it; when they are put back,
 * what is shown twice fires the first time.
 */
export function parseSchedule(text: string): Result<Schedule, ScheduleProblem> {
  if (!text.startsWith(ZONE_WORD)) {
    const fields = parseCronFields(text);
    return fields.ok ? ok({ text, zone: 'UTC', next: (after) => toDate(nextCronTime(fields.value, after.getTime())) }) : fields;
  }
  const space = text.indexOf(' ');
  const name = text.slice(ZONE_WORD.length, space === -1 ? undefined : space);
  const zone = name.length > 60 ? undefined : findTimeZone(name);
  if (zone === undefined) return err(unknownZone(name));
  const fieldsAt = space === -1 ? text.length : space + 1;
  const fields = parseCronFields(text.slice(fieldsAt), fieldsAt);
  return fields.ok ? ok({ text, zone: zone.name, next: (after) => toDate(nextInZone(fields.value, zone, after.getTime())) }) : fields;
}

/** The next occurrences after an instant, `count` at most. */
export function upcoming(schedule: Schedule, after: Date, count: number): readonly Date[] {
  const dates: Date[] = [];
  for (let next = schedule.next(after); next !== undefined && dates.length < count; next = schedule.next(next)) dates.push(next);
  return dates;
}

/** The newest occurrences from `from` (itself one) to `until`, ascending, `count` at most, without walking all of a long time. */
export function newestBetween(schedule: Schedule, from: Date, until: Date, count: number): readonly Date[] {
  for (let windowMs = 60_000 * count; ; windowMs *= 4) {
    const start = until.getTime() - windowMs;
    const whole = start < from.getTime();
    const found: Date[] = whole ? [from] : [];
    for (let next = schedule.next(whole ? from : new Date(start)); next !== undefined && next <= until; next = schedule.next(next))
      found.push(next);
    if (whole || found.length >= count) return found.slice(-count);
  }
}

/** Wall times only go on with their instants, so what the wall has shown by `afterMs` is not later than it. */
function nextInZone(fields: CronFields, zone: TimeZone, afterMs: number): number | undefined {
  let wall = nextCronTime(fields, zone.toWall(afterMs));
  while (wall !== undefined) {
    const instant = zone.toInstant(wall);
    if (instant > afterMs) return instant;
    wall = nextCronTime(fields, wall);
  }
  return undefined;
}

function toDate(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}

function unknownZone(name: string): ScheduleProblem {
  return {
    message: `${JSON.stringify(name.slice(0, 60))} is no time zone`,
    column: ZONE_WORD.length + 1,
    length: Math.max(1, name.length),
    expected: 'a name of the IANA database after `CRON_TZ=`, and a space',
    help: '`CRON_TZ=Europe/Berlin 0 3 * * *` is each day at 3:00 in Berlin; without it times are UTC.',
  };
}
