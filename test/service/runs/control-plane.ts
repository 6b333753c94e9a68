import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileLogStore } from '../../../src/files/file-log-store.ts';
import { createFileUploadStore } from '../../../src/files/file-upload-store.ts';
import type { Plan } from '../../../src/model/plan.ts';
import type { AgentDescription, AgentOutcome, Lease } from '../../../src/model/ports/agent-channel.ts';
import type { Clock } from '../../../src/model/ports/clock.ts';
import type { RunEvent, RunFact } from '../../../src/model/run-event.ts';
import type { RunRecord, RunRequest } from '../../../src/model/run-record.ts';
import { createInProcessQueue } from '../../../src/queue/in-process-queue.ts';
import { type AgentGateway, createAgentGateway } from '../../../src/service/runs/agent-gateway.ts';
import { createRunHub } from '../../../src/service/runs/hub.ts';
import { createRunService } from '../../../src/service/runs/run-service.ts';
import { createSecretBox } from '../../../src/service/secret-box.ts';
import { createAudit } from '../../../src/service/security/audit.ts';
import { createSecretService } from '../../../src/service/security/secret-service.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-store.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { runRequest } from '../../contract/store-values.ts';

export const ASKER = { name: 'token ci', from: '192.0.2.1' };
export const AGENT: AgentDescription = {
  ...{ id: 'agent1', bootId: 'boot1', pool: 'default', version: '1', slots: 100 },
  ...{ platform: { os: 'linux', architecture: 'amd64' }, labels: {} },
};

/** Claims that wait for nothing. */
export const NOW = { waitMs: 0, signal: new AbortController().signal };

export interface Folder {
  readonly path: string;
  readonly key: Uint8Array;
  remove(): Promise<void>;
}

export async function makeFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'slipway-runs-'));
  return { path, key: randomBytes(32), remove: () => rm(path, { recursive: true, force: true }) };
}

export interface PlaneOptions {
  readonly clock?: Clock;
  readonly maxRunning?: number;
  readonly maxQueued?: number;
  readonly diskRefusal?: () => Promise<string | undefined>;
}

/** The parts of a daemon around runs, real ones, on a folder: opened again on the same folder it is the next process. */
export async function openPlane({ path, key }: Folder, options: PlaneOptions = {}) {
  const { clock = systemClock, maxRunning = 1000, maxQueued = 100_000, diskRefusal = async () => undefined } = options;
  const problems: unknown[] = [];
  const onProblem = (_run: string, error: unknown): void => void problems.push(error);
  const store = await openSqliteStore({ path: join(path, 'slipway.db'), clock });
  const logs = createFileLogStore({ directory: join(path, 'logs'), clock: systemClock });
  const uploads = createFileUploadStore({ directory: join(path, 'uploads'), clock });
  const queue = createInProcessQueue({ store, clock, limits: { maxRunning, pools: {} } });
  const hub = createRunHub();
  const box = createSecretBox(key);
  const audit = createAudit(store.audit);
  const secrets = createSecretService({ secrets: store.secrets, box, audit, clock });
  const gateway = createAgentGateway({ store, logs, queue, hub, uploads, box, secrets, clock, daemonId: 'abc123', onProblem });
  const limits = { maxQueued };
  const runs = createRunService({ store, logs, queue, hub, gateway, box, audit, clock, limits, diskRefusal, onProblem });
  await gateway.start();
  await runs.start();
  return {
    ...{ clock, store, logs, uploads, queue, hub, box, audit, secrets, gateway, runs, problems },
    create: (parts: Partial<RunRequest> = {}): Promise<RunRecord> => runs.create(runRequest({ task: 'app', ...parts }), ASKER),
    get: async (id: string): Promise<RunRecord> => (await store.runs.get(id)) as RunRecord,
    /** As kill -9 leaves it, but for the files being closed. */
    async stop(): Promise<void> {
      await Promise.all([queue.close(), runs.close(), gateway.close()]);
      await logs.close();
      await store.close();
    },
  };
}

export type Plane = Awaited<ReturnType<typeof openPlane>>;

export const PLAN: Plan = {
  ...{ formatVersion: 1, taskName: 'app', registry: 'registry.example', networks: [], volumes: [] },
  steps: ['one', 'two'].map((id) => ({
    ...{ id, needs: [], weight: 1, timeoutMs: 1000, startDelayMs: 0, ignoreErrors: false, retries: 0, retryDelayMs: 0 },
    ...{ retryOnErrors: [], repeat: 1, kind: 'push' as const, images: [] },
  })),
};

export function eventsOf(run: string, first: number, facts: readonly RunFact[], at = '2030-01-02T03:04:06.000Z'): readonly RunEvent[] {
  return facts.map((fact, index) => ({ version: 1, seq: first + index, at, run, ...fact }));
}

export const STARTED: RunFact = {
  ...{ type: 'run-started', task: 'app', registry: 'registry.example', engine: 'fake' },
  steps: PLAN.steps.map(({ id, kind, needs }) => ({ id, kind, needs })),
};
export const stepStarted = (step: string): RunFact => ({
  type: 'step-started',
  step,
  attempt: 1,
  detail: `push ${step}`,
  container: `c-${step}`,
});
export const stepDone = (step: string): RunFact => ({
  type: 'step-finished',
  step,
  status: 'succeeded',
  attempts: 1,
  durationMs: 5,
  exitCode: 0,
});
export const SUCCEEDED: AgentOutcome = { status: 'Succeeded', images: [], built: [], baseImages: [], dependencies: [] };

/** The run, planned, with its first step running. */
export async function begin(gateway: AgentGateway, lease: Lease): Promise<void> {
  await gateway.planned(lease, { plan: PLAN, source: { commit: 'abc1234', branch: 'main' } });
  await gateway.report(lease, eventsOf(lease.run, 1, [STARTED, stepStarted('one')]));
}
