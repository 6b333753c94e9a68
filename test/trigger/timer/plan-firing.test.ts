import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { TimerRow } from '../../../src/model/ports/timer-store.ts';
import { placeAfter, readRhythm, rhythmText } from '../../../src/trigger/timer/occurrence.ts';
import { type MissedPolicy, planFiring } from '../../../src/trigger/timer/plan-firing.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 2, 28, 20);

interface Fired {
  readonly occurrence: string;
  readonly late: boolean;
  readonly atMs: number;
}

interface Wait {
  readonly ms: number;
  /** Nobody was there meanwhile. */
  readonly away: boolean;
}

/** Plays a timer that is looked at after each of these waits. */
function play(schedule: string, jitter: number, policy: MissedPolicy, waits: readonly Wait[]) {
  const text = rhythmText({ schedule, jitter });
  const rhythm = readRhythm(text);
  if (!rhythm.ok) throw new Error(rhythm.error);
  const timer = { taskId: 'id', task: 'app', name: 't1', schedule: text };
  let row: TimerRow = { ...timer, ...placeAfter(rhythm.value, timer, new Date(START)) };
  const first = row.next;
  const fired: Fired[] = [];
  let nowMs = START;
  let sinceMs = START;
  for (const { ms, away } of waits) {
    nowMs += ms;
    if (away) sinceMs = nowMs;
    while (row.due !== undefined && Date.parse(row.due) <= nowMs) {
      const plan = planFiring(row, { now: new Date(nowMs), since: new Date(sinceMs) }, policy);
      if (!plan.ok) throw new Error(plan.error);
      const { next, due, events } = plan.value;
      for (const { happening } of events) {
        if (happening.kind === 'timer') fired.push({ occurrence: happening.occurrence, late: happening.late, atMs: nowMs });
      }
      row = { ...timer, ...(next === undefined || due === undefined ? {} : { next, due }) };
    }
  }
  const all: string[] = [];
  for (
    let at = first === undefined ? undefined : new Date(first);
    at !== undefined && at.toISOString() !== row.next;
    at = rhythm.value.schedule.next(at)
  ) {
    all.push(at.toISOString());
  }
  return { fired, all };
}

const schedules = fc.constantFrom('* * * * *', '*/7 * * * *', '30 2 * * *', 'CRON_TZ=Europe/Berlin */20 2 * * *');
const jitters = fc.constantFrom(0, 0, 30, 600, 5000);
const times = fc.oneof(fc.integer({ min: 1, max: 30_000 }), fc.integer({ min: 1, max: 6 * 60 * MINUTE }));
const waits = fc.array(fc.record({ ms: times, away: fc.boolean() }), { maxLength: 60 });
const busy = fc.array(fc.record({ ms: times, away: fc.constant(false) }), { maxLength: 60 });
const absences = fc.array(fc.record({ ms: times, away: fc.constant(true) }), { maxLength: 60 });

it('with onMissed: all every occurrence fires once, in order, however it is woken', () => {
  fc.assert(
    fc.property(schedules, jitters, waits, (schedule, jitter, pauses) => {
      const { fired, all } = play(schedule, jitter, { onMissed: 'all', mostMissed: 1000 }, pauses);
      expect(fired.map(({ occurrence }) => occurrence)).toEqual(all);
    }),
    { numRuns: 200 },
  );
});

it('with onMissed: latest only occurrences before a later one of the same wake are left out', () => {
  fc.assert(
    fc.property(schedules, jitters, waits, (schedule, jitter, pauses) => {
      const { fired, all } = play(schedule, jitter, { onMissed: 'latest', mostMissed: 1 }, pauses);
      const occurrences = fired.map(({ occurrence }) => occurrence);
      expect(occurrences).toEqual([...new Set(occurrences)].sort());
      expect(all).toEqual(expect.arrayContaining(occurrences));
      // Of those of one wake at most one fires late.
      const lateAt = fired.filter(({ late }) => late).map(({ atMs }) => atMs);
      expect(new Set(lateAt).size).toBe(lateAt.length);
      expect(occurrences.at(-1)).toBe(all.at(-1));
    }),
    { numRuns: 200 },
  );
});

it('what somebody is there for fires, however late it is looked at', () => {
  fc.assert(
    fc.property(schedules, jitters, busy, (schedule, jitter, pauses) => {
      const { fired, all } = play(schedule, jitter, { onMissed: 'skip', mostMissed: 1 }, pauses);
      expect(fired.filter(({ late }) => late)).toEqual([]);
      expect(fired.length).toBe(all.length);
    }),
    { numRuns: 100 },
  );
});

it('what nobody was there for is late, by however little', () => {
  fc.assert(
    fc.property(schedules, absences, (schedule, pauses) => {
      const { fired } = play(schedule, 0, { onMissed: 'all', mostMissed: 1000 }, pauses);
      expect(fired.filter(({ late, occurrence, atMs }) => late !== Date.parse(occurrence) < atMs)).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
