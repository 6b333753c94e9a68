import { EngineError } from '../../src/model/engine-error.ts';
import type { AgentChannel, AgentOutcome, Assignment, Lease, ResolvedSecrets } from '../../src/model/ports/agent-channel.ts';
import type { LogChunk } from '../../src/model/ports/log-store.ts';
import type { RunEvent } from '../../src/model/run-event.ts';
import type { RunRequest } from '../../src/model/run-record.ts';
import type { TaskStepDefinition } from '../../src/model/task-definition.ts';

type Planned = Parameters<AgentChannel['planned']>[1];

/** A daemon in memory, as far as one agent sees it, which tests steer and look into. */
export interface FakeChannel extends AgentChannel {
  /** Puts a run into the queue. */
  submit(assignment: Assignment): void;
  /** Runs that `register` gives back. */
  readonly held: Assignment[];
  readonly events: readonly RunEvent[];
  readonly progressed: readonly RunEvent[];
  /** What was logged, with its run, without the bytes. */
  readonly chunks: readonly (Omit<LogChunk, 'bytes'> & { readonly run: string })[];
  readonly planned_: ReadonlyMap<string, Planned>;
  readonly released: readonly string[];
  /** `run step#attempt` */
  readonly gaps: readonly string[];
  readonly left: readonly string[];
  readonly secretsAsked: readonly string[];
  readonly secretValues: {
    values: Record<string, string>;
    contextToken?: string;
    credentials: ResolvedSecrets['credentials'];
    named: Record<string, string>;
  };
  readonly uploads: Map<string, Uint8Array>;
  /** Output of a step of a run so far. */
  text(run: string, step: string): string;
  /** Resolves with the end of a run. */
  outcome(run: string): Promise<AgentOutcome>;
  readonly finished: ReadonlyMap<string, AgentOutcome>;
  cancel(run: string, reason: string): void;
  /** From now on writes of this run are refused as stale. */
  fence(run: string): void;
  /** From now on renewals fail. */
  broken: boolean;
  /** Renewals say that this run is lost. */
  readonly lost: Set<string>;
}

export function createFakeChannel(daemonId = 'ab12cd'): FakeChannel {
  const queue: Assignment[] = [];
  const waiting: ((assignment: Assignment) => void)[] = [];
  const held: Assignment[] = [];
  const events: RunEvent[] = [];
  const progressed: RunEvent[] = [];
  const chunks: FakeChannel['chunks'][number][] = [];
  const planned = new Map<string, Planned>();
  const released: string[] = [];
  const gaps: string[] = [];
  const left: string[] = [];
  const secretsAsked: string[] = [];
  const outputs = new Map<string, Uint8Array[]>();
  const outcomes = new Map<string, PromiseWithResolvers<AgentOutcome>>();
  const finished = new Map<string, AgentOutcome>();
  const cancels = new Map<string, string>();
  const stale = new Set<string>();
  const uploads = new Map<string, Uint8Array>();
  let nudge = Promise.withResolvers<void>();
  const outcomeOf = (run: string): PromiseWithResolvers<AgentOutcome> => {
    const known = outcomes.get(run) ?? Promise.withResolvers<AgentOutcome>();
    outcomes.set(run, known);
    return known;
  };
  const check = ({ run }: Lease): void => {
    if (stale.has(run)) throw new EngineError('stale-attempt', `${run} has another attempt`);
  };
  const channel: FakeChannel = {
    ...{
      held,
      events,
      progressed,
      chunks,
      planned_: planned,
      released,
      gaps,
      left,
      secretsAsked,
      uploads,
      finished,
      lost: new Set<string>(),
      broken: false,
    },
    secretValues: { values: {}, credentials: [], named: {} },
    submit: (assignment) => {
      const next = waiting.shift();
      if (next === undefined) queue.push(assignment);
      else next(assignment);
    },
    text: (run, step) => Buffer.concat(outputs.get(`${run}/${step}`) ?? []).toString(),
    outcome: (run) => outcomeOf(run).promise,
    cancel: (run, reason) => {
      cancels.set(run, reason);
      nudge.resolve();
      nudge = Promise.withResolvers();
    },
    fence: (run) => void stale.add(run),
    register: async () => ({ daemonId, held }),
    claim: (_agent, { signal }) =>
      new Promise((resolve) => {
        const next = queue.shift();
        if (next !== undefined || signal.aborted) {
          resolve(next);
          return;
        }
        waiting.push(resolve);
        signal.addEventListener('abort', () => {
          if (waiting.includes(resolve)) waiting.splice(waiting.indexOf(resolve), 1);
          resolve(undefined);
        });
      }),
    renew: async (_agent, leases) => {
      if (channel.broken) throw new EngineError('store-failed', 'the database is away');
      const cancel = leases.flatMap((lease) => (cancels.has(lease.run) ? [{ ...lease, reason: cancels.get(lease.run) ?? '' }] : []));
      return { cancel, lost: leases.filter(({ run }) => channel.lost.has(run)) };
    },
    nudged: (_agent, signal) =>
      new Promise((resolve) => {
        void nudge.promise.then(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      }),
    report: async (lease, told) => {
      check(lease);
      events.push(...told);
    },
    progress: (_lease, told) => void progressed.push(...told),
    planned: async (lease, told) => {
      check(lease);
      planned.set(lease.run, told);
    },
    log: (lease, { bytes, ...chunk }) => {
      check(lease);
      chunks.push({ ...chunk, run: lease.run });
      const key = `${lease.run}/${chunk.step}`;
      outputs.set(key, [...(outputs.get(key) ?? []), bytes]);
    },
    gap: ({ run }, step, attempt) => void gaps.push(`${run} ${step}#${attempt}`),
    finish: async (lease, outcome) => {
      check(lease);
      finished.set(lease.run, outcome);
      outcomeOf(lease.run).resolve(outcome);
    },
    release: async ({ run }) => void released.push(run),
    openUpload: async (_lease, sha256) => {
      const bytes = uploads.get(sha256);
      if (bytes === undefined) throw new EngineError('context-failed', 'not here');
      return (async function* () {
        yield bytes;
      })();
    },
    secrets: async (_lease, wanted) => {
      secretsAsked.push(wanted.kind === 'request' ? 'request' : `named ${wanted.names.join(' ')}`);
      return channel.secretValues;
    },
    leave: async (agent) => void left.push(agent),
  };
  return channel;
}

const NO_POLICY = { privileged: false, hostMounts: false, dockerSocket: false } as const;

export function runRequest(step: TaskStepDefinition, overrides: Partial<RunRequest> = {}): RunRequest {
  return {
    ...{
      runType: 'QuickRun',
      step,
      platform: { os: 'linux', architecture: 'amd64' },
      cpu: 2,
      timeout: 3600,
      registry: 'registry.test:5000',
    },
    ...{ credentials: [], policy: NO_POLICY, trust: 'trusted', agentPoolName: 'default', priority: 0, variables: {}, causes: [] },
    ...{ extended: false, noPush: false, keepGoing: false, env: [] },
    ...overrides,
  };
}

export function encodedTask(
  text: string,
  overrides: Partial<Extract<TaskStepDefinition, { type: 'EncodedTask' }>> = {},
): TaskStepDefinition {
  return { type: 'EncodedTask', encodedTaskContent: Buffer.from(text).toString('base64'), values: [], ...overrides };
}

export function assignmentOf(run: string, request: RunRequest, overrides: Partial<Assignment> = {}): Assignment {
  return { run, attempt: 1, leaseMs: 15_000, request, createTime: '2030-01-02T03:04:05.000Z', ...overrides };
}
