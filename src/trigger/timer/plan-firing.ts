import type { TimerRow, TimerStore } from '../../model/ports/timer-store.ts';
import type { TimerTrigger } from '../../model/trigger-definition.ts';
import type { NewTriggerEvent } from '../../model/trigger-event.ts';
import { newestBetween } from '../../schedule/zoned-schedule.ts';
import { err, ok, type Result } from '../../util/result.ts';
import { dueOf, placeAfter, type Rhythm, readRhythm } from './occurrence.ts';

/** Runs that one timer is given at most for what was missed, whatever it says. */
const MOST_MISSED = 1000;

export type Firing = Parameters<TimerStore['fire']>[0][number];
export type MissedPolicy = Pick<TimerTrigger, 'onMissed' | 'mostMissed'>;

/** An occurrence is missed when the daemon was not there when it was due; one that a busy daemon is late for is not. `since`: of Presence. */
export function isMissed({ due }: TimerRow, since: Date): boolean {
  return due !== undefined && Date.parse(due) < since.getTime();
}

/**
 * What a timer that is due records, and its next place. One that is on time fires for one occurrence; what is due after it follows at once,
 * as it stands. Of missed occurrences those are recorded that `policy` asks for (of `skip` the newest, for the record), and the next place is
 * the first that was not missed. The error is one sentence.
 */
export function planFiring(
  row: TimerRow,
  { now, since }: { readonly now: Date; readonly since: Date },
  policy: MissedPolicy,
): Result<Firing, string> {
  const { taskId, name, next: from, due } = row;
  if (from === undefined || due === undefined) return err('the timer has no next occurrence');
  const rhythm = readRhythm(row.schedule);
  if (!rhythm.ok) return rhythm;
  const first = new Date(from);
  const late = isMissed(row, since);
  const occurrences = late
    ? newestBetween(rhythm.value.schedule, first, lastMissed(rhythm.value, row, first, since), recordedOf(policy))
    : [first];
  const last = occurrences.at(-1) ?? first;
  const events = occurrences.map((occurrence) => eventOf(row, occurrence, late));
  return ok({ taskId, name, from, ...placeAfter(rhythm.value, row, last, now), events });
}

/** Until when occurrences were missed: with jitter, one that lies back may not be due yet. */
function lastMissed(rhythm: Rhythm, row: TimerRow, first: Date, since: Date): Date {
  const until = new Date(since.getTime() - 1);
  const from = new Date(Math.max(first.getTime(), until.getTime() - rhythm.jitter * 1000));
  for (let at = rhythm.schedule.next(from); at !== undefined && at <= until; at = rhythm.schedule.next(at)) {
    if (dueOf(rhythm, row, at) > until) return new Date(at.getTime() - 1);
  }
  return until;
}

function recordedOf({ onMissed, mostMissed }: MissedPolicy): number {
  return onMissed === 'all' ? Math.max(1, Math.min(mostMissed, MOST_MISSED)) : 1;
}

function eventOf({ taskId, task, name }: TimerRow, occurrence: Date, late: boolean): NewTriggerEvent {
  const at = occurrence.toISOString();
  return {
    dedupKey: `timer:${taskId}:${name}:${at}`,
    origin: 'timer',
    happening: { kind: 'timer', task, taskId, trigger: name, occurrence: at, late },
  };
}
