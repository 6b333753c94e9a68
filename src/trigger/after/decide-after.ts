import type { Cause, RunRecord } from '../../model/run-record.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import { type AfterTrigger, triggersOf } from '../../model/trigger-definition.ts';
import { type Chain, chainOf, LONGEST_CHAIN } from '../chain.ts';
import { firedDecision, skipped } from '../fired.ts';
import type { Evaluation, TriggerParts } from '../parts.ts';

type Decision = Evaluation['decisions'][number];

export interface EndedRun {
  readonly run: RunRecord;
  readonly task: string;
  /** Id of the event. */
  readonly event: string;
}

/** What the end of a run means for the `after` triggers of one task that follows it. */
export async function decideAfter(
  parts: Pick<TriggerParts, 'store' | 'runs'>,
  ended: EndedRun,
  follower: TaskRecord,
): Promise<readonly Decision[]> {
  const decisions: Decision[] = [];
  const { store } = parts;
  const chain = await chainOf({ run: ended.run.id, task: ended.task }, { runs: store.runs, watch: store.imageWatch });
  for (const trigger of triggersOf(follower.definition).afterTriggers) {
    if (trigger.task !== ended.task) continue;
    decisions.push(refusalOf({ ...ended, chain }, follower, trigger) ?? (await fire(parts, { ...ended, chain }, follower, trigger)));
  }
  return decisions;
}

/** Its chain is undefined when the run was deleted meanwhile. */
type Ended = EndedRun & { readonly chain: Chain | undefined };

function refusalOf({ run, task, chain }: Ended, { definition }: TaskRecord, trigger: AfterTrigger): Decision | undefined {
  const of = { task: definition.name, trigger: trigger.name };
  const what = `run ${run.id} of task ${task}`;
  if (definition.status === 'Disabled') return skipped(of, 'task-disabled', `task ${of.task} is disabled`);
  if (trigger.status === 'Disabled') return skipped(of, 'trigger-disabled', `trigger ${of.trigger} is disabled`);
  if (run.request.trust === 'untrusted') {
    return skipped(of, 'fork-ignored', `${what} is of a forked pull request, which starts no other task`);
  }
  if (run.status !== 'Succeeded') return skipped(of, 'status-not-followed', `${what} ended as ${run.status}`);
  if (trigger.on === 'pushed' && run.images.length === 0) return skipped(of, 'status-not-followed', `${what} pushed no image`);
  const cycle = chain?.cycleOf(of.task);
  if (cycle !== undefined) return skipped(of, 'already-in-chain', `it would follow itself: ${cycle.join(' → ')}`);
  if (chain === undefined || chain.length < LONGEST_CHAIN) return undefined;
  return skipped(of, 'chain-too-long', `${what} is number ${chain.length} of a chain of runs, and ${LONGEST_CHAIN} are allowed`);
}

async function fire(
  { store, runs }: Pick<TriggerParts, 'store' | 'runs'>,
  { run, task, event, chain }: Ended,
  follower: TaskRecord,
  trigger: AfterTrigger,
): Promise<Decision> {
  const of = { task: follower.definition.name, trigger: trigger.name };
  const cause: Cause = { kind: 'after', task, run: run.id, eventId: event };
  const result = await runs.fire({
    task: follower,
    firing: { taskId: follower.id, trigger: trigger.name, keys: [run.id], event },
    causes: [cause, ...(chain?.causes ?? [])],
    trust: 'trusted',
  });
  const did = trigger.on === 'pushed' ? `pushed ${run.images.map(({ reference }) => reference).join(', ')}` : 'succeeded';
  return firedDecision(store.runs, of, event, result, `run ${run.id} of task ${task} ${did}`.slice(0, 500));
}
