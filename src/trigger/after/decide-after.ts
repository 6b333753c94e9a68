import type { Cause, RunRecord } from '../../model/run-record.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import { type AfterTrigger, triggersOf } from '../../model/trigger-definition.ts';
import { firedDecision, skipped } from '../fired.ts';
import type { Evaluation, TriggerParts } from '../parts.ts';
import { chainOfTasks, MOST_LINKS } from './cause-chain.ts';

/** Of one run: a chain, and what began it. */
const MOST_CAUSES = 20;

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
  for (const trigger of triggersOf(follower.definition).afterTriggers) {
    if (trigger.task !== ended.task) continue;
    decisions.push(refusalOf(ended, follower, trigger) ?? (await fire(parts, ended, follower, trigger)));
  }
  return decisions;
}

function refusalOf({ run, task }: EndedRun, { definition }: TaskRecord, trigger: AfterTrigger): Decision | undefined {
  const of = { task: definition.name, trigger: trigger.name };
  const what = `run ${run.id} of task ${task}`;
  if (definition.status === 'Disabled') return skipped(of, 'task-disabled', `task ${of.task} is disabled`);
  if (trigger.status === 'Disabled') return skipped(of, 'trigger-disabled', `trigger ${of.trigger} is disabled`);
  if (run.request.trust === 'untrusted') {
    return skipped(of, 'fork-ignored', `${what} is of a forked pull request, which starts no other task`);
  }
  if (run.status !== 'Succeeded') return skipped(of, 'status-not-followed', `${what} ended as ${run.status}`);
  if (trigger.on === 'pushed' && run.images.length === 0) return skipped(of, 'status-not-followed', `${what} pushed no image`);
  const chain = chainOfTasks(run);
  const first = chain.indexOf(of.task);
  if (first >= 0) return skipped(of, 'already-in-chain', `it would follow itself: ${[...chain.slice(first), of.task].join(' → ')}`);
  if (chain.length >= MOST_LINKS) {
    return skipped(of, 'chain-too-long', `${what} is number ${chain.length} of a chain of runs, and ${MOST_LINKS} are allowed`);
  }
  return undefined;
}

async function fire(
  { store, runs }: Pick<TriggerParts, 'store' | 'runs'>,
  { run, task, event }: EndedRun,
  follower: TaskRecord,
  trigger: AfterTrigger,
): Promise<Decision> {
  const of = { task: follower.definition.name, trigger: trigger.name };
  const cause: Cause = { kind: 'after', task, run: run.id, eventId: event };
  const result = await runs.fire({
    task: follower,
    firing: { taskId: follower.id, trigger: trigger.name, keys: [run.id], event },
    causes: [cause, ...run.request.causes].slice(0, MOST_CAUSES),
    trust: 'trusted',
  });
  const did = trigger.on === 'pushed' ? `pushed ${run.images.map(({ reference }) => reference).join(', ')}` : 'succeeded';
  return firedDecision(store.runs, of, event, result, `run ${run.id} of task ${task} ${did}`.slice(0, 500));
}
