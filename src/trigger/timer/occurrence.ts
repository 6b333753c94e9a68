import { createHash } from 'node:crypto';
import type { TimerRow } from '../../model/ports/timer-store.ts';
import type { TimerTrigger } from '../../model/trigger-definition.ts';
import { formatScheduleProblem } from '../../schedule/schedule-problem.ts';
import { parseSchedule, type Schedule } from '../../schedule/zoned-schedule.ts';
import { err, ok, type Result } from '../../util/result.ts';

/** What of a timer decides when it fires; `text` is what the store compares: with another one it begins anew. */
export interface Rhythm {
  readonly schedule: Schedule;
  /** Seconds. */
  readonly jitter: number;
}

const JITTER = / ~(\d{1,9})$/;
/** Many timers have one of a few rhythms. */
const MOST_KEPT = 1000;
const kept = new Map<string, Rhythm>();

export function rhythmText({ schedule, jitter }: Pick<TimerTrigger, 'schedule' | 'jitter'>): string {
  return jitter === 0 ? schedule : `${schedule} ~${jitter}`;
}

/** Reads `rhythmText`. The error is one sentence. */
export function readRhythm(text: string): Result<Rhythm, string> {
  const known = kept.get(text);
  if (known !== undefined) return ok(known);
  const schedule = parseSchedule(text.replace(JITTER, ''));
  if (!schedule.ok) return err(formatScheduleProblem(schedule.error));
  const rhythm = { schedule: schedule.value, jitter: Number(JITTER.exec(text)?.[1] ?? 0) };
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(text, rhythm);
  return ok(rhythm);
}

/** When an occurrence fires. Its part of the jitter is the same wherever and whenever it is asked for. */
export function dueOf({ jitter }: Rhythm, timer: Pick<TimerRow, 'taskId' | 'name'>, occurrence: Date): Date {
  if (jitter === 0) return occurrence;
  const hash = createHash('sha256').update(`${timer.taskId} ${timer.name} ${occurrence.toISOString()}`).digest();
  return new Date(occurrence.getTime() + Math.floor((hash.readUInt32BE(0) / 2 ** 32) * jitter * 1000));
}

/** The place of a timer before the first occurrence after `after`; fires no earlier than `notBefore`. Empty when there is none any more. */
export function placeAfter(
  rhythm: Rhythm,
  timer: Pick<TimerRow, 'taskId' | 'name'>,
  after: Date,
  notBefore = after,
): Pick<TimerRow, 'next' | 'due'> {
  const next = rhythm.schedule.next(after);
  if (next === undefined) return {};
  const due = dueOf(rhythm, timer, next);
  return { next: next.toISOString(), due: (due < notBefore ? notBefore : due).toISOString() };
}
