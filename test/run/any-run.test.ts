import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PlanStep } from '../../src/model/plan.ts';
import { build, cmd, push } from './plans.ts';
import { startRun } from './rig.ts';

const row = fc.record({
  needs: fc.array(fc.nat(), { maxLength: 3 }),
  kind: fc.constantFrom('cmd', 'cmd', 'cmd', 'build', 'push'),
  detach: fc.nat(6),
  sleepMs: fc.constantFrom(0, 0, 100, 300),
  delayMs: fc.constantFrom(0, 0, 50),
  exitCode: fc.constantFrom('0', '0', '0', '0', '1', '1,0'),
  retries: fc.nat(1),
  ignoreErrors: fc.boolean(),
});

const steps = fc.array(row, { maxLength: 14 }).map((rows) =>
  rows.map((one, index): PlanStep => {
    const common = {
      needs: index === 0 ? [] : [...new Set(one.needs.map((need) => `s${need % index}`))],
      startDelayMs: one.delayMs,
      ignoreErrors: one.ignoreErrors,
    };
    if (one.kind === 'build') return build(`s${index}`, { ...common, spec: { tags: [`image${index}`] } });
    if (one.kind === 'push') return push(`s${index}`, [`image${index}`], common);
    const env = [`FAKE_EXIT_CODE=${one.exitCode}`, `FAKE_SLEEP_MS=${one.sleepMs}`, 'FAKE_OUTPUT=hello\\n'];
    return cmd(`s${index}`, { ...common, env, detach: one.detach === 0, retries: one.retries, retryDelayMs: 70 });
  }),
);

/** The fake engine itself refuses steps of a lane that overlap, calls after destroy, and attempts with the same number. */
test('any run ends: steps start after their needs, each ends once, and the status says what happened', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.boolean(),
      fc.option(fc.integer({ min: 1, max: 3 })),
      fc.option(fc.integer({ min: 1, max: 500 })),
      async (list, keepGoing, parallel, cancelAtMs) => {
        const rig = startRun(list, { options: { keepGoing, parallel: parallel ?? undefined } });
        let over = false;
        const result = rig.result.finally(() => {
          over = true;
        });
        for (let now = 0; !over; now += 50) {
          if (cancelAtMs !== null && now >= cancelAtMs) rig.cancel.abort();
          await rig.clock.advance(50);
        }
        const { status, steps: states } = await result;

        expect(rig.engine.destroyed).toBe(1);
        expect(rig.clock.remaining()).toEqual([]);
        expect(rig.events.map((event) => event.seq)).toEqual(rig.events.map((_, index) => index + 1));
        expect(rig.events.at(-1)?.type).toBe('run-finished');

        const ended = new Map<string, string>();
        for (const event of rig.events) {
          if (event.type === 'step-started' || event.type === 'step-output' || event.type === 'step-delayed')
            expect(ended.has(event.step)).toBe(false);
          if (event.type === 'step-started') {
            for (const need of list.find((step) => step.id === event.step)?.needs ?? []) expect(ended.get(need)).toBe('succeeded');
          }
          if (event.type === 'step-finished') {
            expect(ended.has(event.step)).toBe(false);
            ended.set(event.step, event.status);
          }
        }
        expect([...states.keys()].every((id) => states.get(id)?.status === ended.get(id))).toBe(true);
        expect(ended.size).toBe(list.length);
        const statuses = new Set(ended.values());
        const allSucceeded = [...statuses].every((one) => one === 'succeeded');
        expect(status === 'Succeeded').toBe(allSucceeded);
        if (statuses.has('failed') && !(keepGoing && rig.cancel.signal.aborted)) expect(status).toBe('Failed');
        if (status === 'Canceled') expect(rig.cancel.signal.aborted).toBe(true);
        if (parallel !== null)
          expect(rig.engine.peak).toBeLessThanOrEqual(parallel + list.filter((step) => step.kind === 'cmd' && step.detach).length);
      },
    ),
    { numRuns: 150 },
  );
});
