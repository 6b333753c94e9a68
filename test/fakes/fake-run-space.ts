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
import { type FakeFollower, type FakeProcess, fakeEnvironment, startFakeContainer } from './fake-container.ts';
import type { FakeEngineState } from './fake-engine.ts';
import { heldUntilCanceled } from './fake-scripts.ts';

export interface FakeSpace extends RunSpace {
  things(): readonly CollectedThing[];
  /** As kill -9 of the process that has the space: its calls never return, containers go on. */
  kill(): void;
  readonly isLetGo: boolean;
}

/** The space of one run in the fake engine. `things` lists what it would leave behind now. */
export function createFakeRunSpace(spec: RunSpaceSpec, engine: FakeEngineState, onDestroyed: () => void): FakeSpace {
  const seen = new Set<string>();
  const detaching = new AbortController();
  const killed = new AbortController();
  const followed = new Set<Promise<void>>();
  const prefix = `${spec.runId} `;
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

  function own(): readonly (readonly [string, FakeProcess])[] {
    return [...engine.containers].filter(([key]) => key.startsWith(prefix));
  }

  function started(process: FakeProcess): void {
    const { step, attempt } = process.handle.request;
    engine.calls.push(`start ${step}#${attempt}`);
    running.add(step);
    engine.alive += 1;
    engine.peak = Math.max(engine.peak, engine.alive);
  }

  function ended({ handle }: FakeProcess): void {
    if (!running.delete(handle.request.step)) return;
    engine.alive -= 1;
    engine.calls.push(`end ${handle.request.step}#${handle.request.attempt}`);
  }

  async function follow(process: FakeProcess, io: ContainerIo, from: FakeFollower['from']): Promise<ContainerOutcome> {
    const work = process.follow({ io, from, detaching: detaching.signal, killed: killed.signal });
    const settled = work.then(
      () => undefined,
      () => undefined,
    );
    followed.add(settled);
    try {
      const outcome = await work;
      if (outcome.detached !== true) ended(process);
      return outcome;
    } catch (error) {
      ended(process);
      throw error;
    } finally {
      followed.delete(settled);
      const { step, attempt } = process.handle.request;
      if (!spec.durableLogs) engine.containers.delete(`${prefix}${step}#${attempt}`);
    }
  }

  async function adopt(request: ContainerRequest, from: FakeFollower['from'], io: ContainerIo): Promise<ContainerOutcome> {
    const process = engine.containers.get(`${prefix}${request.step}#${request.attempt}`);
    engine.calls.push(`adopt ${request.step}#${request.attempt}`);
    const nothing = { containerId: process?.handle.id ?? '', canceled: false, outOfMemory: false, exitCode: 0 };
    if (process === undefined) return { ...nothing, gone: true };
    await io.onStarted?.(process.handle.id);
    running.add(request.step);
    if (request.detach) return nothing;
    if (!process.isOver) engine.started(process.handle);
    return await follow(process, io, from);
  }

  async function runContainer(request: ContainerRequest, io: ContainerIo): Promise<ContainerOutcome> {
    const name = `${request.step}#${request.attempt}`;
    assertUsable(`runContainer ${name}`);
    if (request.adopt !== undefined) return await adopt(request, request.adopt.positions, io);
    if (seen.has(name) || engine.containers.has(`${prefix}${name}`)) throw new Error(`bug: ${name} runs twice`);
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
    const told = io.onStarted?.(id);
    if (told !== undefined) await told;
    if (killed.signal.aborted) return await new Promise<never>(() => undefined);
    if (detaching.signal.aborted) return { ...nothing, exitCode: 0, detached: true };
    const hold = request.detach || engine.options.manual === true || environment.has('FAKE_HOLD');
    const process = startFakeContainer(id, request, engine.clock, hold);
    engine.containers.set(`${prefix}${name}`, process);
    started(process);
    if (request.detach) return { ...nothing, exitCode: 0 };
    const outcome = follow(process, io, { stdout: 0, stderr: 0 });
    process.act();
    if (hold) engine.started(process.handle);
    return await outcome;
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
    for (const [key, process] of own()) {
      if (!process.isOver) process.handle.exit(137);
      ended(process);
      engine.containers.delete(key);
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
    release: (containerId) => {
      engine.calls.push('release');
      for (const [key, process] of own()) if (process.handle.id === containerId && process.isOver) engine.containers.delete(key);
    },
    detach: async () => {
      engine.calls.push('detach');
      detaching.abort();
      destroying ??= Promise.resolve([]);
      await Promise.all(followed);
    },
    kill: () => killed.abort(),
    get isLetGo() {
      return killed.signal.aborted || detaching.signal.aborted;
    },
    things: () => own().map(([, { handle }]) => ({ kind: 'container', id: handle.id, name: handle.request.step, run: spec.runId })),
  };
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
