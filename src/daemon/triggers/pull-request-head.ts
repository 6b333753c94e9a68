import type { GitSource } from '../../model/ports/git-source.ts';
import type { TaskStore } from '../../model/ports/store.ts';
import type { RunRecord } from '../../model/run-record.ts';
import { triggersOf } from '../../model/trigger-definition.ts';
import type { TriggerSecrets } from '../../trigger/parts.ts';

const TIMEOUT_MS = 30_000;

/**
 * The commit that the pull request of a run is at now, asked of its repository; undefined when it is gone. Where its forge keeps no ref of pull
 * requests, or the task follows the repository no longer, nothing newer can be known than what the run is of.
 */
export async function headOfPullRequest(
  run: RunRecord,
  parts: {
    readonly tasks: Pick<TaskStore, 'get'>;
    readonly git: Pick<GitSource, 'listRefs'>;
    readonly secrets: Pick<TriggerSecrets, 'sourceToken'>;
  },
): Promise<string | undefined> {
  const { request, hold } = run;
  const cause = request.causes.find(({ kind }) => kind === 'source');
  const task = request.task === undefined ? undefined : await parts.tasks.get(request.task);
  const name = cause?.kind === 'source' ? cause.trigger : undefined;
  const trigger = task === undefined ? undefined : triggersOf(task.definition).sourceTriggers.find((one) => one.name === name);
  const { pinnedRef } = request;
  if (task === undefined || trigger === undefined || pinnedRef === undefined) return hold?.approval?.commit ?? request.pinnedCommit;
  const token = await parts.secrets.sourceToken(task, trigger);
  const { refs } = await parts.git.listRefs({
    ...{ url: trigger.sourceRepository.repositoryUrl, patterns: [pinnedRef], signal: AbortSignal.timeout(TIMEOUT_MS) },
    ...(token === undefined ? {} : { token }),
  });
  return refs.get(pinnedRef);
}
