import type { Selectable } from 'kysely';
import type { NewRun } from '../model/ports/store.ts';
import { runIdOf } from '../model/run-id.ts';
import type { RunRecord, RunRequest, RunSummary } from '../model/run-record.ts';
import type { RunStateTable, RunTable } from './tables.ts';

/** What lists show of a request. */
type RunBrief = Pick<RunSummary, 'platform' | 'agentPoolName' | 'trust' | 'causes' | 'priority'>;

export type RunRow = Selectable<RunTable>;
export type WholeRunRow = RunRow & Omit<RunStateTable, 'run' | 'brief'> & { readonly request: string };
export type RunSummaryRow = RunRow & Pick<RunStateTable, 'brief' | 'images' | 'error'>;

export function briefOf({ platform, agentPoolName, trust, causes, priority }: RunRequest): RunBrief {
  return { platform, agentPoolName, trust, causes, priority };
}

/** The branch and commit that lists show and filter: what the agent found, before that what the request says. */
export function revisionOf(request: RunRequest, source: RunRecord['source']): { readonly branch: string; readonly commit_sha: string } {
  const commit = source?.commit ?? request.variables.Commit ?? request.pinnedCommit ?? '';
  return { branch: source?.branch ?? request.variables.Branch ?? '', commit_sha: commit.toLowerCase() };
}

/** A freshly stored run. */
export function newRun(number: number, { request, hold }: Pick<NewRun, 'request' | 'hold'>, now: string): RunRecord {
  return {
    id: runIdOf(number),
    number,
    request,
    status: 'Queued',
    createTime: now,
    lastUpdatedTime: now,
    attempt: 0,
    crashes: 0,
    archived: false,
    steps: [],
    images: [],
    built: [],
    baseImages: [],
    dependencies: [],
    lastEvent: 0,
    ...(hold === undefined ? {} : { hold }),
  };
}

export function runRecordOf(row: WholeRunRow, request: RunRequest = JSON.parse(row.request)): RunRecord {
  const made: Partial<Pick<RunRecord, 'built' | 'baseImages' | 'dependencies'>> = row.made === null ? {} : JSON.parse(row.made);
  return {
    ...commonOf(row),
    request,
    crashes: row.crashes,
    lastEvent: row.last_event,
    steps: JSON.parse(row.steps),
    images: JSON.parse(row.images),
    built: made.built ?? [],
    baseImages: made.baseImages ?? [],
    dependencies: made.dependencies ?? [],
    ...(row.agent === null ? {} : { agent: row.agent }),
    ...(row.cancel === null ? {} : { cancel: JSON.parse(row.cancel) }),
    ...(row.hold === null ? {} : { hold: JSON.parse(row.hold) }),
    ...(row.approval === null ? {} : { approval: JSON.parse(row.approval) }),
    ...(row.source === null ? {} : { source: JSON.parse(row.source) }),
  };
}

export function runSummaryOf(row: RunSummaryRow): RunSummary {
  const brief: RunBrief = JSON.parse(row.brief);
  return {
    ...commonOf(row),
    ...brief,
    runType: row.run_type,
    images: JSON.parse(row.images),
    ...(row.task === '' ? {} : { task: row.task }),
    ...(row.branch === '' ? {} : { branch: row.branch }),
    ...(row.commit_sha === '' ? {} : { commit: row.commit_sha }),
  };
}

type Common = Pick<
  RunRecord,
  'id' | 'number' | 'status' | 'createTime' | 'startTime' | 'finishTime' | 'lastUpdatedTime' | 'archived' | 'attempt' | 'error'
>;

function commonOf(row: RunRow & Pick<RunStateTable, 'error'>): Common {
  return {
    id: runIdOf(row.number),
    number: row.number,
    status: row.status,
    createTime: row.created,
    lastUpdatedTime: row.updated,
    attempt: row.attempt,
    archived: row.archived === 1,
    ...(row.started === null ? {} : { startTime: row.started }),
    ...(row.finished === null ? {} : { finishTime: row.finished }),
    ...(row.error === null ? {} : { error: JSON.parse(row.error) }),
  };
}
