import type { Store } from '../../model/ports/store.ts';
import type { RunRecord } from '../../model/run-record.ts';
import { isTerminal } from '../../model/run-record.ts';
import type { HeldRun } from './held-run.ts';
import { type EndingParts, endLostRun, giveBack } from './run-endings.ts';
import { hasBegun } from './run-projection.ts';

/** Remembers of agents that they said goodbye: what they were preparing did not break them. */
export function rememberLeft(settings: Store['settings'], agent: string, left: boolean): Promise<void> {
  return settings.set(leftKey(agent), left);
}

export async function hasLeft(settings: Store['settings'], agent: string): Promise<boolean> {
  return (await settings.get(leftKey(agent))) === true;
}

function leftKey(agent: string): string {
  return `agent.left.${agent}`;
}

/** The row of a run, when the lease that is held is still the newest and the run has not ended. */
export async function stillHeld(store: Pick<Store, 'runs'>, held: HeldRun): Promise<RunRecord | undefined> {
  const record = await store.runs.get(held.run);
  return record === undefined || isTerminal(record) || record.attempt !== held.attempt ? undefined : record;
}

/** Nobody will go on with it: what has begun nothing goes back to the queue, anything else ends. */
export async function dealWithLost(parts: EndingParts & { readonly store: Store }, held: HeldRun): Promise<void> {
  const record = await stillHeld(parts.store, held);
  if (record === undefined) return;
  if (hasBegun(record)) await endLostRun(parts, record);
  else await giveBack(parts, record, !(await hasLeft(parts.store.settings, held.agent)));
}
