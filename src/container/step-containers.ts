import { BadPort } from '../model/port-words.ts';
import type { ContainerRequest, RunSpaceSpec } from '../model/ports/container-engine.ts';
import { type ContainerPlace, containerConfig } from './container-config.ts';
import { EngineRefusal, isRefusal } from './engine-api.ts';
import { createContainer, inspectContainer, isImageMissing } from './engine-containers.ts';
import { durableLogConfig } from './engine-log.ts';
import type { ExistingContainer } from './existing-things.ts';
import { BadOption, type FlagNames } from './host-config.ts';
import { imagePath } from './image-name.ts';
import type { LaneHolders } from './lane-holders.ts';
import { BadMount } from './mount-words.ts';
import { containerNames } from './naming.ts';
import type { RunContext } from './run-context.ts';
import type { RunNetworks } from './run-networks.ts';
import type { RunVolumes } from './run-volumes.ts';
import { stepNetwork } from './step-place.ts';

/** What the containers of steps are made from. */
export interface StepContainerParts {
  readonly context: RunContext;
  readonly spec: RunSpaceSpec;
  readonly networks: RunNetworks;
  readonly holders: LaneHolders;
  readonly volumes: RunVolumes;
  readonly socketPath: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A container for a step, or why there is none. `ready` resolves when everything it needs to start is in place. */
export type StepContainer =
  | { readonly kind: 'created'; readonly id: string; readonly ready: Promise<void> }
  | { readonly kind: 'image-missing' }
  | { readonly kind: 'refused'; readonly reason: Error };

interface Prepared {
  readonly request: string;
  readonly container: Promise<StepContainer>;
}

/** Creates the containers of a run's steps, ahead of time where told to, and removes them off the critical path. */
export class StepContainers {
  readonly #parts: StepContainerParts;
  readonly #prepared = new Map<string, Prepared>();
  /** The latest container of each step, for flags that name a step and for removing it before the next attempt. */
  readonly #latest = new Map<string, string>();
  readonly #names: FlagNames;

  constructor(parts: StepContainerParts) {
    this.#parts = parts;
    this.#names = {
      volume: (name) => parts.volumes.volumeName(name),
      container: (name) => this.#latest.get(name) ?? name,
    };
  }

  /** Creates the container now; starting it later saves its creation. A request that cannot be met is met again by `take`. */
  prepare(request: ContainerRequest): void {
    const key = attemptKey(request);
    if (this.#prepared.has(key) || this.#latest.has(request.step) || request.container.extra.pull === 'always') return;
    const container = this.#create(request);
    container.catch(() => undefined);
    this.#prepared.set(key, { request: JSON.stringify(request), container });
  }

  /** Knows the containers that an earlier attempt of the run left; before anything else is called. */
  adopt(containers: readonly ExistingContainer[]): void {
    for (const container of containers.toSorted((a, b) => a.attempt - b.attempt)) {
      if (container.step !== undefined) this.#latest.set(container.step, container.id);
    }
  }

  /** The container of a request: the prepared one when nothing has changed since, else a new one. */
  async take(request: ContainerRequest): Promise<StepContainer> {
    await this.#removeEarlierAttempt(request.step);
    const key = attemptKey(request);
    const prepared = this.#prepared.get(key);
    this.#prepared.delete(key);
    const container = (prepared === undefined ? undefined : await this.#usable(prepared, request)) ?? (await this.#create(request));
    if (container.kind === 'created') this.#latest.set(request.step, container.id);
    return container;
  }

  /** Resolves when everything is in place that a container of the request needs to start. */
  async ready(request: ContainerRequest): Promise<void> {
    const { holders, networks, volumes } = this.#parts;
    const mounted = request.container.volumeMounts.map(({ name }) => name);
    const [network] = await Promise.all([stepNetwork(request, holders, networks, this.#names), volumes.ready(mounted)]);
    await network.holder?.started;
  }

  /** The step's container has ended (or, detached, has started). */
  finished(request: ContainerRequest, id: string): void {
    if (!request.keep && !request.detach && !this.#parts.spec.durableLogs) this.#removeLater(id);
  }

  async #usable(prepared: Prepared, request: ContainerRequest): Promise<StepContainer | undefined> {
    const container = await prepared.container.catch(() => undefined);
    if (container?.kind !== 'created') return undefined;
    if (prepared.request === JSON.stringify(request) && (await this.#hasCurrentImage(container.id, request.container.image)))
      return container;
    this.#removeLater(container.id);
    return undefined;
  }

  /** An earlier step may have built or pulled the image anew since the container was prepared. */
  async #hasCurrentImage(id: string, image: string): Promise<boolean> {
    const { api } = this.#parts.context;
    try {
      const [container, current] = await Promise.all([
        inspectContainer(api, id),
        api.json<{ Id: string }>({ method: 'GET', path: `/images/${imagePath(image)}/json` }),
      ]);
      return withoutAlgorithm(container.Image) === withoutAlgorithm(current.Id);
    } catch (error) {
      if (isRefusal(error, 404)) return false;
      throw error;
    }
  }

  async #removeEarlierAttempt(step: string): Promise<void> {
    const earlier = this.#latest.get(step);
    if (earlier === undefined) return;
    this.#latest.delete(step);
    // A kept or detached container of an earlier attempt still has the step's names; the new attempt takes its place.
    await this.#parts.context.removeContainer(earlier);
  }

  #removeLater(id: string): void {
    // What fails here is found by its label at the end of the run.
    this.#parts.context.removeContainer(id).catch(() => undefined);
  }

  async #create(request: ContainerRequest): Promise<StepContainer> {
    const { context, spec, volumes } = this.#parts;
    const mounted = request.container.volumeMounts.map(({ name }) => name);
    const [mounts, network] = await Promise.all([
      volumes.mounts(),
      stepNetwork(request, this.#parts.holders, this.#parts.networks, this.#names),
      volumes.secretsExist(mounted),
    ]);
    const place: ContainerPlace = {
      labels: context.stepLabels(request.step, request.attempt),
      networkMode: network.mode,
      aliases: network.aliases,
      ownPorts: network.holder === undefined,
      mounts: [...mounts, ...(spec.dockerSocket ? [[this.#parts.socketPath, '/var/run/docker.sock'] as const] : [])],
      names: this.#names,
      logConfig: spec.durableLogs ? durableLogConfig(context.engineKind) : request.keep || request.detach ? undefined : { Type: 'none' },
      init: spec.init === true && context.hasInit,
      limits: spec.limits ?? {},
      environment: this.#parts.environment,
    };
    const bareName = spec.dockerSocket && (request.keep || request.detach);
    const names = containerNames(context.runId, request.step, request.attempt, bareName);
    try {
      const body = containerConfig(request, place);
      const id = await context.make(() => createContainer(context.api, names, body, request.container.platform));
      const ready = Promise.all([volumes.ready(mounted), network.holder?.started]).then(() => undefined);
      ready.catch(() => undefined);
      return { kind: 'created', id, ready };
    } catch (error) {
      if (isImageMissing(error)) return { kind: 'image-missing' };
      if (isForTheAuthor(error)) return { kind: 'refused', reason: error };
      throw error;
    }
  }
}

function isForTheAuthor(error: unknown): error is Error {
  return error instanceof EngineRefusal || error instanceof BadOption || error instanceof BadPort || error instanceof BadMount;
}

function attemptKey({ step, attempt }: ContainerRequest): string {
  return `${attempt} ${step}`;
}

function withoutAlgorithm(id: string): string {
  return id.replace(/^sha256:/, '');
}
