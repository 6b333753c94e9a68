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

/** Plays a timer that is looked at after each of these waits, in milliseconds. */
function play(schedule: string, jitter: number, policy: MissedPolicy, waits: readonly number[]) {
  const text = rhythmText({ schedule, jitter });
  const rhythm = readRhythm(text);
  if (!rhythm.ok) throw new Error(rhythm.error);
  const timer = { taskId: 'id', task: 'app', name: 't1', schedule: text };
  let row: TimerRow = { ...timer, ...placeAfter(rhythm.value, timer, new Date(START)) };
  const first = row.next;
  const fired: Fired[] = [];
  let nowMs = START;
  for (const wait of waits) {
    nowMs += wait;
    while (row.due !== undefined && Date.parse(row.due) <= nowMs) {
      const plan = planFiring(row, new Date(nowMs), policy);
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
const waits = fc.array(fc.oneof(fc.integer({ min: 1, max: 30_000 }), fc.integer({ min: 1, max: 6 * 60 * MINUTE })), { maxLength: 60 });

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

it('what is looked at in time is never late', () => {
  const short = fc.array(fc.integer({ min: 1, max: MINUTE }), { maxLength: 300 });
  fc.assert(
    fc.property(schedules, jitters, short, (schedule, jitter, pauses) => {
      const { fired, all } = play(schedule, jitter, { onMissed: 'skip', mostMissed: 1 }, pauses);
      expect(fired.filter(({ late }) => late)).toEqual([]);
      expect(fired.length).toBe(all.length);
    }),
    { numRuns: 100 },
  );
});
