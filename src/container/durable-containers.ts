import type { ContainerIo, ContainerOutcome, ContainerRequest } from '../model/ports/container-engine.ts';
import { adoptContainer, type DurableParts, executeDurably, startAndAdopt } from './durable-execution.ts';
import type { Positions } from './durable-output.ts';
import type { ExistingContainer } from './existing-things.ts';
import type { RunContext } from './run-context.ts';
import type { CreatedContainer } from './step-execution.ts';

/** The containers of a durable run that are being followed, and those that an earlier attempt of the run left. */
export class DurableContainers {
  readonly #parts: DurableParts;
  readonly #existing: readonly ExistingContainer[];
  readonly #detaching = new AbortController();
  readonly #followed = new Set<Promise<void>>();

  constructor({ api, startGate, engineKind }: RunContext, existing: readonly ExistingContainer[]) {
    this.#parts = { api, gate: startGate, kind: engineKind, detaching: this.#detaching.signal };
    this.#existing = existing;
  }

  /** The container that a step and attempt has already; one that is on its way out is none. */
  find({ step, attempt }: ContainerRequest): ExistingContainer | undefined {
    const own = this.#existing.filter((container) => container.step === step && container.attempt === attempt);
    return own.find(({ state }) => !['created', 'removing', 'dead'].includes(state)) ?? own.find(({ state }) => state === 'created');
  }

  execute(container: CreatedContainer, io: ContainerIo): Promise<ContainerOutcome> {
    return this.#following(executeDurably(this.#parts, container, io));
  }

  adopt(container: CreatedContainer, positions: Positions, io: ContainerIo): Promise<ContainerOutcome> {
    return this.#following(adoptContainer(this.#parts, container, positions, io));
  }

  startAndAdopt(container: CreatedContainer, positions: Positions, io: ContainerIo): Promise<ContainerOutcome> {
    return this.#following(startAndAdopt(this.#parts, container, positions, io));
  }

  /** Lets go of all; resolves when nobody follows any more. */
  async detach(): Promise<void> {
    this.#detaching.abort();
    await Promise.all(this.#followed);
  }

  #following(work: Promise<ContainerOutcome>): Promise<ContainerOutcome> {
    const settled = work.then(
      () => undefined,
      () => undefined,
    );
    this.#followed.add(settled);
    void settled.then(() => this.#followed.delete(settled));
    return work;
  }
}
