import type { RunStore } from '../../model/ports/store.ts';
import type { RunHold } from '../../model/run-hold.ts';
import { ACTIVE_STATUSES, type RunSummary } from '../../model/run-record.ts';
import type { TimerTrigger } from '../../model/trigger-definition.ts';

/** Runs of one task that are looked at; a task with more is behind in any case. */
const MOST_LIVE = 1000;

/** Runs of a timer that have not ended, newest first. */
export async function liveRunsOf(runs: Pick<RunStore, 'list'>, task: string, trigger: string): Promise<readonly RunSummary[]> {
  const live = await runs.list({ task, status: ['Queued', ...ACTIVE_STATUSES], limit: MOST_LIVE });
  return live.filter(({ causes: [first] }) => first?.kind === 'timer' && first.trigger === trigger);
}

export type OverlapChoice =
  | { readonly kind: 'run'; readonly hold?: RunHold; readonly cancel: readonly string[] }
  | { readonly kind: 'skip'; readonly because: string; readonly run: string };

/** What a timer does while runs of it have not ended. */
export function chooseOverlap(overlap: TimerTrigger['overlap'], live: readonly RunSummary[]): OverlapChoice {
  const [newest] = live;
  if (newest === undefined || overlap === 'allow') return { kind: 'run', cancel: [] };
  const ids = live.map(({ id }) => id);
  if (overlap === 'cancelPrevious') return { kind: 'run', cancel: ids };
  if (overlap === 'skip') return { kind: 'skip', because: `run ${newest.id} of this timer has not ended (overlap: skip)`, run: newest.id };
  const waiting = live.find(({ status }) => status === 'Queued');
  if (waiting !== undefined) {
    return { kind: 'skip', because: `run ${waiting.id} of this timer waits already (overlap: queue)`, run: waiting.id };
  }
  return { kind: 'run', hold: { because: `waits for run ${ids.join(', ')} of the same timer`, runs: ids }, cancel: [] };
}
