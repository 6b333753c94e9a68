import type { TaskStore } from '../../model/ports/store.ts';
import type { RunHold } from '../../model/run-hold.ts';
import type { Cause, RunRecord, RunRequest } from '../../model/run-record.ts';
import type { TaskDefinition } from '../../model/task-definition.ts';
import { runsCodeOf } from '../tasks/step-overrides.ts';

export interface RerunOptions {
  readonly priority?: number;
  readonly keepPolicy?: boolean;
}

/** Reruns of reruns keep this many causes. */
const MOST_CAUSES = 20;

/** The request of a run once more, for somebody who asks for it: what is nobody's waits behind all, and this is theirs. */
export async function requestAgain(
  tasks: Pick<TaskStore, 'get'>,
  { id, request }: RunRecord,
  by: { readonly name: string },
  { priority, keepPolicy = false }: RerunOptions,
): Promise<RunRequest> {
  const definition = request.task === undefined ? undefined : (await tasks.get(request.task))?.definition;
  const { background = false, ...again } = request;
  const cause: Cause = { kind: 'rerun', principal: by.name, run: id };
  return {
    ...again,
    causes: [cause, ...causesKept(request.causes)],
    policy: request.task === undefined ? request.policy : policyNow(request, definition, keepPolicy),
    priority: priority ?? (background ? (definition?.priority ?? 0) : request.priority),
  };
}

/** The last is what began it: which commit of which pull request, for example. */
function causesKept(causes: readonly Cause[]): readonly Cause[] {
  return causes.length < MOST_CAUSES ? causes : [...causes.slice(0, MOST_CAUSES - 2), ...causes.slice(-1)];
}

/**
 * Untrusted code that was never let go on is not let go on by asking for it again. The commit is that of the pull request: a task on another
 * repository has none of its own.
 */
export function holdAgain({ request, hold, approval, attempt }: RunRecord): RunHold | undefined {
  if (request.trust === 'trusted') return undefined;
  const held = hold?.approval?.commit;
  if (held === undefined && (approval !== undefined || attempt > 0)) return undefined;
  const source = request.causes.find((cause) => cause.kind === 'source');
  const commit = held ?? request.pinnedCommit ?? source?.commit;
  if (commit === undefined) return undefined;
  return { because: 'waits for an approval: it is of a forked pull request', approval: { commit } };
}

/** Trust stays what it was; rights are those that the task had then and still has. */
function policyNow(request: RunRequest, definition: TaskDefinition | undefined, keepPolicy: boolean): RunRequest['policy'] {
  const { policy } = request;
  const now = definition !== undefined && (keepPolicy || runsCodeOf(definition.step, request)) ? definition.policy : undefined;
  return {
    privileged: policy.privileged && now?.privileged === true,
    hostMounts: policy.hostMounts && now?.hostMounts === true,
    dockerSocket: policy.dockerSocket && now?.dockerSocket === true,
  };
}
