import { EngineError } from '../../model/engine-error.ts';
import type { RunQueue, WaitingRun } from '../../model/ports/run-queue.ts';
import type { SecretBox } from '../../model/ports/secret-box.ts';
import type { Firing, Joining, RunQuery, Store } from '../../model/ports/store.ts';
import type { RunEvent } from '../../model/run-event.ts';
import type { RunHold } from '../../model/run-hold.ts';
import { RUN_ID } from '../../model/run-id.ts';
import type { RunRecord, RunRequest, RunSummary } from '../../model/run-record.ts';
import type { Principal } from '../../model/security.ts';
import type { Audit } from '../security/audit.ts';
import type { AgentGateway } from './agent-gateway.ts';
import { manualEvent, newRun } from './new-run.ts';
import { QueueTimes, type QueueTimesParts } from './queue-times.ts';
import { holdAgain, type RerunOptions, requestAgain } from './rerun.ts';
import { type AdmissionParts, RunAdmission } from './run-admission.ts';
import { decideConflict } from './run-conflict.ts';
import { tellChange } from './run-endings.ts';
import { closingEvent } from './run-projection.ts';
import { openRequestSecrets, type RequestSecrets, sealRequestSecrets } from './run-secrets.ts';

/** Who asks, for the record: authorisation has been done. */
export type Asker = Pick<Principal, 'name' | 'from'>;

export interface RunServiceParts extends QueueTimesParts, AdmissionParts {
  readonly queue: RunQueue;
  readonly store: Store;
  readonly gateway: Pick<AgentGateway, 'cancelRequested'>;
  readonly box: SecretBox;
  readonly audit: Pick<Audit, 'record'>;
}

export type FiredRun = { readonly created: true; readonly run: RunRecord } | { readonly created: false; readonly run: string } | undefined;

export type CancelResult = { readonly kind: 'canceled' | 'canceling' | 'ended'; readonly run: RunRecord };

/** Runs, whatever asked for them. Methods that name a run reject with EngineError `not-found` when it is not there. */
export interface RunService {
  /** Takes up the waiting runs of an earlier process. Call once. */
  start(): Promise<void>;
  /**
   * Stores a run and queues it; `secrets` are the values of its places that are SEALED_WITH_RUN. Rejects with `draining`, `disk-full`,
   * `queue-full` or `invalid-request`. The run is Canceled already when its concurrency group was full and says `skip`. With a `key`
   * there is one run, however often and over however many processes it is asked for.
   */
  create(request: RunRequest, by: Asker, secrets?: RequestSecrets, key?: string): Promise<RunRecord>;
  get(id: string): Promise<RunRecord>;
  list(query: RunQuery): Promise<readonly RunSummary[]>;
  /**
   * A run for a firing, which is used up with it: as `create`, but that a repetition makes none (`created: false`, and the run that was made).
   * Undefined when its task is gone.
   */
  fire(request: RunRequest, firing: Firing, by: Asker, hold?: RunHold): Promise<FiredRun>;
  /** As `RunStore.join`. */
  join(id: string, joining: Joining): Promise<'done' | 'stale'>;
  /** As `RunStore.hold`. */
  hold(id: string, hold: RunHold | undefined): Promise<'done' | 'stale'>;
  /**
   * Lets a run of untrusted code go on, for the commit that it is of; `commit` (or its beginning) is the one that was looked at. Rejects with
   * `conflict` when the run waits for no approval, or is of another commit.
   */
  approve(id: string, by: Asker, commit?: string): Promise<RunRecord>;
  /** The newest run (of a task). */
  last(task?: string): Promise<RunRecord>;
  /** `canceled`: it waited, and has ended. `canceling`: its agent has been told. `ended`: it had ended before. */
  cancel(id: string, by: Asker, reason?: string): Promise<CancelResult>;
  /**
   * The same request again, with its secrets and its trust; rights that its task has lost since are lost, and without `keepPolicy` (the asker
   * holds the scope `admin`) all rights of a run that ran something else than its task runs by itself.
   */
  rerun(id: string, by: Asker, options?: RerunOptions, key?: string): Promise<RunRecord>;
  setArchived(id: string, archived: boolean, by: Asker): Promise<RunRecord>;
  /** Stored events after a number. Those of an ended run always end with `run-finished`, whoever ended it. */
  events(id: string, query: { readonly after: number; readonly limit: number }): Promise<readonly RunEvent[]>;
  /** What a queued run waits for. */
  waitingOf(id: string): Promise<WaitingRun | undefined>;
  pauseQueue(by: Asker, reason?: string): Promise<void>;
  resumeQueue(by: Asker): Promise<void>;
  /** From now on `create` is refused; what is queued stays. */
  drain(): void;
  readonly draining: boolean;
  close(): Promise<void>;
}

export function createRunService(parts: RunServiceParts): RunService {
  return new Runs(parts);
}

class Runs implements RunService {
  readonly #parts: RunServiceParts;
  readonly #times: QueueTimes;
  readonly #admission: RunAdmission;

  constructor(parts: RunServiceParts) {
    this.#parts = parts;
    this.#times = new QueueTimes(parts);
    this.#admission = new RunAdmission(parts);
  }

  get draining(): boolean {
    return this.#admission.draining;
  }

  async start(): Promise<void> {
    for (const record of await this.#parts.store.runs.live()) this.#times.watch(record);
  }

  create(request: RunRequest, by: Asker, secrets: RequestSecrets = {}, key?: string): Promise<RunRecord> {
    return this.#create(request, by, { secrets, key });
  }

  async #create(
    request: RunRequest,
    by: Asker,
    { secrets, key, hold }: { readonly secrets: RequestSecrets; readonly key: string | undefined; readonly hold?: RunHold | undefined },
  ): Promise<RunRecord> {
    // Made by a process that died before its answer was kept.
    const made = key === undefined ? undefined : await this.#parts.store.runs.byKey(key);
    if (made !== undefined) return made;
    const sealed = sealRequestSecrets(this.#parts.box, request, secrets);
    await this.#admission.checkOpen();
    const event = manualEvent(request, by);
    const run = { ...newRun(request, sealed, hold), ...(event === undefined ? {} : { event }) };
    const record = await this.#admission.inPlace(request, async () => this.#enqueue(await this.#parts.store.runs.create(run, key)));
    const { task, trust, causes } = request;
    await this.#parts.audit.record(by, { action: 'run.create', target: record.id, details: { task, trust, cause: causes[0]?.kind } });
    return record;
  }

  async fire(request: RunRequest, firing: Firing, by: Asker, hold?: RunHold): Promise<FiredRun> {
    const sealed = sealRequestSecrets(this.#parts.box, request, {});
    await this.#admission.checkOpen();
    const fired = await this.#admission.inPlace(request, async () => {
      const made = await this.#parts.store.runs.fire(newRun(request, sealed, hold), firing);
      return made?.created === true ? { created: true as const, run: await this.#enqueue(made.run) } : made;
    });
    if (fired?.created !== true) return fired;
    const { task, trust, causes } = request;
    const details = { task, trust, cause: causes[0]?.kind, event: firing.event };
    await this.#parts.audit.record(by, { action: 'run.create', target: fired.run.id, details });
    return fired;
  }

  async join(id: string, joining: Joining): Promise<'done' | 'stale'> {
    const done = await this.#parts.store.runs.join(id, joining);
    if (done === 'done') await tellChange(this.#parts, id);
    return done;
  }

  async hold(id: string, hold: RunHold | undefined): Promise<'done' | 'stale'> {
    const done = await this.#parts.store.runs.hold(id, hold);
    if (done === 'done') await tellChange(this.#parts, id);
    return done;
  }

  async approve(id: string, by: Asker, commit?: string): Promise<RunRecord> {
    const { hold, status } = await this.get(id);
    const wanted = hold?.approval?.commit;
    if (wanted === undefined || status !== 'Queued') throw new EngineError('conflict', `run ${id} waits for no approval`);
    if (commit !== undefined && !wanted.startsWith(commit.toLowerCase()))
      throw new EngineError('conflict', `run ${id} is of the commit ${wanted}, and the approval is for ${commit}`);
    if ((await this.#parts.store.runs.approve(id, { by: by.name, commit: wanted })) === 'stale')
      throw new EngineError('conflict', `run ${id} waits for no approval any more`);
    await this.#parts.audit.record(by, { action: 'run.approve', target: id, details: { commit: wanted } });
    return (await tellChange(this.#parts, id)) ?? (await this.get(id));
  }

  async get(id: string): Promise<RunRecord> {
    const record = RUN_ID.test(id) ? await this.#parts.store.runs.get(id) : undefined;
    if (record === undefined) throw new EngineError('not-found', `there is no run ${JSON.stringify(id.slice(0, 60))}`);
    return record;
  }

  list(query: RunQuery): Promise<readonly RunSummary[]> {
    return this.#parts.store.runs.list(query);
  }

  async last(task?: string): Promise<RunRecord> {
    const record = await this.#parts.store.runs.last(task);
    const which = task === undefined ? 'no run yet' : `no run of task ${JSON.stringify(task)} yet`;
    if (record === undefined) throw new EngineError('not-found', `there is ${which}`);
    return record;
  }

  async cancel(id: string, by: Asker, reason = `canceled by ${by.name}`): Promise<CancelResult> {
    await this.get(id);
    const result = await this.#cancel(id, by.name, reason);
    if (result.kind !== 'ended') await this.#parts.audit.record(by, { action: 'run.cancel', target: id, details: { reason } });
    return result;
  }

  async rerun(id: string, by: Asker, options: RerunOptions = {}, key?: string): Promise<RunRecord> {
    const { store, box } = this.#parts;
    const before = await this.get(id);
    const secrets = openRequestSecrets(box, before.request, await store.runs.sealed(id));
    const request = await requestAgain(store.tasks, before, by, options);
    return this.#create(request, by, { secrets, key, hold: holdAgain(before) });
  }

  async setArchived(id: string, archived: boolean, by: Asker): Promise<RunRecord> {
    await this.get(id);
    await this.#parts.store.runs.setArchived(id, archived);
    await this.#parts.audit.record(by, { action: archived ? 'run.archive' : 'run.unarchive', target: id });
    return this.get(id);
  }

  async events(id: string, { after, limit }: { readonly after: number; readonly limit: number }): Promise<readonly RunEvent[]> {
    // The row first: an event that is stored after this look belongs to a later page.
    const record = await this.get(id);
    const events = await this.#parts.store.runs.events(id, { after, limit });
    const closing = closingEvent(record);
    if (closing === undefined || events.length >= limit || after >= closing.seq) return events;
    const last = events.at(-1) ?? (await this.#parts.store.runs.events(id, { after: record.lastEvent - 1, limit: 1 })).at(0);
    return last?.type === 'run-finished' ? events : [...events, closing];
  }

  async waitingOf(id: string): Promise<WaitingRun | undefined> {
    return (await this.#parts.queue.waiting()).find(({ run }) => run === id);
  }

  async pauseQueue(by: Asker, reason = `paused by ${by.name}`): Promise<void> {
    await this.#parts.queue.pause(reason);
    await this.#parts.audit.record(by, { action: 'queue.pause', target: 'queue', details: { reason } });
  }

  async resumeQueue(by: Asker): Promise<void> {
    await this.#parts.queue.resume();
    await this.#parts.audit.record(by, { action: 'queue.resume', target: 'queue' });
  }

  drain(): void {
    this.#admission.draining = true;
  }

  close(): Promise<void> {
    this.#admission.draining = true;
    return this.#times.close();
  }

  /** Puts a run that has just been stored into the queue, or ends it, as its group says. */
  async #enqueue(made: RunRecord): Promise<RunRecord> {
    const { store, queue, hub } = this.#parts;
    const { request } = made;
    const older = await this.#olderInGroup(made);
    // What held it may have been taken away meanwhile, and been told.
    const record = made.hold === undefined ? made : ((await store.runs.get(made.id)) ?? made);
    const { skip, cancel, reason } = decideConflict(record, older);
    const by = `run ${record.id}`;
    if (skip) return (await this.#cancel(record.id, by, reason)).run;
    const { id, status } = record;
    hub.publish({ kind: 'status', run: id, status, ...(request.task === undefined ? {} : { task: request.task }) }, record);
    queue.notify(record);
    this.#times.watch(record);
    for (const run of cancel) await this.#cancel(run, by, reason);
    return record;
  }

  async #olderInGroup({ id, request }: RunRecord) {
    if (request.concurrency === undefined || request.concurrency.onConflict === 'queue') return [];
    return (await this.#parts.queue.group(request.concurrency.group)).filter(({ run }) => run !== id);
  }

  async #cancel(id: string, by: string, reason: string): Promise<CancelResult> {
    const asked = await this.#parts.store.runs.requestCancel(id, { by, reason });
    if (asked === 'asked') {
      const run = await this.get(id);
      await this.#parts.gateway.cancelRequested(run);
      return { kind: 'canceling', run: await this.get(id) };
    }
    const run = asked === 'ended' ? ((await tellChange(this.#parts, id)) ?? (await this.get(id))) : await this.get(id);
    return { kind: asked === 'ended' ? 'canceled' : 'ended', run };
  }
}
