import type { PushedImage } from '../../model/image.ts';
import { IDEMPOTENCY_KEPT_MS, type NewRun, type RunOutcome, type RunProgress, type RunStore } from '../../model/ports/store.ts';
import type { RunEvent } from '../../model/run-event.ts';
import { runNumberOf } from '../../model/run-id.ts';
import type { RunRecord, RunRequest } from '../../model/run-record.ts';
import type { NewTriggerEvent } from '../../model/trigger-event.ts';
import { imageRowsOf } from '../image-rows.ts';
import { briefOf, newRun, type RunRow, revisionOf, runRecordOf } from '../run-rows.ts';
import type { Database } from './database.ts';
import type { EventWrites, NewDecision } from './event-writes.ts';
import type { ImageRecords } from './image-records.ts';
import type { LiveRuns } from './live-runs.ts';
import { createRunFirings, type RunFirings } from './run-firings.ts';
import { createRunStatements, type RunStatements } from './run-statements.ts';

type RunWrites = Pick<
  RunStore,
  'create' | 'claim' | 'release' | 'append' | 'checkpoint' | 'finish' | 'requestCancel' | 'setArchived' | 'delete' | keyof RunFirings
>;

/** What else changes in the transactions of runs. */
interface RunParts {
  readonly live: LiveRuns;
  readonly events: EventWrites;
  readonly images: ImageRecords;
}

/** The changes of runs. Each is one job of a transaction: it reads, decides and writes without anybody in between. */
export function createRunWrites(database: Database, parts: RunParts, now: () => string): RunWrites {
  const statements = createRunStatements(database);
  const { live } = parts;

  /** A change of one run; `missing` when no run has such an id. */
  function change<Value, Missing>(id: string, missing: Missing, work: (number: number) => Value): Promise<Value | Missing> {
    const number = runNumberOf(id);
    if (number === undefined) return Promise.resolve(missing);
    return database.write(() => {
      live.touch(number);
      return work(number);
    });
  }

  function insert(run: NewRun, key?: string): RunRecord {
    const made = insertRun(statements, run, key, now());
    live.touch(made.number);
    if (run.event !== undefined) parts.events.recordSettled(run.event, decisionFor(run.event, made));
    return made;
  }

  return {
    create: (run, key) =>
      database.write(() => {
        const known = key === undefined ? undefined : madeWith(statements, key, Date.parse(now()));
        return known ?? insert(run, key);
      }),
    ...createRunFirings({ database, statements, live, insert, now }),
    claim: (id, { agent, from, crashed }) =>
      change(id, undefined, (number): RunRecord | undefined => {
        if (statements.claim.run({ number, from, agent, crashed: crashed === true ? 1 : 0, now: now() }) === 0) return undefined;
        const row = statements.one.get({ number });
        return row === undefined ? undefined : runRecordOf(row);
      }),
    release: (id, attempt) => change(id, 'stale', (number) => releaseRun(statements, { number, attempt }, now())),
    append: (id, attempt, events, progress) =>
      change(id, 'stale', (number) => appendEvents(statements, { number, attempt }, events, progress, now())),
    checkpoint: (id, attempt, { plan }) =>
      change(id, 'stale', (number) => doneOr(statements.setCheckpoint.run({ number, attempt, plan }), 'stale')),
    finish: (id, attempt, outcome) =>
      change(id, 'stale', (number) => {
        const at = now();
        if (finishRun(statements, number, attempt, outcome, at) === 'stale') return 'stale';
        const row = statements.one.get({ number });
        if (row !== undefined && row.task !== '') parts.images.record(row, JSON.parse(row.request), outcome, at);
        return 'done';
      }),
    requestCancel: (id, { by, reason }) => change(id, 'missing', (number) => cancelRun(statements, number, { at: now(), by, reason })),
    setArchived: (id, archived) =>
      change(id, 'missing', (number) => doneOr(statements.archive.run({ number, archived: archived ? 1 : 0, now: now() }), 'missing')),
    delete: (id) =>
      change(id, undefined, (number) => {
        statements.remove.run({ number });
      }),
  };
}

interface Fence {
  readonly number: number;
  readonly attempt: number;
}

function doneOr<Otherwise>(changed: number, otherwise: Otherwise): 'done' | Otherwise {
  return changed === 0 ? otherwise : 'done';
}

/** A key of long ago is free again. */
function madeWith(statements: RunStatements, key: string, nowMs: number): RunRecord | undefined {
  const row = statements.byKey.get({ key });
  if (row === undefined) return undefined;
  if (nowMs - Date.parse(row.created) < IDEMPOTENCY_KEPT_MS) return runRecordOf(row);
  statements.freeKey.run({ key });
  return undefined;
}

function insertRun(statements: RunStatements, { request, sealed, hold }: NewRun, key: string | undefined, now: string): RunRecord {
  const row = statements.insert.get({
    ...{ task: request.task ?? '', run_type: request.runType, ...revisionOf(request, undefined) },
    ...{ hold: hold === undefined ? null : JSON.stringify(hold), now },
  });
  if (row === undefined) throw new Error('bug: a stored run has no number');
  statements.insertRequest.run({ run: row.number, request: JSON.stringify(request), sealed: sealed ?? null, key: key ?? null });
  statements.insertState.run({ run: row.number, brief: JSON.stringify(briefOf(request)) });
  return newRun(row.number, { request, ...(hold === undefined ? {} : { hold }) }, now);
}

/** What is asked for by hand is decided on by asking. */
function decisionFor({ happening }: NewTriggerEvent, { id, request }: RunRecord): NewDecision {
  const because = happening.kind === 'manual' ? `${happening.by} asked for it` : `the run was made for it (${happening.kind})`;
  return { outcome: 'run', code: 'fired', because, run: id, ...(request.task === undefined ? {} : { task: request.task }) };
}

function releaseRun(statements: RunStatements, fence: Fence, now: string): 'done' | 'stale' {
  const row = statements.one.get({ number: fence.number });
  const begun = row !== undefined && runRecordOf(row).steps.some(({ status }) => status !== 'pending');
  return begun ? 'stale' : doneOr(statements.release.run({ ...fence, now }), 'stale');
}

function appendEvents(
  statements: RunStatements,
  fence: Fence,
  events: readonly RunEvent[],
  progress: RunProgress,
  now: string,
): 'done' | 'stale' {
  const run = fence.number;
  const row = statements.row.get({ number: run });
  if (row === undefined) return 'stale';
  const added = eventsAfter(row, events);
  const lastEvent = row.last_event + added.length;
  const { status = null, steps, images, source } = progress;
  if (statements.progress.run({ ...fence, status, last_event: lastEvent, now }) === 0) return 'stale';
  for (const event of added) statements.insertEvent.run({ run, seq: event.seq, json: JSON.stringify(event) });
  statements.setSteps.run({ run, steps: JSON.stringify(steps) });
  if (images !== undefined) {
    statements.setImages.run({ run, images: JSON.stringify(images) });
    indexImages(statements, run, images);
  }
  if (source !== undefined) storeSource(statements, run, source);
  return 'done';
}

/** The events that are not there yet. Repeats are left out; a gap or output of a step is a defect of the caller. */
function eventsAfter({ number, last_event }: RunRow, events: readonly RunEvent[]): readonly RunEvent[] {
  const added = events.filter(({ seq }) => seq > last_event);
  for (const [index, { seq, type }] of added.entries()) {
    const expected = last_event + index + 1;
    if (seq !== expected) throw new Error(`bug: event ${seq} of run ${number} came where ${expected} was due`);
    if (type === 'step-output') throw new Error(`bug: event ${seq} of run ${number} is output of a step, which belongs into its log`);
  }
  return added;
}

function storeSource(statements: RunStatements, run: number, source: NonNullable<RunRecord['source']>): void {
  const row = statements.one.get({ number: run });
  if (row === undefined) return;
  statements.setSource.run({ run, source: JSON.stringify(source) });
  const request: RunRequest = JSON.parse(row.request);
  statements.setRevision.run({ number: run, ...revisionOf(request, source) });
}

function finishRun(
  statements: RunStatements,
  number: number,
  attempt: number | undefined,
  outcome: RunOutcome,
  now: string,
): 'done' | 'stale' {
  const { status, steps, images, built, baseImages, dependencies, error } = outcome;
  const ended = statements.finish.run({ number, attempt: attempt ?? null, status, now });
  if (ended === 0) return 'stale';
  statements.setOutcome.run({
    run: number,
    steps: JSON.stringify(steps),
    images: JSON.stringify(images),
    made: JSON.stringify({ built, baseImages, dependencies }),
    error: error === undefined ? null : JSON.stringify(error),
  });
  indexImages(statements, number, images);
  statements.dropCheckpoint.run({ run: number });
  return 'done';
}

/** The first cancel of a run stays, and is the error of a run that ends by it. */
function cancelRun(
  statements: RunStatements,
  number: number,
  cancel: NonNullable<RunRecord['cancel']>,
): 'ended' | 'asked' | 'terminal' | 'missing' {
  const row = statements.cancel.get({ number, cancel: JSON.stringify(cancel), now: cancel.at });
  if (row === undefined) return statements.row.get({ number }) === undefined ? 'missing' : 'terminal';
  if (row.status !== 'Canceled') return 'asked';
  const first: NonNullable<RunRecord['cancel']> = row.cancel === null ? cancel : JSON.parse(row.cancel);
  statements.setError.run({ run: number, error: JSON.stringify({ message: first.reason }) });
  statements.dropCheckpoint.run({ run: number });
  return 'ended';
}

function indexImages(statements: RunStatements, run: number, images: readonly PushedImage[]): void {
  statements.dropImages.run({ run });
  for (const image of imageRowsOf(images)) statements.insertImage.run({ run, ...image });
}
