import { EngineError } from '../model/engine-error.ts';
import type { EngineDescription, RunSpaceSpec } from '../model/ports/container-engine.ts';
import type { EngineApi } from './engine-api.ts';
import { removeContainer } from './engine-containers.ts';
import { type ExistingThings, findExisting, NOTHING_EXISTS } from './existing-things.ts';
import type { HolderImage } from './holder-image.ts';
import { LABEL_ATTEMPT, LABEL_OWNER, LABEL_RUN, LABEL_STEP, runScopedName } from './naming.ts';
import { once } from './once.ts';
import { ownLabel } from './owner.ts';
import type { StartGate } from './start-gate.ts';

/** What the parts of one run's space share. */
export class RunContext {
  readonly api: EngineApi;
  readonly runId: string;
  readonly holderImage: () => Promise<HolderImage>;
  readonly startGate: StartGate;
  readonly engineKind: EngineDescription['kind'];
  /** The engine can run its init as process 1 of a container. */
  readonly hasInit: boolean;
  /** What an earlier attempt left in the space; nothing in a new one. */
  readonly existing: () => Promise<ExistingThings>;
  /**
   * What is in the space now. A request of an earlier process may still have been on its way through the engine when `existing` looked: what
   * then turns out to be taken is the run's own.
   */
  readonly lookAgain: () => Promise<ExistingThings>;
  readonly labels: Readonly<Record<string, string>>;
  readonly #making = new Set<Promise<unknown>>();
  readonly #removing = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  #mayHaveMade: boolean;

  constructor(
    api: EngineApi,
    { runId, owner, adopt }: Pick<RunSpaceSpec, 'runId' | 'owner' | 'adopt'>,
    engine: {
      readonly hasInit: boolean;
      readonly kind: EngineDescription['kind'];
      readonly holderImage: () => Promise<HolderImage>;
      readonly startGate: StartGate;
    },
  ) {
    this.api = api;
    this.runId = runId;
    this.engineKind = engine.kind;
    this.holderImage = engine.holderImage;
    this.startGate = engine.startGate;
    this.hasInit = engine.hasInit;
    this.lookAgain = async () => (adopt === true ? await findExisting(api, runId) : NOTHING_EXISTS);
    this.existing = once(this.lookAgain);
    this.#mayHaveMade = adopt === true;
    this.labels = { [LABEL_RUN]: runId, [LABEL_OWNER]: owner ?? ownLabel() };
  }

  name(part: string): string {
    return runScopedName(this.runId, part);
  }

  stepLabels(step: string, attempt: number): Readonly<Record<string, string>> {
    return { ...this.labels, [LABEL_STEP]: step, [LABEL_ATTEMPT]: String(attempt) };
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** False as long as nothing was asked for that would have to be removed: a run of builds alone makes nothing of the kind. */
  get mayHaveMade(): boolean {
    return this.#mayHaveMade;
  }

  /** Aborts when the run ends. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Makes something of the run; refused once the run ends, so that nothing appears behind its removal. */
  async make<T>(work: () => Promise<T>): Promise<T> {
    if (this.closed) throw new EngineError('internal', `Run ${this.runId} has ended; nothing can be made in it.`);
    this.#mayHaveMade = true;
    return await this.track(work());
  }

  /** Remembers work that makes or removes something, so that the end of the run can wait for it. Failures are the caller's. */
  track<T>(work: Promise<T>): Promise<T> {
    const settled = work.then(
      () => undefined,
      () => undefined,
    );
    this.#making.add(settled);
    void settled.then(() => this.#making.delete(settled));
    return work;
  }

  /** Removes a container, once however often it is asked: an engine that is at it refuses a second removal for a while. */
  removeContainer(id: string, signal?: AbortSignal): Promise<void> {
    const going = this.#removing.get(id);
    if (going !== undefined) return going;
    const removal = this.track(removeContainer(this.api, id, signal));
    this.#removing.set(id, removal);
    removal.catch(() => this.#removing.delete(id));
    return removal;
  }

  /** From now on nothing new may be made; resolves when what was under way has settled. */
  async close(): Promise<void> {
    this.#closing.abort();
    while (this.#making.size > 0) await Promise.all(this.#making);
  }
}
