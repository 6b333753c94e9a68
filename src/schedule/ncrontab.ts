import { err, ok, type Result } from '../util/result.ts';
import { FIELD_KINDS, parseField } from './cron-field.ts';
import type { ScheduleProblem } from './schedule-problem.ts';

/** The values at which a schedule fires, each ascending and not empty. All five must hold: days of month and of week are both asked. */
export interface CronFields {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  readonly weekdays: readonly number[];
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const LAST_YEAR = 9999;
/** More than any schedule needs, and less than would be work. */
const LONGEST_TEXT = 1000;
const NO_TEXT = { expected: 'five fields: minute hour day month day-of-week', help: '`0 3 * * *` is each day at 3:00.' };

/** Five fields, separated by spaces, by the rules of NCrontab. `at`: where `text` begins in what the person wrote. */
export function parseCronFields(text: string, at = 0): Result<CronFields, ScheduleProblem> {
  if (text.length > LONGEST_TEXT) {
    const message = `the schedule has ${text.length} characters, and ${LONGEST_TEXT} are allowed`;
    return err({ message, column: at + 1, length: text.length, ...NO_TEXT });
  }
  const pieces = [...text.matchAll(/[^ ]+/g)].map((match) => ({ text: match[0], at: at + match.index }));
  if (pieces.length !== FIELD_KINDS.length) return err(wrongCount(pieces, text, at));
  const values: (readonly number[])[] = [];
  for (const [index, kind] of FIELD_KINDS.entries()) {
    const piece = pieces[index];
    if (piece === undefined) break;
    const field = parseField(kind, piece.text, piece.at);
    if (!field.ok) return field;
    values.push(field.value);
  }
  const [minutes = [], hours = [], days = [], months = [], weekdays = []] = values;
  return ok({ minutes, hours, days, months, weekdays });
}

/**
 * The first time after `afterMs` at which all fields hold, in milliseconds of a calendar without time zones (as Date.UTC counts); undefined
 * when there is none up to the year 9999. Walks days at most, and only those that the month and day fields name.
 */
export function nextCronTime(fields: CronFields, afterMs: number): number | undefined {
  if (!isPossible(fields)) return undefined;
  const from = Math.floor(afterMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  const today = Math.floor(from / DAY_MS) * DAY_MS;
  const inDay = (from - today) / MINUTE_MS;
  if (new Date(today).getUTCFullYear() <= LAST_YEAR && dayMatches(fields, new Date(today))) {
    const minute = nextMinute(fields, inDay);
    if (minute !== undefined) return today + minute * MINUTE_MS;
  }
  const day = nextDay(fields, today);
  return day === undefined ? undefined : day + (nextMinute(fields, 0) ?? 0) * MINUTE_MS;
}

/** Minutes of the day, from `from` on. */
function nextMinute({ hours, minutes }: CronFields, from: number): number | undefined {
  const hour = Math.floor(from / 60);
  const first = minutes[0] ?? 0;
  if (hours.includes(hour)) {
    const minute = minutes.find((value) => value >= from % 60);
    if (minute !== undefined) return hour * 60 + minute;
  }
  const later = hours.find((value) => value > hour);
  return later === undefined ? undefined : later * 60 + first;
}

function dayMatches({ days, months, weekdays }: CronFields, day: Date): boolean {
  return months.includes(day.getUTCMonth() + 1) && days.includes(day.getUTCDate()) && weekdays.includes(day.getUTCDay());
}

/** The first day after `todayMs` that matches: by the months and days that are named. */
function nextDay(fields: CronFields, todayMs: number): number | undefined {
  const today = new Date(todayMs);
  for (let year = today.getUTCFullYear(); year <= LAST_YEAR; year += 1) {
    for (const month of fields.months) {
      const afterMonth = year === today.getUTCFullYear() ? month - 1 - today.getUTCMonth() : 1;
      if (afterMonth < 0) continue;
      const day = dayInMonth(fields, year, month, afterMonth === 0 ? today.getUTCDate() + 1 : 1);
      if (day !== undefined) return day;
    }
  }
  return undefined;
}

function dayInMonth({ days, weekdays }: CronFields, year: number, month: number, from: number): number | undefined {
  const length = daysInMonth(year, month);
  const day = days.find((value) => {
    return value >= from && value <= length && weekdays.includes(new Date(Date.UTC(year, month - 1, value)).getUTCDay());
  });
  return day === undefined ? undefined : Date.UTC(year, month - 1, day);
}

function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** 30 February never comes. Every other date does on each day of the week: 29 February within 40 years. */
function isPossible({ days, months }: CronFields): boolean {
  const leapYear = 2000;
  return months.some((month) => (days[0] ?? 0) <= daysInMonth(leapYear, month));
}

function wrongCount(pieces: readonly { readonly text: string; readonly at: number }[], text: string, at: number): ScheduleProblem {
  const place = { column: at + 1, length: Math.max(1, text.length) };
  if (text.startsWith('@')) return { message: 'words such as `@daily` are not known', ...place, ...NO_TEXT };
  const message = pieces.length === 0 ? 'the schedule is empty' : `the schedule has ${pieces.length} of 5 fields`;
  if (pieces.length <= FIELD_KINDS.length) return { message, ...place, ...NO_TEXT };
  const extra = pieces[FIELD_KINDS.length];
  const help = 'Seconds and years are not known: a task is started each minute at most.';
  return {
    ...NO_TEXT,
    message: `the schedule has ${pieces.length} fields`,
    column: (extra?.at ?? at) + 1,
    length: extra?.text.length ?? 1,
    help,
  };
}
