import type { EngineError } from '../../src/model/engine-error.ts';
import type { Clock } from '../../src/model/ports/clock.ts';
import type {
  BuildRequest,
  CollectedThing,
  ContainerEngine,
  ContainerRequest,
  EngineDescription,
  EngineImage,
  RunSpaceSpec,
} from '../../src/model/ports/container-engine.ts';
import { systemClock } from '../../src/util/clock.ts';
import type { FakeContainer, FakeProcess } from './fake-container.ts';
import { createFakeRunSpace, type FakeSpace } from './fake-run-space.ts';
import { createScripts, type Scripts } from './fake-scripts.ts';

/** What the fake engine lets a test see and decide beside the port. */
export interface FakeEngine extends ContainerEngine {
  /** The next container of a step, once it is started and not yet handed out; only held containers are handed out. */
  nextStart(step: string): Promise<FakeContainer>;
  /** Calls in order: `prepare a#1`, `run a#1`, `start a#1`, `end a#1`, `pull img`, `build b#1`, `push ref`, `destroy`. */
  readonly calls: readonly string[];
  readonly spaces: readonly RunSpaceSpec[];
  readonly prepared: readonly ContainerRequest[];
  readonly builds: readonly BuildRequest[];
  /** Most containers alive at one time, detached ones included. */
  readonly peak: number;
  /** Scripted answers; without one, pulls, pushes and builds succeed at once. */
  readonly scripts: Scripts;
  /** Files that readWorkspaceFile finds, by absolute path. */
  readonly workspaceFiles: Map<string, Uint8Array>;
  readonly images: Map<string, EngineImage>;
  /** How often destroy did its work. */
  readonly destroyed: number;
  /** Forgets that the process of a run lives, as after kill -9: collect then finds what it left. */
  abandon(runId: string): void;
  /** As kill -9 of the process that has this space: its calls never return; the space can be adopted. */
  kill(runId: string): void;
  /** Takes a container away behind everybody's back. */
  lose(runId: string, step: string, attempt: number): void;
}

export interface FakeEngineOptions {
  readonly clock?: Clock;
  /** Every container waits for the test (`nextStart`), whatever its environment says. */
  readonly manual?: boolean;
  /** Rejections of the engine as a whole. */
  readonly failDescribe?: EngineError;
  readonly failOpenRun?: EngineError;
  readonly failDestroy?: EngineError;
  readonly leftovers?: readonly CollectedThing[];
  readonly description?: Partial<EngineDescription>;
}

/** State that the spaces of one fake engine share. */
export interface FakeEngineState {
  readonly clock: Clock;
  readonly options: FakeEngineOptions;
  readonly calls: string[];
  readonly prepared: ContainerRequest[];
  readonly builds: BuildRequest[];
  readonly scripts: Scripts;
  readonly workspaceFiles: Map<string, Uint8Array>;
  readonly images: Map<string, EngineImage>;
  /** By `space step#attempt`: running, and ended where somebody may still ask. */
  readonly containers: Map<string, FakeProcess>;
  alive: number;
  peak: number;
  destroyed: number;
  started(container: FakeContainer): void;
}

/** An engine in memory that keeps the port's contract and throws `bug: …` when its user breaks it. */
export function createFakeEngine(options: FakeEngineOptions = {}): FakeEngine {
  const waiting = new Map<string, ((container: FakeContainer) => void)[]>();
  const arrived = new Map<string, FakeContainer[]>();
  const live = new Map<string, { readonly spec: RunSpaceSpec; readonly space: FakeSpace }>();
  const abandoned = new Set<string>();
  const spaces: RunSpaceSpec[] = [];
  let closed = false;
  const state: FakeEngineState = {
    clock: options.clock ?? systemClock,
    options,
    calls: [],
    prepared: [],
    builds: [],
    scripts: createScripts(),
    workspaceFiles: new Map(),
    images: new Map(),
    containers: new Map(),
    alive: 0,
    peak: 0,
    destroyed: 0,
    started(container) {
      const next = waiting.get(container.request.step)?.shift();
      if (next === undefined) arrived.set(container.request.step, [...(arrived.get(container.request.step) ?? []), container]);
      else next(container);
    },
  };
  function assertOpen(call: string): void {
    if (closed) throw new Error(`bug: ${call} after close`);
  }
  return {
    calls: state.calls,
    spaces,
    prepared: state.prepared,
    builds: state.builds,
    scripts: state.scripts,
    workspaceFiles: state.workspaceFiles,
    images: state.images,
    get peak() {
      return state.peak;
    },
    get destroyed() {
      return state.destroyed;
    },
    nextStart: (step) => {
      const there = arrived.get(step)?.shift();
      if (there !== undefined) return Promise.resolve(there);
      return new Promise((resolve) => waiting.set(step, [...(waiting.get(step) ?? []), resolve]));
    },
    abandon: (runId) => void abandoned.add(runId),
    kill: (runId) => live.get(runId)?.space.kill(),
    lose: (runId, step, attempt) => void state.containers.delete(`${runId} ${step}#${attempt}`),
    describe: async () => {
      assertOpen('describe');
      if (options.failDescribe !== undefined) throw options.failDescribe;
      return { ...DESCRIPTION, ...options.description };
    },
    openRun: async (spec) => {
      assertOpen('openRun');
      if (options.failOpenRun !== undefined) throw options.failOpenRun;
      if (!/^[a-z0-9]{4,40}$/.test(spec.runId)) throw new Error(`bug: run id ${spec.runId} is not [a-z0-9]{4,40}`);
      if (live.has(spec.runId) && !(spec.adopt === true && live.get(spec.runId)?.space.isLetGo === true))
        throw new Error(`bug: run ${spec.runId} is open already`);
      spaces.push(spec);
      const space = createFakeRunSpace(spec, state, () => live.delete(spec.runId));
      live.set(spec.runId, { spec, space });
      return space;
    },
    findImage: async (reference) => {
      assertOpen('findImage');
      return state.images.get(reference) ?? [...state.images.values()].find((image) => image.id === reference);
    },
    removeImage: async (reference) => {
      assertOpen('removeImage');
      return state.images.delete(reference) ? 'removed' : 'missing';
    },
    collect: async ({ dryRun }) => {
      assertOpen('collect');
      const found = [...live].filter(([runId]) => abandoned.has(runId));
      if (!dryRun) for (const [runId] of found) live.delete(runId);
      return found.flatMap(([, { space }]) => space.things());
    },
    collectRuns: async ({ owner, live: askLive }) => {
      assertOpen('collectRuns');
      const there = [...live].filter(([, { spec }]) => spec.owner === owner);
      const alive = await askLive();
      const found = there.filter(([runId]) => !alive.has(runId));
      const removed = found.flatMap(([, { space }]) => space.things());
      for (const [runId] of found) {
        live.delete(runId);
        for (const key of state.containers.keys()) if (key.startsWith(`${runId} `)) state.containers.delete(key);
      }
      return removed;
    },
    close: async () => {
      closed = true;
    },
  };
}

const DESCRIPTION: EngineDescription = {
  kind: 'fake',
  version: '1.0',
  apiVersion: '1.41',
  buildkit: true,
  os: 'linux',
  architecture: 'amd64',
  cpus: 2,
  endpoint: 'memory:',
};
