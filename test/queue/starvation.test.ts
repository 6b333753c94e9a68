import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { QueueAgent } from '../../src/queue/admission.ts';
import { nextRun } from '../../src/queue/claim-policy.ts';
import type { LiveRun } from '../../src/queue/live-run.ts';
import { QueueBook } from '../../src/queue/queue-book.ts';
import { waitingRun } from './live-runs.ts';

const TICK_MS = 60_000;
/** The whole range of priorities rises in 100 minutes; then the runs before it in its gates must end. */
const LONGEST_TICKS = 60 * 12;
const LIMITS = { maxRunning: 100, pools: {} };

const kind = fc.record({
  task: fc.constantFrom('a', 'b', 'c'),
  priority: fc.integer({ min: -100, max: 100 }),
  group: fc.option(fc.record({ name: fc.constantFrom('g', 'h'), limit: fc.integer({ min: 1, max: 2 }) }), { nil: undefined }),
  maxParallelRuns: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
});

function runOf(
  number: number,
  nowMs: number,
  { group, maxParallelRuns, ...rest }: typeof kind extends fc.Arbitrary<infer K> ? K : never,
): LiveRun {
  const limits = { ...(group === undefined ? {} : { group }), ...(maxParallelRuns === undefined ? {} : { maxParallelRuns }) };
  return waitingRun(number, { ...rest, ...limits, createdMs: nowMs });
}

test('every run starts in the end, behind any endless stream of more urgent ones', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(
      kind,
      fc.array(kind, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 5 }),
      (victimKind, stream, slots, runTicks) => {
        const book = new QueueBook();
        const agent: QueueAgent = { id: 'one', pool: 'default', slots };
        const endsAt = new Map<string, number>();
        let number = 0;
        let victim: LiveRun | undefined;
        for (let tick = 0; tick < LONGEST_TICKS; tick += 1) {
          const nowMs = tick * TICK_MS;
          for (const [id, at] of endsAt) {
            if (at > tick) continue;
            endsAt.delete(id);
            book.remove(id, nowMs);
          }
          // Each kind of the stream always has one waiting.
          for (const [index, each] of stream.entries()) {
            number += 1;
            if (![...book.runs()].some((run) => run.phase === 'queued' && run.pool === 'default' && run.id.startsWith(`s${index}-`)))
              book.put({ ...runOf(number, nowMs, each), id: `s${index}-${number}` }, nowMs);
          }
          if (tick === 10) {
            number += 1;
            victim = runOf(number, nowMs, victimKind);
            book.put(victim, nowMs);
          }
          for (;;) {
            const run = nextRun({ book, agents: [agent], limits: LIMITS, nowMs }, agent);
            if (run === undefined) break;
            if (run === victim) return;
            book.put({ ...run, phase: 'running', agent: 'one', attempt: 1 }, nowMs);
            endsAt.set(run.id, tick + runTicks);
          }
        }
        expect.fail(`the run had not started after ${LONGEST_TICKS} ticks`);
      },
    ),
    { numRuns: 2000 },
  );
});
