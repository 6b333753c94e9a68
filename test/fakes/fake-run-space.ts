import { createHash } from 'node:crypto';
import { EngineError } from '../../src/model/engine-error.ts';
import type {
  BuildIo,
  BuildOutcome,
  BuildRequest,
  CollectedThing,
  ContainerIo,
  ContainerOutcome,
  ContainerRequest,
  RunSpace,
  RunSpaceSpec,
  TransferIo,
  TransferOutcome,
} from '../../src/model/ports/container-engine.ts';
import { type FakeContainer, fakeEnvironment, startFakeContainer } from './fake-container.ts';
import type { FakeEngineState } from './fake-engine.ts';
import { heldUntilCanceled } from './fake-scripts.ts';

/** The space of one run in the fake engine. `things` lists what it would leave behind now. */
export function createFakeRunSpace(
  spec: RunSpaceSpec,
  engine: FakeEngineState,
  onDestroyed: () => void,
): RunSpace & { things(): readonly CollectedThing[] } {
  const seen = new Set<string>();
  const alive = new Map<string, FakeContainer>();
  const running = new Set<string>();
  let destroying: Promise<readonly CollectedThing[]> | undefined;

  function assertUsable(call: string): void {
    if (destroying !== undefined) throw new Error(`bug: ${call} after destroy`);
  }

  /** Lanes promise that their steps never run at the same time: the port's users must keep it. */
  function assertLaneFree(step: string): void {
    const lane = spec.lanes.find((candidate) => candidate.steps.includes(step));
    const other = lane?.steps.find((candidate) => candidate !== step && running.has(candidate));
    if (other !== undefined) throw new Error(`bug: ${step} starts while ${other} of the same lane runs`);
  }

  function started(container: FakeContainer): void {
    const { step, attempt } = container.request;
    engine.calls.push(`start ${step}#${attempt}`);
    running.add(step);
    alive.set(container.id, container);
    engine.alive += 1;
    engine.peak = Math.max(engine.peak, engine.alive);
  }

  function ended(container: FakeContainer): void {
    if (!alive.delete(container.id)) return;
    engine.alive -= 1;
    running.delete(container.request.step);
    engine.calls.push(`end ${container.request.step}#${container.request.attempt}`);
  }

  async function runContainer(request: ContainerRequest, io: ContainerIo): Promise<ContainerOutcome> {
    const name = `${request.step}#${request.attempt}`;
    assertUsable(`runContainer ${name}`);
    if (seen.has(name)) throw new Error(`bug: ${name} runs twice`);
    seen.add(name);
    assertLaneFree(request.step);
    engine.calls.push(`run ${name}`);
    const environment = fakeEnvironment(request);
    const answer = engine.scripts.run.next(request.step);
    if (answer instanceof Error) throw answer;
    if (environment.has('FAKE_ENGINE_ERROR')) throw new EngineError('engine-failed', environment.get('FAKE_ENGINE_ERROR') ?? '');
    const id = digestOf(`${spec.runId} ${name}`).slice('sha256:'.length);
    const nothing = { containerId: id, canceled: false, outOfMemory: false };
    const startFailure = environment.get('FAKE_START_FAIL');
    const engineWords = environment.get('FAKE_ENGINE_WORDS');
    const words = engineWords === undefined ? {} : { engineWords };
    if (startFailure !== undefined) return { ...nothing, exitCode: 127, startFailure, ...words };
    if (io.signal.aborted) return { ...nothing, exitCode: 137, canceled: true };
    io.onStarted?.(id);
    const hold = !request.detach && (engine.options.manual === true || environment.has('FAKE_HOLD'));
    const { handle, outcome } = startFakeContainer(id, request, io, engine.clock, hold || request.detach);
    started(handle);
    if (request.detach) return { ...nothing, exitCode: 0 };
    if (hold) engine.started(handle);
    try {
      return await outcome;
    } finally {
      ended(handle);
    }
  }

  async function transfer(direction: 'pull' | 'push', reference: string, io: TransferIo): Promise<TransferOutcome> {
    assertUsable(`${direction} ${reference}`);
    engine.calls.push(`${direction} ${reference}`);
    const answer = engine.scripts[direction].next(reference) ?? { ok: true, digest: digestOf(reference) };
    if (answer instanceof Error) throw answer;
    const canceled = { ok: false, message: 'canceled', permanent: false, canceled: true } as const;
    if (answer === 'hold') return heldUntilCanceled(io.signal, canceled);
    if (io.signal.aborted) return canceled;
    io.onTransfer({ image: reference, direction, layer: 'layer', state: 'done' });
    return answer;
  }

  async function build(request: BuildRequest, io: BuildIo): Promise<BuildOutcome> {
    const name = `${request.step}#${request.attempt}`;
    assertUsable(`build ${name}`);
    engine.calls.push(`build ${name}`);
    engine.builds.push(request);
    const answer = engine.scripts.build.next(request.step) ?? { ok: true, imageId: digestOf(request.step) };
    if (answer instanceof Error) throw answer;
    const canceled = { ok: false, message: 'canceled', canceled: true } as const;
    if (answer === 'hold') return heldUntilCanceled(io.signal, canceled);
    if (io.signal.aborted) return canceled;
    io.onProgress({ vertex: 'v1', name: `build of ${request.step}`, state: 'started' });
    await io.onOutput('stderr', Buffer.from(`building ${request.step}\n`));
    io.onProgress({ vertex: 'v1', name: `build of ${request.step}`, state: answer.ok ? 'done' : 'failed' });
    if (answer.ok) {
      const image = { id: answer.imageId, tags: request.spec.tags, repoDigests: [], os: 'linux', architecture: 'amd64' };
      for (const tag of request.spec.tags) engine.images.set(tag, image);
    }
    return answer;
  }

  async function destroyOnce(): Promise<readonly CollectedThing[]> {
    engine.calls.push('destroy');
    engine.destroyed += 1;
    for (const container of [...alive.values()]) {
      container.exit(137);
      ended(container);
    }
    onDestroyed();
    if (engine.options.failDestroy !== undefined) throw engine.options.failDestroy;
    return engine.options.leftovers ?? [];
  }

  return {
    prepare: (request) => {
      assertUsable('prepare');
      if (seen.has(`${request.step}#${request.attempt}`)) throw new Error(`bug: ${request.step} is prepared after it ran`);
      engine.calls.push(`prepare ${request.step}#${request.attempt}`);
      engine.prepared.push(request);
    },
    runContainer,
    pull: (request, io) => transfer('pull', request.reference, io),
    push: (request, io) => transfer('push', request.reference, io),
    build,
    readWorkspaceFile: async (path) => {
      assertUsable('readWorkspaceFile');
      return engine.workspaceFiles.get(path);
    },
    destroy: () => {
      destroying ??= destroyOnce();
      return destroying;
    },
    release: () => undefined,
    detach: async () => {
      destroying ??= Promise.resolve([]);
    },
    things: () => [...alive.values()].map(({ id, request }) => ({ kind: 'container', id, name: request.step, run: spec.runId })),
  };
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
