import type { Cause, RunRequest } from '../../model/run-record.ts';
import type { TaskConcurrency } from '../../model/task-definition.ts';
import type { TaskInput } from '../../model/task-input.ts';
import { classifyContext } from '../../task/build/context.ts';

const LONGEST_GROUP = 512;

type SourceCause = Extract<Cause, { readonly kind: 'source' }>;

/** The concurrency of one run: its group with the values of the run, from its nearest cause or its context. */
export function expandConcurrency(
  concurrency: NonNullable<TaskInput['concurrency']>,
  { task, step }: Pick<RunRequest, 'task' | 'step'>,
  source: SourceCause | undefined,
): TaskConcurrency {
  const context = step.contextPath === undefined ? undefined : classifyContext(step.contextPath);
  const ref = context?.kind === 'git' ? context.ref : '';
  const isCommit = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
  const group = expandGroup(concurrency.group, {
    task: task ?? '',
    branch: source?.branch ?? (isCommit ? '' : ref),
    commit: source?.commit ?? (isCommit ? ref : ''),
    pullRequest: source?.pullRequest ?? '',
  });
  return { limit: 1, onConflict: 'queue', ...concurrency, group };
}

/** `${task}`, `${branch}`, `${commit}` and `${pullRequest}`; what is not known is empty. What is put in is not looked at again. */
export function expandGroup(group: string, values: Readonly<Record<'task' | 'branch' | 'commit' | 'pullRequest', string>>): string {
  const text = group.replaceAll(/\$\{(task|branch|commit|pullRequest)\}/g, (_, name: keyof typeof values) => values[name]);
  return text.slice(0, LONGEST_GROUP);
}
