import { createHash } from 'node:crypto';
import type { CommitStatus } from '../../model/ports/status-store.ts';
import type { RunStatus } from '../../model/run-event.ts';
import type { RunHold } from '../../model/run-hold.ts';
import type { Cause, RunRecord, RunSummary } from '../../model/run-record.ts';
import type { SourceTrigger } from '../../model/trigger-definition.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';

type SourceCause = Extract<Cause, { readonly kind: 'source' }>;

/** A run whose commit can be told about. */
export interface SourceRun {
  readonly task: string;
  readonly cause: SourceCause;
  readonly run: Pick<RunRecord, 'id' | 'status' | 'startTime' | 'finishTime' | 'hold'>;
}

const STATES: Readonly<Record<RunStatus, CommitStatus['state']>> = {
  Queued: 'queued',
  Started: 'running',
  Running: 'running',
  Succeeded: 'succeeded',
  Failed: 'failed',
  Timeout: 'failed',
  Canceled: 'canceled',
  Error: 'error',
};
const DESCRIPTION_LENGTH = 140;

/**
 * The run as seen from the commit that its task was run for, also by a rerun. Undefined when its task had another reason: a commit further
 * back in the chain of causes belongs to another task.
 */
export function sourceRunOf(run: RunRecord | RunSummary): SourceRun | undefined {
  const { task, causes } = 'request' in run ? run.request : run;
  const cause = causes.find(({ kind }) => kind !== 'rerun' && kind !== 'manual');
  if (task === undefined || cause?.kind !== 'source') return undefined;
  return { task, cause, run };
}

/** The repository is the one that the trigger names, never one that a delivery named: the trigger's token is sent there. */
export function commitStatusOf({ task, cause, run }: SourceRun, trigger: SourceTrigger, publicUrl: string): CommitStatus {
  const { sourceControlType: forge, repositoryUrl } = trigger.sourceRepository;
  const context = `slipway/${task}`;
  const name = canonicalRepositoryUrl(repositoryUrl) ?? repositoryUrl;
  const ref = cause.branch ?? cause.tag;
  return {
    key: createHash('sha256')
      .update(JSON.stringify([forge, name, cause.commit, context]))
      .digest('hex'),
    forge,
    repositoryUrl,
    commit: cause.commit,
    context,
    state: STATES[run.status],
    description: describe(run).slice(0, DESCRIPTION_LENGTH),
    targetUrl: `${publicUrl.replace(/\/+$/, '')}/runs/${encodeURIComponent(run.id)}`,
    // Of a pull request it is the branch that it goes to, which does not have the commit.
    ...(ref === undefined || cause.pullRequest !== undefined ? {} : { branch: ref }),
    ...(cause.pullRequest === undefined ? {} : { pullRequest: cause.pullRequest }),
    task,
    trigger: trigger.name,
    run: run.id,
  };
}

/** The state in words. What runs print or fail with stays here: the forge may show it to anybody. */
function describe(run: SourceRun['run']): string {
  const after = durationOf(run);
  switch (run.status) {
    case 'Queued':
      return waiting(run.hold);
    case 'Started':
    case 'Running':
      return 'Running';
    case 'Succeeded':
      return after === undefined ? 'Succeeded' : `Succeeded in ${after}`;
    case 'Timeout':
      return after === undefined ? 'Timed out' : `Timed out after ${after}`;
    case 'Canceled':
      return 'Canceled';
    case 'Failed':
      return after === undefined ? 'Failed' : `Failed after ${after}`;
    case 'Error':
      return 'Broke off: not a fault of the commit';
  }
}

function waiting(hold: RunHold | undefined): string {
  if (hold === undefined) return 'Queued';
  return hold.approval === undefined ? `Queued: ${hold.because}` : 'Waits for approval';
}

/** `12 s`, `1 m 12 s`, `2 h 5 m`; undefined for what never started. */
function durationOf({ startTime, finishTime }: SourceRun['run']): string | undefined {
  if (startTime === undefined || finishTime === undefined) return undefined;
  const seconds = Math.max(0, Math.round((Date.parse(finishTime) - Date.parse(startTime)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}
