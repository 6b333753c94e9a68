import type { Readable } from 'node:stream';
import { EngineError } from '../model/engine-error.ts';
import type { BuildSpec } from '../model/plan.ts';
import type {
  BuildAheadRequest,
  BuildIo,
  BuildOutcome,
  BuildRequest,
  CollectedThing,
  ContainerIo,
  ContainerOutcome,
  ContainerRequest,
  PullRequest,
  RunSpace,
  RunSpaceSpec,
  TransferIo,
  TransferOutcome,
} from '../model/ports/container-engine.ts';
import type { KeyedLock } from '../util/keyed-lock.ts';
import type { RunBuildSpec, RunBuildSpecs } from './build/run-build-specs.ts';
import { DurableContainers } from './durable-containers.ts';
import { goneOutcome } from './durable-execution.ts';
import type { Positions } from './durable-output.ts';
import { toEngineError } from './engine-api.ts';
import type { ExistingThings } from './existing-things.ts';
import type { BuildRunContext, ImageBuilder } from './image-builder.ts';
import { LaneHolders } from './lane-holders.ts';
import { listRunContainers, removeRun, removeRunImages } from './leftovers.ts';
import { type ImagePush, pushImage } from './push-image.ts';
import type { RunContext } from './run-context.ts';
import { RunNetworks } from './run-networks.ts';
import { RunVolumes } from './run-volumes.ts';
import { StepContainers } from './step-containers.ts';
import { type CreatedContainer, canceledOutcome, executeContainer, startFailure } from './step-execution.ts';
import { pullImage } from './transfer.ts';
import { readVolumeDirectory, readVolumeFile, writeVolumeDirectory } from './workspace-files.ts';
import type { PackWorkspace } from './workspace-seed.ts';

/** What a space needs of the engine it is in. */
export interface RunSpaceParts {
  readonly context: RunContext;
  readonly existing: ExistingThings;
  readonly builder: () => Promise<ImageBuilder>;
  /** Tags that are being pushed, by any run on the engine. */
  readonly tagLocks: KeyedLock;
  readonly pack: PackWorkspace;
  /** Path of the engine's socket on the engine's machine. */
  readonly socketPath: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** One run on an engine that speaks Docker's API. */
export class DockerRunSpace implements RunSpace {
  readonly #context: RunContext;
  readonly #spec: RunSpaceSpec;
  readonly #parts: RunSpaceParts;
  readonly #volumes: RunVolumes;
  readonly #steps: StepContainers;
  readonly #durable: DurableContainers;
  #specs: Promise<RunBuildSpecs> | undefined;
  #destroyed: Promise<readonly CollectedThing[]> | undefined;

  constructor(spec: RunSpaceSpec, parts: RunSpaceParts) {
    this.#context = parts.context;
    this.#spec = spec;
    this.#parts = parts;
    const networks = new RunNetworks(parts.context, spec.networks);
    const holders = new LaneHolders(parts.context, networks, spec.lanes);
    this.#volumes = new RunVolumes(parts.context, spec, parts.pack);
    this.#steps = new StepContainers({ ...parts, spec, networks, holders, volumes: this.#volumes });
    this.#durable = new DurableContainers(parts.context, parts.existing.containers);
    this.#steps.adopt(parts.existing.containers);
    if (spec.lanes.length > 0) {
      holders.warmUp();
      this.#volumes.warmUp();
    }
  }

  prepare(request: ContainerRequest): void {
    if (!this.#context.closed) this.#steps.prepare(request);
  }

  async runContainer(request: ContainerRequest, io: ContainerIo): Promise<ContainerOutcome> {
    this.#refuseWhenClosed();
    if (request.adopt !== undefined) return await this.#adopt(request, request.adopt.positions, io);
    if (io.signal.aborted) return canceledOutcome('');
    if (request.container.extra.pull === 'always') {
      const pulled = await this.#pullFor(request, io);
      if (pulled !== undefined) return pulled;
    }
    const created = await this.#create(request, io);
    if ('outcome' in created) return created.outcome;
    try {
      await created.ready;
      const container = createdContainer(created.id, request);
      if (this.#spec.durableLogs) return await this.#durable.execute(container, io);
      return await executeContainer(this.#context.api, this.#context.startGate, container, io);
    } finally {
      this.#steps.finished(request, created.id);
    }
  }

  async pull(request: PullRequest, io: TransferIo): Promise<TransferOutcome> {
    this.#refuseWhenClosed();
    return await this.#context.track(pullImage(this.#context.api, request, this.#spec, this.#untilClosed(io)));
  }

  async push(request: ImagePush, io: TransferIo): Promise<TransferOutcome> {
    this.#refuseWhenClosed();
    if (this.#spec.isolation !== undefined)
      return { ok: false, message: 'nothing is pushed from a run that is kept apart', permanent: true, canceled: false };
    const settings = { ...this.#spec, tagLocks: this.#parts.tagLocks };
    return await this.#context.track(pushImage(this.#context.api, request, settings, this.#untilClosed(io)));
  }

  async build(request: BuildRequest, io: BuildIo): Promise<BuildOutcome> {
    this.#refuseWhenClosed();
    const builder = await this.#parts.builder();
    const buildIo: BuildIo = {
      signal: AbortSignal.any([io.signal, this.#context.closing]),
      onOutput: (stream, chunk) => io.onOutput(stream, chunk),
      onProgress: (progress) => io.onProgress(progress),
    };
    const { spec, unpushed } = await this.#specOf(request.spec);
    for (const reference of unpushed)
      buildIo.onProgress({ vertex: 'cache', name: 'cache', state: 'done', note: `cache not pushed (--no-push): ${reference}` });
    const refusal = this.#refusalOf(request);
    if (refusal !== undefined) return { ok: false, message: refusal, canceled: false };
    return await this.#context.track(builder.build({ ...request, spec }, buildIo, this.#buildContext(request.step, request.attempt)));
  }

  async prepareBuild(request: BuildAheadRequest, signal: AbortSignal): Promise<void> {
    const wanted = AbortSignal.any([signal, this.#context.closing]);
    try {
      const builder = await this.#parts.builder();
      const { spec } = await this.#specOf(request.spec);
      if (!wanted.aborted) await builder.begin({ ...request, spec }, this.#buildContext(request.step, 1), wanted);
    } catch {
      // What cannot be begun (a tag that is none, an engine that is gone) is told by the build itself.
    }
  }

  /** The build as the run lets it be. A run of the usual kind loads nothing for it. */
  async #specOf(written: BuildSpec): Promise<RunBuildSpec> {
    const { noPush = false, isolation, owner, runId } = this.#spec;
    if (!noPush && isolation === undefined) return { spec: written, unpushed: [] };
    this.#specs ??= import('./build/run-build-specs.ts').then(
      ({ RunBuildSpecs }) => new RunBuildSpecs({ noPush, isolation, images: { owner, runId } }),
    );
    return (await this.#specs).of(written);
  }

  /** Podman's builder has one store of caches for everybody. */
  #refusalOf({ inputs }: BuildRequest): string | undefined {
    if (this.#spec.isolation === undefined || this.#context.engineKind !== 'podman') return undefined;
    if (!/--mount[^\n]*\btype\s*=\s*cache/i.test(inputs.dockerfile.text)) return undefined;
    return '`RUN --mount=type=cache` is not possible in an untrusted run on Podman: its caches would be those of all runs';
  }

  #buildContext(step: string, attempt: number): BuildRunContext {
    return {
      runId: this.#spec.runId,
      labels: this.#context.stepLabels(step, attempt),
      credentials: this.#spec.credentials,
      insecureRegistries: this.#spec.insecureRegistries,
      readWorkspaceTar: (path) => this.#readWorkspaceTar(path),
      readWorkspaceFile: (path) => this.readWorkspaceFile(path),
      writeWorkspaceTar: (directory, tar) => this.#writeWorkspaceTar(directory, tar),
      ...this.#sshAgent(),
    };
  }

  async readWorkspaceFile(path: string): Promise<Uint8Array | undefined> {
    this.#refuseWhenClosed();
    await this.#volumes.ready([]);
    return await readVolumeFile(this.#context.api, await this.#volumes.fileDoor(), path);
  }

  destroy(options: { readonly signal: AbortSignal }): Promise<readonly CollectedThing[]> {
    this.#destroyed ??= this.#destroy(options.signal);
    return this.#destroyed;
  }

  release(containerId: string): void {
    if (!this.#spec.durableLogs || this.#context.closed) return;
    // What fails here is found by its label at the end of the run.
    const removal = this.#context.track(this.#volumes.marked().then(() => this.#context.removeContainer(containerId)));
    removal.catch(() => undefined);
  }

  async detach(): Promise<void> {
    this.#destroyed ??= this.#detach();
    await this.#destroyed;
  }

  async #detach(): Promise<readonly CollectedThing[]> {
    await Promise.all([this.#durable.detach(), this.#context.close()]);
    return [];
  }

  /**
   * Follows what the step's container still does; there may be none. One that was made and has not started is started, and no other in its
   * place: an earlier process may have asked for its start, and the engine be at it.
   */
  async #adopt(request: ContainerRequest, positions: Positions, io: ContainerIo): Promise<ContainerOutcome> {
    const found = this.#durable.find(request);
    if (found === undefined) return goneOutcome();
    const container = createdContainer(found.id, request);
    if (found.state !== 'created') return await this.#durable.adopt(container, positions, io);
    if (io.signal.aborted) return canceledOutcome(found.id);
    await this.#steps.ready(request);
    return await this.#durable.startAndAdopt(container, positions, io);
  }

  async #readWorkspaceTar(path: string): Promise<Readable> {
    await this.#volumes.ready([]);
    const tar = await readVolumeDirectory(this.#context.api, await this.#volumes.fileDoor(), path);
    if (tar === undefined) throw new EngineError('context-failed', `The build context ${path} does not exist in the workspace.`);
    return tar;
  }

  async #writeWorkspaceTar(directory: string, tar: Readable): Promise<void> {
    await this.#volumes.ready([]);
    await writeVolumeDirectory(this.#context.api, await this.#volumes.fileDoor(), directory, tar);
  }

  /** Whoever may use the engine's socket owns this machine already; nobody else gets its keys. */
  #sshAgent(): { readonly sshAgentSocket?: string } {
    const sshAgentSocket = this.#parts.environment['SSH_AUTH_SOCK'];
    return this.#spec.dockerSocket && sshAgentSocket !== undefined && sshAgentSocket !== '' ? { sshAgentSocket } : {};
  }

  /** A container for the request, pulling its image when it is missing; or the outcome that there will be none. */
  async #create(
    request: ContainerRequest,
    io: ContainerIo,
  ): Promise<{ readonly id: string; readonly ready: Promise<void> } | { readonly outcome: ContainerOutcome }> {
    const first = await this.#steps.take(request);
    if (first.kind === 'created') return first;
    if (first.kind === 'refused') return { outcome: startFailure(first.reason, '') };
    if (request.container.extra.pull === 'never') throw imageMissing(request.container.image, 'the step says --pull never');
    const pulled = await this.#pullFor(request, io);
    if (pulled !== undefined) return { outcome: pulled };
    const second = await this.#steps.take(request);
    if (second.kind === 'created') return second;
    if (second.kind === 'refused') return { outcome: startFailure(second.reason, '') };
    throw imageMissing(request.container.image, 'the engine does not find it after pulling it');
  }

  /** Pulls the image of a step; resolves to an outcome only when the step was cancelled meanwhile. */
  async #pullFor(request: ContainerRequest, io: ContainerIo): Promise<ContainerOutcome | undefined> {
    const { image, platform } = request.container;
    const transferIo = { signal: io.signal, onTransfer: io.onTransfer ?? (() => undefined) };
    const pulled = await this.pull({ reference: image, ...(platform === undefined ? {} : { platform }) }, transferIo);
    if (pulled.ok) return undefined;
    if (pulled.canceled) return canceledOutcome('');
    if (pulled.permanent) throw imageMissing(image, pulled.message);
    throw new EngineError('registry-failed', `Pulling ${image}: ${pulled.message}`, { transient: true });
  }

  /** The end of the run cancels what its caller forgot to cancel. */
  #untilClosed(io: TransferIo): TransferIo {
    return { signal: AbortSignal.any([io.signal, this.#context.closing]), onTransfer: (progress) => io.onTransfer(progress) };
  }

  #refuseWhenClosed(): void {
    if (this.#context.closed) throw new EngineError('internal', `Run ${this.#spec.runId} has ended; nothing can be started in it.`);
  }

  async #removeContainers(signal: AbortSignal): Promise<void> {
    const ids = await listRunContainers(this.#context.api, this.#context.runId, signal);
    const removals = ids.map((id) => this.#context.removeContainer(id, signal).catch(() => undefined));
    await Promise.race([Promise.all(removals), aborted(signal)]);
  }

  /** Only a run that is kept apart has images of its own. */
  async #removeImages(signal: AbortSignal): Promise<readonly CollectedThing[]> {
    const { owner, runId, isolation } = this.#spec;
    return isolation === undefined ? [] : await removeRunImages(this.#context.api, { owner, runId }, signal);
  }

  async #destroy(signal: AbortSignal): Promise<readonly CollectedThing[]> {
    const { api, runId } = this.#context;
    try {
      // Containers that run end here, so that the run's calls return; what was just being made settles meanwhile. What
      // fails is tried again below.
      const settled = Promise.race([this.#context.close(), aborted(signal)]);
      if (!this.#context.mayHaveMade) {
        await settled;
        return await this.#removeImages(signal);
      }
      await this.#removeContainers(signal);
      await settled;
      return [...(await removeRun(api, runId, signal)), ...(await this.#removeImages(signal))];
    } catch (error) {
      throw toEngineError(error, `Removing what run ${runId} made`);
    }
  }
}

function createdContainer(id: string, { step, container, detach }: ContainerRequest): CreatedContainer {
  return { id, step, tty: container.extra.tty === true, detach };
}

function imageMissing(image: string, reason: string): EngineError {
  return new EngineError('image-not-found', `The image ${image} is not in the engine and could not be pulled: ${reason}`);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
