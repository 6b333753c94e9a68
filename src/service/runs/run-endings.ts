import { EngineError } from '../../model/engine-error.ts';
import type { LogStore } from '../../model/ports/log-store.ts';
import type { RunQueue } from '../../model/ports/run-queue.ts';
import type { RunOutcome, Store } from '../../model/ports/store.ts';
import type { RunEvent } from '../../model/run-event.ts';
import type { RunRecord } from '../../model/run-record.ts';
import { isTerminal } from '../../model/run-record.ts';
import type { RunHub } from './hub.ts';
import { RunLog } from './run-log.ts';
import { outcomeOfDaemon, outcomeTold } from './run-projection.ts';

/** A run that broke its agent this often while it was prepared is not tried again. */
export const QUARANTINE_AT = 3;

/** Events are read in pages of this many. */
const PAGE = 1000;

export interface EndingParts {
  readonly store: Pick<Store, 'runs'>;
  readonly logs: LogStore;
  readonly queue: RunQueue;
  readonly hub: RunHub;
}

/** Tells the queue and those who watch how a run stands now. Undefined when it is not there (any more). */
export async function tellChange({ store, queue, hub }: EndingParts, run: string): Promise<RunRecord | undefined> {
  const record = await store.runs.get(run);
  if (record === undefined) return undefined;
  queue.notify(record);
  const { status, request } = record;
  hub.publish({ kind: 'status', run, status, ...(request.task === undefined ? {} : { task: request.task }) }, record);
  return record;
}

/** Ends a run on behalf of the daemon, if it has not been claimed again since (`attempt`). Its log gets no more. */
export async function endRun(parts: EndingParts, record: RunRecord, outcome: RunOutcome): Promise<boolean> {
  if ((await parts.store.runs.finish(record.id, record.attempt, outcome)) === 'stale') return false;
  try {
    await new RunLog(parts.logs, record.id).seal();
  } finally {
    await tellChange(parts, record.id);
  }
  return true;
}

/**
 * Ends a run whose agent will not come back: as its last event says, when that was its end; as Canceled when that was asked; otherwise as
 * Error `agent-lost`.
 */
export async function endLostRun(parts: EndingParts, record: RunRecord): Promise<boolean> {
  const told = outcomeTold(record, await lastEvent(parts.store, record));
  return endRun(parts, record, told ?? canceledOutcome(record) ?? lostOutcome(record));
}

function canceledOutcome(record: RunRecord): RunOutcome | undefined {
  return record.cancel === undefined ? undefined : outcomeOfDaemon(record, 'Canceled', { message: record.cancel.reason });
}

function lostOutcome(record: RunRecord): RunOutcome {
  const running = record.steps.find(({ status }) => status === 'running');
  const message = `the agent ${JSON.stringify(record.agent ?? '')} was lost while it ran${running === undefined ? '' : ` step ${running.id}`}, and did not come back`;
  return outcomeOfDaemon(record, 'Error', { ...(running === undefined ? {} : { step: running.id }), message, errorCode: 'agent-lost' });
}

/**
 * Puts a run that has begun no step back into the queue. `crashed`: its agent was lost while it prepared the run, which may be the run's own
 * doing: at the third time it is ended as Error `run-quarantined`.
 */
export async function giveBack(parts: EndingParts, record: RunRecord, crashed: boolean): Promise<void> {
  const canceled = canceledOutcome(record);
  if (canceled !== undefined) {
    await endRun(parts, record, canceled);
    return;
  }
  const { runs } = parts.store;
  const taken = crashed ? await runs.claim(record.id, { agent: record.agent ?? '', from: record.attempt, crashed }) : record;
  if (taken === undefined) return;
  if (crashed && taken.crashes >= QUARANTINE_AT) {
    await endRun(parts, taken, quarantined(taken));
    return;
  }
  if ((await releaseRun(parts, taken)) === 'done') await tellChange(parts, taken.id);
}

/** Steps of a plan that was not begun are forgotten: the next attempt makes its own. The caller has seen that none has begun. */
export async function releaseRun(
  { store: { runs } }: Pick<EndingParts, 'store'>,
  { id, attempt, steps }: Pick<RunRecord, 'id' | 'attempt' | 'steps'>,
): Promise<'done' | 'stale'> {
  // Asked for in one turn: one transaction.
  const forgotten = steps.length === 0 ? undefined : runs.append(id, attempt, [], { steps: [] });
  const [, released] = await Promise.all([forgotten, runs.release(id, attempt)]);
  return released;
}

function quarantined(record: RunRecord): RunOutcome {
  return outcomeOfDaemon(record, 'Error', {
    message: `an agent was lost ${record.crashes} times while it prepared this run`,
    errorCode: 'run-quarantined',
  });
}

/** For a run that cannot be gone on with, whatever the reason: it must not keep others from going on. */
export async function endUnusableRun(parts: EndingParts, record: RunRecord, error: unknown): Promise<void> {
  const message = `the run cannot be gone on with: ${error instanceof Error ? error.message : String(error)}`;
  const errorCode = error instanceof EngineError ? error.code : 'internal';
  await endRun(parts, record, outcomeOfDaemon(record, 'Error', { message, errorCode }));
}

export async function allEvents({ runs }: Pick<Store, 'runs'>, run: string): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const page = await runs.events(run, { after: events.at(-1)?.seq ?? 0, limit: PAGE });
    events.push(...page);
    if (page.length < PAGE) return events;
  }
}

async function lastEvent({ runs }: Pick<Store, 'runs'>, record: RunRecord): Promise<RunEvent | undefined> {
  if (record.lastEvent === 0 || isTerminal(record)) return undefined;
  const [event] = await runs.events(record.id, { after: record.lastEvent - 1, limit: 1 });
  return event;
}
