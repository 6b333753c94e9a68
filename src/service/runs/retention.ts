import type { Clock } from '../../model/ports/clock.ts';
import type { LogStore } from '../../model/ports/log-store.ts';
import { type FiringPlace, IDEMPOTENCY_KEPT_MS, type Store } from '../../model/ports/store.ts';
import type { UploadStore } from '../../model/ports/upload-store.ts';
import type { RunRecord } from '../../model/run-record.ts';
import { isTerminal } from '../../model/run-record.ts';

/** How long things are kept after their end or last use. What is archived stays for ever. */
export interface RetentionTimes {
  readonly runsMs: number;
  readonly logsMs: number;
  readonly uploadsMs: number;
  /** Of trigger events, from their receipt. */
  readonly eventsMs: number;
}

/** Folders of running runs, named by run id or by space id (run id, `x`, daemon id). */
export interface WorkFolders {
  list(): Promise<readonly string[]>;
  /** Bytes freed. */
  remove(name: string): Promise<number>;
}

export interface RetentionParts {
  readonly store: Store;
  readonly logs: LogStore;
  readonly uploads: Pick<UploadStore, 'prune'>;
  readonly work: WorkFolders;
  readonly clock: Clock;
  readonly times: RetentionTimes;
}

/** What was removed, or with `dryRun` would be. */
export interface GcReport {
  readonly dryRun: boolean;
  /** Past their time, with their logs. */
  readonly runs: number;
  /** Past their time, or of a run that is gone; the run's row stays. */
  readonly logs: number;
  /** Not counted in a dry run. */
  readonly uploads: number;
  /** Trigger events with what was decided on them. Not counted in a dry run. */
  readonly events: number;
  readonly idempotencyKeys: number;
  readonly workFolders: number;
  readonly bytes: number;
}

export interface Retention {
  /** Safe to call at any time and again after a crash; one at a time. */
  gc(options: { readonly dryRun: boolean; readonly signal?: AbortSignal }): Promise<GcReport>;
}

const BATCH = 500;
/** Looked at in one collection. */
const MOST_FIRINGS = 100_000;
/** A dry run cannot page through what it leaves in place. */
const MOST_TOLD = 100_000;

export function createRetention(parts: RetentionParts): Retention {
  let last: Promise<unknown> = Promise.resolve();
  const firings: FiringsLeft = {};
  return {
    gc: (options) => {
      const result = last.then(() => collect(parts, firings, options));
      last = result.catch(() => undefined);
      return result;
    },
  };
}

async function collect(
  parts: RetentionParts,
  firings: FiringsLeft,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal?: AbortSignal },
): Promise<GcReport> {
  const runs = await collectRuns(parts, dryRun, signal);
  const logs = await collectLogs(parts, dryRun, signal);
  const work = await collectWork(parts, dryRun);
  const uploads = dryRun ? { files: 0, bytes: 0 } : await collectUploads(parts);
  const idempotencyKeys = dryRun ? 0 : await parts.store.idempotency.prune(before(parts.clock, IDEMPOTENCY_KEPT_MS));
  const events = dryRun ? 0 : await collectEvents(parts, signal);
  if (!dryRun) await collectFirings(parts, firings, signal);
  return {
    ...{ dryRun, events, runs: runs.count, logs: logs.count, uploads: uploads.files, idempotencyKeys, workFolders: work.count },
    bytes: runs.bytes + logs.bytes + work.bytes + uploads.bytes,
  };
}

interface Freed {
  readonly count: number;
  readonly bytes: number;
}

/** The log goes first: a row without a log is told from a log without a row. */
async function collectRuns({ store, logs, clock, times }: RetentionParts, dryRun: boolean, signal?: AbortSignal): Promise<Freed> {
  const freed = { count: 0, bytes: 0 };
  const query = { before: before(clock, times.runsMs), limit: dryRun ? MOST_TOLD : BATCH };
  while (signal?.aborted !== true) {
    const ids = await store.runs.expired(query);
    for (const id of ids) {
      freed.count += 1;
      freed.bytes += (await logs.stat(id))?.bytes ?? 0;
      if (dryRun) continue;
      await logs.delete(id);
      await store.runs.delete(id);
    }
    if (dryRun || ids.length < query.limit) break;
  }
  return freed;
}

async function collectLogs({ store, logs, clock, times }: RetentionParts, dryRun: boolean, signal?: AbortSignal): Promise<Freed> {
  const freed = { count: 0, bytes: 0 };
  const limits = { logs: before(clock, times.logsMs), runs: before(clock, times.runsMs) };
  for await (const id of logs.list()) {
    if (signal?.aborted === true) break;
    const record = await store.runs.get(id);
    // In a dry run the runs that would have gone are still there, and counted already.
    if (record !== undefined && (!isOld(record, limits.logs) || (dryRun && isOld(record, limits.runs)))) continue;
    freed.count += 1;
    freed.bytes += (await logs.stat(id))?.bytes ?? 0;
    if (!dryRun) await logs.delete(id);
  }
  return freed;
}

function isOld(record: RunRecord, limit: string): boolean {
  return isTerminal(record) && !record.archived && (record.finishTime ?? record.lastUpdatedTime) < limit;
}

/** Contexts that a run which has not ended will need stay, however old. */
async function collectUploads({
  store,
  uploads,
  clock,
  times,
}: RetentionParts): Promise<{ readonly files: number; readonly bytes: number }> {
  const live = await store.runs.live();
  const keep = new Set(
    live.flatMap(({ request }) => (request.step.contextPath?.startsWith('upload:') ? [request.step.contextPath.slice(7)] : [])),
  );
  return uploads.prune({ before: before(clock, times.uploadsMs), keep });
}

/** Commit statuses go with the events that they came from. */
async function collectEvents({ store, clock, times }: RetentionParts, signal?: AbortSignal): Promise<number> {
  const query = { before: before(clock, times.eventsMs), limit: BATCH };
  await store.statuses.prune(query.before);
  let count = 0;
  while (signal?.aborted !== true) {
    const pruned = await store.events.prune(query);
    count += pruned;
    if (pruned < query.limit) break;
  }
  return count;
}

/** Where the next collection goes on: few of many firings go, and all are looked at in turn. */
interface FiringsLeft {
  next?: FiringPlace | undefined;
}

/** Firings that can be used no more go when their events have gone. */
async function collectFirings({ store, clock, times }: RetentionParts, left: FiringsLeft, signal?: AbortSignal): Promise<void> {
  const query = { before: before(clock, times.eventsMs), limit: BATCH };
  for (let seen = 0; seen < MOST_FIRINGS && signal?.aborted !== true; seen += BATCH) {
    left.next = (await store.runs.pruneFirings({ ...query, after: left.next })).next;
    if (left.next === undefined) return;
  }
}

async function collectWork({ store, work }: RetentionParts, dryRun: boolean): Promise<Freed> {
  const freed = { count: 0, bytes: 0 };
  // The folders first: one that is made after this look belongs to a run that lives.
  const folders = await work.list();
  const live = (await store.runs.live()).map(({ id }) => id);
  for (const name of folders) {
    if (live.some((id) => name === id || name.startsWith(`${id}x`))) continue;
    freed.count += 1;
    if (!dryRun) freed.bytes += await work.remove(name);
  }
  return freed;
}

function before(clock: Clock, ms: number): string {
  return new Date(clock.now().getTime() - ms).toISOString();
}
