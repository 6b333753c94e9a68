import type { BaseImage } from '../../src/model/image.ts';
import type { Plan, PlanStep } from '../../src/model/plan.ts';
import type { BuildInputs, BuildInputsRequest, PreparedBuild } from '../../src/model/ports/build-inputs.ts';
import type { Registry } from '../../src/model/ports/registry.ts';
import type { RunEvent } from '../../src/model/run-event.ts';
import { executeRun } from '../../src/run/execute-run.ts';
import type { RunDependencies, RunOptions, RunResult } from '../../src/run/run-options.ts';
import { createMasker } from '../../src/util/masker.ts';
import { createFakeClock, type FakeClock } from '../fakes/fake-clock.ts';
import { createFakeEngine, type FakeEngine, type FakeEngineOptions } from '../fakes/fake-engine.ts';
import { plan as planOf } from './plans.ts';

export interface RigOptions {
  readonly engine?: FakeEngineOptions;
  readonly options?: Partial<RunOptions>;
  readonly deps?: Partial<RunDependencies>;
  readonly secrets?: readonly string[];
}

/** A run on the fake engine and the fake clock that a test follows and steers. */
export interface Rig {
  readonly engine: FakeEngine;
  readonly clock: FakeClock;
  readonly events: readonly RunEvent[];
  readonly result: Promise<RunResult>;
  readonly cancel: AbortController;
  readonly inputRequests: readonly BuildInputsRequest[];
  /** The first event, past or future, that has these properties. */
  until(properties: Partial<Record<string, unknown>>): Promise<RunEvent>;
  /** `step status because` of every finished step, in the order of their ends. */
  ends(): readonly string[];
}

export function startRun(steps: readonly PlanStep[] | Plan, rig: RigOptions = {}): Rig {
  const clock = createFakeClock();
  const engine = createFakeEngine({ clock, ...rig.engine });
  const cancel = new AbortController();
  const events: RunEvent[] = [];
  const watchers = new Set<(event: RunEvent) => void>();
  const inputRequests: BuildInputsRequest[] = [];
  const deps: RunDependencies = {
    engine,
    inputs: createInputs(inputRequests),
    registry: NO_REGISTRY,
    clock,
    masker: createMasker(rig.secrets ?? []),
    random: () => 1,
    emit: (event) => {
      events.push(event);
      for (const watcher of watchers) watcher(event);
    },
    ...rig.deps,
  };
  const until = (properties: Partial<Record<string, unknown>>): Promise<RunEvent> =>
    new Promise((resolve) => {
      const matches = (event: RunEvent): boolean =>
        Object.entries(properties).every(([key, value]) => (event as unknown as Record<string, unknown>)[key] === value);
      const watcher = (event: RunEvent): void => {
        if (matches(event)) resolve(event);
      };
      watchers.add(watcher);
      events.forEach(watcher);
    });
  const result = executeRun('steps' in steps ? steps : planOf(steps), deps, { ...OPTIONS, signal: cancel.signal, ...rig.options });
  const ends = () =>
    events.flatMap((event) =>
      event.type === 'step-finished'
        ? [[event.step, event.status, ...(event.because === undefined ? [] : [`(${event.because})`])].join(' ')]
        : [],
    );
  return { engine, clock, events, result, cancel, inputRequests, until, ends };
}

export const OPTIONS: Omit<RunOptions, 'signal'> = {
  runId: 'run1',
  cleanupDeadlineMs: 30_000,
  keepGoing: false,
  extended: false,
  noPush: false,
  workspace: { kind: 'volume', name: 'workspace', seed: '/seed' },
  dockerSocket: true,
  credentials: { forHost: async () => undefined, explicitHosts: () => [] },
  durableLogs: false,
  insecureRegistries: [],
  secrets: new Map(),
};

export const BASE: BaseImage = {
  reference: 'node:22',
  platform: 'linux/amd64',
  indexDigest: `sha256:${'1'.repeat(64)}`,
  platformDigest: `sha256:${'2'.repeat(64)}`,
  role: 'runtime',
  source: 'registry',
};

export function createInputs(requests: BuildInputsRequest[], prepared: Partial<PreparedBuild> = {}): BuildInputs {
  return {
    prepare: async (request) => {
      requests.push(request);
      return {
        context: { kind: 'empty' },
        dockerfile: { name: 'Dockerfile', text: 'FROM node:22' },
        ignore: [],
        baseImages: [BASE],
        gitHead: 'abc123',
        dispose: async () => undefined,
        ...prepared,
      };
    },
  };
}

async function unexpected(): Promise<never> {
  throw new Error('this test expects no call to the registry');
}

export const NO_REGISTRY: Registry = {
  resolve: unexpected,
  look: unexpected,
  listTags: unexpected,
  copy: unexpected,
  delete: unexpected,
  referrers: unexpected,
  pullArtifact: unexpected,
  probePush: unexpected,
};
