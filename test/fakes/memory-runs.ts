import type { RunCheckpoint, RunOutcome, RunQuery, RunStore } from '../../src/model/ports/store.ts';
import type { RunEvent, RunStatus } from '../../src/model/run-event.ts';
import { runIdOf } from '../../src/model/run-id.ts';
import { type RunRecord, type RunRequest, type RunSummary, TERMINAL_STATUSES } from '../../src/model/run-record.ts';

interface Row {
  record: RunRecord;
  readonly events: RunEvent[];
  readonly sealed: Uint8Array | undefined;
  checkpoint?: RunCheckpoint;
}

const STATUSES: readonly RunStatus[] = ['Queued', 'Started', 'Running', ...TERMINAL_STATUSES];

/** The runs of a memory store. */
export function createMemoryRuns(now: () => string): RunStore {
  const rows = new Map<string, Row>();
  let lastNumber = 0;

  const isLive = (row: Row): boolean => !isTerminal(row.record.status);
  const change = (row: Row, fields: Partial<RunRecord>): RunRecord => {
    row.record = { ...row.record, ...fields, lastUpdatedTime: now() };
    return row.record;
  };
  /** The row while this attempt holds it. */
  const held = (id: string, attempt: number): Row | undefined => {
    const row = rows.get(id);
    const isHeld = row !== undefined && row.record.attempt === attempt && isActive(row.record.status);
    return isHeld ? row : undefined;
  };
  const end = (row: Row, outcome: RunOutcome): void => {
    change(row, { ...structuredClone(outcome), finishTime: now() });
    delete row.checkpoint;
  };

  return {
    async create(request: RunRequest, sealed) {
      lastNumber += 1;
      const at = now();
      const record: RunRecord = {
        ...{ id: runIdOf(lastNumber), number: lastNumber, request: structuredClone(request), status: 'Queued' },
        ...{ createTime: at, lastUpdatedTime: at, attempt: 0, crashes: 0, archived: false, lastEvent: 0 },
        ...{ steps: [], images: [], built: [], baseImages: [], dependencies: [] },
      };
      rows.set(record.id, { record, events: [], sealed });
      return record;
    },
    get: async (id) => rows.get(id)?.record,
    sealed: async (id) => rows.get(id)?.sealed,
    async list(query) {
      const found: RunSummary[] = [];
      for (const { record } of [...rows.values()].reverse()) {
        if (found.length >= query.limit) break;
        const summary = summaryOf(record);
        if (matches(summary, query)) found.push(summary);
      }
      return found;
    },
    async last(task) {
      return [...rows.values()].reverse().find(({ record }) => task === undefined || record.request.task === task)?.record;
    },
    live: async () => [...rows.values()].filter(isLive).map(({ record }) => record),
    async claim(id, { agent, from, crashed = false }) {
      const row = rows.get(id);
      if (row === undefined || !isLive(row) || row.record.attempt !== from) return undefined;
      const { record } = row;
      const status = record.status === 'Queued' ? 'Started' : record.status;
      const crashes = record.crashes + (crashed ? 1 : 0);
      return change(row, { status, agent, attempt: from + 1, crashes, startTime: record.startTime ?? now() });
    },
    async release(id, attempt) {
      const row = held(id, attempt);
      if (row === undefined) return 'stale';
      const { agent: _agent, startTime: _startTime, ...record } = row.record;
      row.record = { ...record, status: 'Queued', lastUpdatedTime: now() };
      return 'done';
    },
    async append(id, attempt, events, progress) {
      const row = held(id, attempt);
      if (row === undefined) return 'stale';
      const { lastEvent } = row.record;
      const added = events.filter(({ seq }) => seq > lastEvent);
      for (const [index, { seq }] of added.entries()) if (seq !== lastEvent + 1 + index) throw new Error(`bug: event ${seq} leaves a gap`);
      row.events.push(...structuredClone(added));
      const { source, ...folded } = structuredClone(progress);
      change(row, { ...folded, ...(source === undefined ? {} : { source }), lastEvent: lastEvent + added.length });
      return 'done';
    },
    async checkpoint(id, attempt, checkpoint) {
      const row = held(id, attempt);
      if (row === undefined) return 'stale';
      row.checkpoint = checkpoint;
      return 'done';
    },
    checkpointOf: async (id) => rows.get(id)?.checkpoint,
    async finish(id, attempt, outcome) {
      const row = rows.get(id);
      if (row === undefined || !isLive(row) || (attempt !== undefined && row.record.attempt !== attempt)) return 'stale';
      end(row, outcome);
      return 'done';
    },
    async requestCancel(id, { by, reason }) {
      const row = rows.get(id);
      if (row === undefined) return 'missing';
      if (!isLive(row)) return 'terminal';
      const cancel = row.record.cancel ?? { at: now(), by, reason };
      change(row, { cancel });
      if (row.record.status !== 'Queued') return 'asked';
      end(row, { ...madeOf(row.record), status: 'Canceled', error: { message: reason } });
      return 'ended';
    },
    async setArchived(id, archived) {
      const row = rows.get(id);
      if (row === undefined) return 'missing';
      change(row, { archived });
      return 'done';
    },
    async events(id, { after, limit }) {
      return (rows.get(id)?.events ?? []).filter(({ seq }) => seq > after).slice(0, limit);
    },
    async expired({ before, limit }) {
      const old = [...rows.values()].filter(
        ({ record }) => !record.archived && record.finishTime !== undefined && record.finishTime < before,
      );
      return old.slice(0, limit).map(({ record }) => record.id);
    },
    async delete(id) {
      const row = rows.get(id);
      if (row !== undefined && !isLive(row)) rows.delete(id);
    },
    async counts() {
      const counts = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<RunStatus, number>;
      for (const { record } of rows.values()) counts[record.status] += 1;
      return counts;
    },
  };
}

function isTerminal(status: RunStatus): boolean {
  return (TERMINAL_STATUSES as readonly RunStatus[]).includes(status);
}

function isActive(status: RunStatus): boolean {
  return status === 'Started' || status === 'Running';
}

function madeOf({ images, built, baseImages, dependencies, steps }: RunRecord) {
  return { images, built, baseImages, dependencies, steps };
}

function summaryOf(record: RunRecord): RunSummary {
  const { request, source } = record;
  const { task, runType, platform, agentPoolName, trust, causes, priority } = request;
  const { id, number, status, createTime, startTime, finishTime, lastUpdatedTime, archived, attempt, error, images } = record;
  const branch = source?.branch ?? request.variables.Branch;
  const commit = source?.commit ?? request.variables.Commit ?? request.pinnedCommit;
  return {
    ...{ id, number, status, createTime, lastUpdatedTime, archived, attempt, images },
    ...{ runType, platform, agentPoolName, trust, causes, priority },
    ...(startTime === undefined ? {} : { startTime }),
    ...(finishTime === undefined ? {} : { finishTime }),
    ...(error === undefined ? {} : { error }),
    ...(task === undefined ? {} : { task }),
    ...(branch === undefined ? {} : { branch }),
    ...(commit === undefined ? {} : { commit }),
  };
}

function matches(run: RunSummary, query: RunQuery): boolean {
  const { before = Number.POSITIVE_INFINITY, task, status, branch, commit, runType, archived, since, until, visibleTasks, image } = query;
  return (
    run.number < before &&
    (task === undefined || run.task === task) &&
    (status === undefined || status.includes(run.status)) &&
    (branch === undefined || run.branch === branch) &&
    (commit === undefined || (run.commit ?? '').toLowerCase().startsWith(commit.toLowerCase())) &&
    (runType === undefined || run.runType === runType) &&
    (archived === undefined || run.archived === archived) &&
    (since === undefined || run.createTime >= since) &&
    (until === undefined || run.createTime < until) &&
    (visibleTasks === undefined || visibleTasks(run.task ?? '')) &&
    (image === undefined || run.images.some((pushed) => names(pushed.reference, pushed.digest, image)))
  );
}

function names(reference: string, digest: string, wanted: string): boolean {
  const repository = reference.replace(/:[^:/]*$/, '');
  const forms = [reference, repository, `${repository}@${digest}`];
  return forms.some((form) => form === wanted || form.endsWith(`/${wanted}`));
}
