import { EngineError } from '../../model/engine-error.ts';
import type { Assignment } from '../../model/ports/agent-channel.ts';
import type { Clock } from '../../model/ports/clock.ts';
import type { SecretBox } from '../../model/ports/secret-box.ts';
import type { RunRecord } from '../../model/run-record.ts';
import type { HeldRuns } from './held-runs.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import { openPlanned, type Planned } from './run-checkpoint.ts';
import { allEvents, type EndingParts, endRun, endUnusableRun, giveBack } from './run-endings.ts';
import { hasBegun, outcomeTold, projectRun, resumeOf } from './run-projection.ts';

export interface TakeUpParts extends EndingParts {
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly leases: LeaseKeeper;
  readonly held: HeldRuns;
  onProblem(run: string, error: unknown): void;
}

/** A run that the agent had before it registered (again). One that cannot be taken up keeps no other from it. */
export async function takeUpRun(
  parts: TakeUpParts,
  record: RunRecord,
  { agent, leftInPeace }: { readonly agent: string; readonly leftInPeace: boolean },
): Promise<Assignment | undefined> {
  const { store, leases, held } = parts;
  const before = leases.get(record.id);
  try {
    const checkpoint = await store.runs.checkpointOf(record.id);
    if (checkpoint === undefined && !hasBegun(record)) {
      await giveBack(parts, record, !leftInPeace);
      return undefined;
    }
    if (checkpoint === undefined) throw new Error('bug: a step has begun without a plan that was kept');
    return await resume(parts, record, agent, openPlanned(parts.box, record.id, checkpoint));
  } catch (error) {
    // Nothing is wrong with the run: it is taken up when the agent registers again.
    if (error instanceof EngineError && (error.code === 'store-failed' || error.transient)) throw error;
    parts.onProblem(record.id, error);
    await endUnusableRun(parts, (await store.runs.get(record.id)) ?? record, error);
    return undefined;
  } finally {
    // Whoever had it before is fenced: the attempt has grown, or the run has ended.
    if (before !== undefined) held.letGo(before);
  }
}

async function resume(parts: TakeUpParts, record: RunRecord, agent: string, { plan, source }: Planned): Promise<Assignment | undefined> {
  const { store, logs, clock } = parts;
  const events = await allEvents(store, record.id);
  const view = projectRun({ steps: record.steps, images: record.images }, events);
  const told = outcomeTold(view, events.at(-1));
  if (told !== undefined) {
    await endRun(parts, record, told);
    return undefined;
  }
  const taken = await store.runs.claim(record.id, { agent, from: record.attempt });
  if (taken === undefined) return undefined;
  const run = parts.held.hold(taken, true);
  run.view = view;
  parts.queue.notify(taken);
  const positions = await logs.positions(record.id);
  return { ...parts.held.assignment(run), resume: resumeOf({ record: taken, plan, source, events, positions, now: clock.now() }) };
}
