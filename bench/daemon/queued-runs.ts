import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createFileLogStore } from '../../src/files/file-log-store.ts';
import { createFileUploadStore } from '../../src/files/file-upload-store.ts';
import type { AgentChannel, AgentDescription, Assignment, Lease } from '../../src/model/ports/agent-channel.ts';
import type { ContainerEngine } from '../../src/model/ports/container-engine.ts';
import type { RunEvent } from '../../src/model/run-event.ts';
import { createInProcessQueue } from '../../src/queue/in-process-queue.ts';
import { executeRun } from '../../src/run/execute-run.ts';
import { createAgentGateway } from '../../src/service/runs/agent-gateway.ts';
import { createRunHub } from '../../src/service/runs/hub.ts';
import { createRunService } from '../../src/service/runs/run-service.ts';
import { createSecretBox, SECRET_KEY_BYTES } from '../../src/service/secret-box.ts';
import { createAudit } from '../../src/service/security/audit.ts';
import { createSecretService } from '../../src/service/security/secret-service.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { systemClock as clock } from '../../src/util/clock.ts';
import { createMasker } from '../../src/util/masker.ts';
import { runRequest } from '../../test/contract/store-values.ts';
import { createFakeEngine } from '../../test/fakes/fake-engine.ts';
import { cmd, plan } from '../../test/run/plans.ts';
import { createInputs, NO_REGISTRY, OPTIONS } from '../../test/run/rig.ts';
import { median } from '../lib/measure.ts';
import { atLeast, type DaemonRow } from '../lib/table.ts';

const RUNS = 1000;
const TASKS = 20;
const SLOTS = 64;
const WARM_UP = 100;
const AGENT: AgentDescription = {
  ...{ id: 'agent1', bootId: 'boot1', pool: 'default', version: '1', slots: SLOTS },
  ...{ platform: { os: 'linux', architecture: 'amd64' }, labels: {} },
};
const PLAN = plan([cmd('build', { env: ['FAKE_OUTPUT=hello\\n'] })]);

/** 1,000 queued runs of one step: from the first claim to the last end, on a disk, with the engine taken out (a fake one). */
export async function queuedRunRows(folder: string, rounds: number): Promise<readonly DaemonRow[]> {
  const rates: number[] = [];
  for (let round = 0; round < Math.min(rounds, 5); round += 1) rates.push(1000 / (await measure(join(folder, String(round)))));
  const rate = median(rates);
  return [
    {
      work: `${RUNS.toLocaleString('en')} queued one-step runs, fake engine`,
      measured: `${rate.toFixed(0)} runs/s`,
      ...atLeast(rate, { must: 150, aim: 500, unit: 'runs/s' }),
    },
  ];
}

/** Milliseconds a run. */
async function measure(folder: string): Promise<number> {
  const { mkdir } = await import('node:fs/promises');
  await mkdir(folder, { recursive: true });
  const store = await openSqliteStore({ path: join(folder, 'slipway.db'), clock });
  const logs = createFileLogStore({ directory: join(folder, 'logs'), clock });
  const uploads = createFileUploadStore({ directory: join(folder, 'uploads'), clock });
  const queue = createInProcessQueue({ store, clock, limits: { maxRunning: SLOTS, pools: {} } });
  const hub = createRunHub();
  const box = createSecretBox(new Uint8Array(SECRET_KEY_BYTES));
  const audit = createAudit(store.audit);
  const secrets = createSecretService({ secrets: store.secrets, box, audit, clock });
  const onProblem = (run: string, error: unknown): void => {
    throw new Error(`run ${run}`, { cause: error });
  };
  const gateway = createAgentGateway({ store, logs, queue, hub, uploads, box, secrets, clock, daemonId: 'bench0', onProblem });
  const limits = { maxQueued: 100_000 };
  const diskRefusal = async (): Promise<undefined> => undefined;
  const runs = createRunService({ store, logs, queue, hub, gateway, box, audit, clock, limits, diskRefusal, onProblem });
  await gateway.register(AGENT);
  const enqueue = (count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        runs.create(runRequest({ task: `task${index % TASKS}` }), { name: 'bench', from: 'unix' }),
      ),
    );
  const engine = createFakeEngine();
  try {
    await enqueue(WARM_UP);
    await drain(gateway, engine);
    await enqueue(RUNS);
    const start = performance.now();
    await drain(gateway, engine);
    const elapsed = performance.now() - start;
    const { Succeeded } = await store.runs.counts();
    if (Succeeded !== RUNS + WARM_UP) throw new Error(`${Succeeded} of ${RUNS + WARM_UP} runs succeeded`);
    return elapsed / RUNS;
  } finally {
    await Promise.all([queue.close(), runs.close(), gateway.close()]);
    await logs.close();
    await store.close();
  }
}

/** As an agent with so many slots: claims until the queue is empty. */
async function drain(channel: AgentChannel, engine: ContainerEngine): Promise<void> {
  const signal = new AbortController().signal;
  const slot = async (): Promise<void> => {
    for (;;) {
      const assignment = await channel.claim(AGENT.id, { waitMs: 0, signal });
      if (assignment === undefined) return;
      await work(channel, engine, assignment, signal);
    }
  };
  await Promise.all(Array.from({ length: SLOTS }, slot));
}

async function work(channel: AgentChannel, engine: ContainerEngine, lease: Assignment, signal: AbortSignal): Promise<void> {
  await channel.planned(lease, { plan: PLAN, source: { commit: 'abcdef1', branch: 'main' } });
  let lastEvent = 0;
  const report = batched((events) => channel.report(lease, events));
  const result = await executeRun(
    PLAN,
    {
      ...{ engine, inputs: createInputs([]), registry: NO_REGISTRY, clock, masker: createMasker([]) },
      emit: (event) => {
        lastEvent = event.seq;
        return report(event);
      },
      output: (chunk) => channel.log(lease, { ...chunk, at: clock.now().toISOString(), afterEvent: lastEvent }),
    },
    { ...OPTIONS, runId: lease.run, owner: 'daemon/bench0', durableLogs: true, signal },
  );
  const { status, images, built, baseImages, dependencies } = result;
  await channel.finish(leaseOf(lease), { status, images, built, baseImages, dependencies });
}

function leaseOf({ run, attempt }: Assignment): Lease {
  return { run, attempt };
}

/** Events of one turn go together; while some are on their way, the next wait. */
function batched(send: (events: readonly RunEvent[]) => Promise<void>): (event: RunEvent) => Promise<void> {
  let waiting: RunEvent[] = [];
  let next: Promise<void> | undefined;
  let sending: Promise<void> = Promise.resolve();
  return (event) => {
    waiting.push(event);
    next ??= sending.then(() => {
      const events = waiting;
      waiting = [];
      next = undefined;
      sending = send(events);
      return sending;
    });
    return next;
  };
}
