import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { createContextFetcher } from '../../../src/archive/context-fetcher.ts';
import { daemonSettings } from '../../../src/daemon/daemon-settings.ts';
import type { HttpServerOptions } from '../../../src/daemon/http/options.ts';
import { createHttpServer, type HttpServer } from '../../../src/daemon/http/server.ts';
import type { HttpServices } from '../../../src/daemon/http/services.ts';
import { createMetrics } from '../../../src/daemon/metrics.ts';
import { composeTriggers, type DaemonTriggers } from '../../../src/daemon/triggers/compose-triggers.ts';
import { createFileLogStore } from '../../../src/files/file-log-store.ts';
import { createFileUploadStore } from '../../../src/files/file-upload-store.ts';
import { createGitSource } from '../../../src/git/git-source.ts';
import type { AgentDescription, Assignment } from '../../../src/model/ports/agent-channel.ts';
import type { LogStore } from '../../../src/model/ports/log-store.ts';
import type { Store } from '../../../src/model/ports/store.ts';
import { RUN_EVENT_VERSION, type RunEvent, type RunFact } from '../../../src/model/run-event.ts';
import type { RunRecord } from '../../../src/model/run-record.ts';
import type { Principal } from '../../../src/model/security.ts';
import { createInProcessQueue } from '../../../src/queue/in-process-queue.ts';
import { type AgentGateway, createAgentGateway } from '../../../src/service/runs/agent-gateway.ts';
import { createRunHub, type RunHub } from '../../../src/service/runs/hub.ts';
import { createRunService } from '../../../src/service/runs/run-service.ts';
import { createSecretBox } from '../../../src/service/secret-box.ts';
import { createAudit } from '../../../src/service/security/audit.ts';
import { createSecretService } from '../../../src/service/security/secret-service.ts';
import { createTokenService, type TokenRequest } from '../../../src/service/security/token-service.ts';
import { createTaskCredentials } from '../../../src/service/tasks/task-credentials.ts';
import { standardTaskDefaults } from '../../../src/service/tasks/task-defaults.ts';
import { createTaskService } from '../../../src/service/tasks/task-service.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-store.ts';
import { systemClock } from '../../../src/util/clock.ts';

export const ADMIN: Principal = { name: 'test', role: 'admin', from: 'unix' };

const AGENT: AgentDescription = {
  id: 'agent1',
  bootId: 'boot1',
  pool: 'default',
  version: '0.0.0',
  slots: 100,
  platform: { os: 'linux', architecture: 'amd64' },
  labels: {},
};

/** A daemon without containers: real store, logs, services and HTTP server; the test plays the agent. */
export interface DaemonFixture {
  readonly services: HttpServices;
  readonly server: HttpServer;
  readonly store: Store;
  readonly logs: LogStore;
  readonly hub: RunHub;
  readonly gateway: AgentGateway;
  /** Not started. */
  readonly triggers: DaemonTriggers;
  readonly url: string;
  readonly socket: string;
  readonly directory: string;
  /** Lines of the daemon's log so far. */
  readonly logged: () => string;
  token(request: TokenRequest): Promise<string>;
  /** Defines a task that holds its task file. */
  defineTask(name: string): Promise<void>;
  queueRun(task?: string): Promise<RunRecord>;
  /** Claims the oldest queued run. */
  claim(): Promise<Assignment>;
  report(run: Assignment, seq: number, fact: RunFact): Promise<RunEvent>;
  /** Progress, which is stored nowhere. */
  progress(run: Assignment, fact: RunFact): void;
  finish(run: Assignment): Promise<void>;
}

export async function startDaemon(
  options: Partial<Pick<HttpServerOptions, 'limits' | 'publicUrl' | 'allowedHosts'>> & {
    /** Puts something in the place of a service. */
    readonly change?: (services: HttpServices) => Partial<HttpServices>;
  } = {},
): Promise<DaemonFixture & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-http-'));
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const store = await openSqliteStore({ path: join(directory, 'slipway.db') });
  const parts = createParts(store, directory);
  const services = { ...parts.services, ...options.change?.(parts.services) };
  const { change: _change, ...serverOptions } = options;
  const server = await createHttpServer(services, {
    ...serverOptions,
    tcp: { host: '127.0.0.1', port: 0 },
    socket: join(directory, 'slipway.sock'),
    logger: pino({ level: 'debug' }, sink),
    metrics: parts.metrics,
  });
  const { url = '', socket = '' } = await server.listen();
  await parts.gateway.register(AGENT);
  return {
    ...{
      services,
      server,
      store,
      logs: parts.logs,
      hub: parts.hub,
      gateway: parts.gateway,
      triggers: parts.triggers,
      url,
      socket,
      directory,
    },
    logged: () => lines.join(''),
    token: async (request) => (await parts.services.tokens.create(ADMIN, request)).token,
    defineTask: async (name) => {
      await parts.services.tasks.create(ADMIN, { name, step: { encodedTaskContent: TASK_FILE } });
    },
    queueRun: (task) => queueRun(parts.services, task),
    claim: async () => {
      const assignment = await parts.gateway.claim(AGENT.id, { waitMs: 5000, signal: new AbortController().signal });
      if (assignment === undefined) throw new Error('there was no run to claim');
      return assignment;
    },
    report: async (run, seq, fact) => {
      const event = { version: RUN_EVENT_VERSION, seq, at: new Date().toISOString(), run: run.run, ...fact } as RunEvent;
      await parts.gateway.report(run, [event]);
      return event;
    },
    progress: (run, fact) => {
      const event = { version: RUN_EVENT_VERSION, seq: 0, at: new Date().toISOString(), run: run.run, ...fact } as RunEvent;
      parts.hub.publish({ kind: 'event', run: run.run, event, stored: false });
    },
    finish: (run) => parts.gateway.finish(run, { status: 'Succeeded', images: [], built: [], baseImages: [], dependencies: [] }),
    [Symbol.asyncDispose]: async () => {
      await server.close(200);
      await parts.close();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export const TASK_FILE = Buffer.from('steps:\n  - id: one\n    cmd: busybox:local true\n').toString('base64');

function createParts(store: Store, directory: string) {
  const clock = systemClock;
  const box = createSecretBox(randomBytes(32));
  const logs = createFileLogStore({ directory: join(directory, 'logs'), clock });
  const uploads = createFileUploadStore({ directory: join(directory, 'uploads'), clock });
  const hub = createRunHub();
  const audit = createAudit(store.audit);
  const tokens = createTokenService({ tokens: store.tokens, audit, clock });
  const secrets = createSecretService({ secrets: store.secrets, box, audit, clock });
  const defaults = standardTaskDefaults(process.arch);
  const onChanged = (task: string): void => void triggers.service.taskChanged(task);
  const tasks = createTaskService({ tasks: store.tasks, box, secrets, audit, clock, defaults, onChanged });
  const queue = createInProcessQueue({ store, clock, limits: { maxRunning: 100, pools: {} } });
  const onProblem = (run: string, error: unknown): void => {
    throw new Error(`run ${run}`, { cause: error });
  };
  const ending = { store, logs, queue, hub };
  const gateway = createAgentGateway({ ...ending, uploads, box, secrets, clock, daemonId: 'test01', onProblem });
  const limits = { maxQueued: 10_000 };
  const runs = createRunService({ ...ending, gateway, box, audit, clock, limits, onProblem, diskRefusal: async () => undefined });
  const metrics = createMetrics({
    queue: () => queue.state(),
    runs: () => store.runs.counts(),
    agents: async () => gateway.agents(),
    streams: () => 0,
    events: () => store.events.counts(),
  });
  const triggers = composeTriggers({
    ...{ store, box, audit, secrets, runs, defaults, metrics, clock, directory, environment: {} },
    settings: daemonSettings({ allowLoopbackAddresses: true, gitPollInterval: 0 }, { directory, environment: {} }),
    git: createGitSource({ addresses: { allowPrivate: true, allowLoopback: true } }),
    contexts: createContextFetcher({ addresses: { allowPrivate: true, allowLoopback: true } }),
    uploads,
    logger: pino({ level: 'silent' }),
    publicUrl: () => 'http://daemon.test',
  });
  const services: HttpServices = {
    ...{ triggers: triggers.service, hooks: triggers.hooks, intake: triggers.intake, images: triggers.images },
    ...{ store, tasks, credentials: createTaskCredentials(tasks), defaults, runs, queue, gateway, tokens, secrets, audit },
    ...{ logs, uploads, hub, box, clock },
    operations: {
      version: '0.0.0',
      daemonId: 'test01',
      readiness: async () => ({ ready: true, checks: [{ name: 'store', ok: true }] }),
      gc: async (_principal, { dryRun }) => ({ dryRun, runs: 0, logs: 0, uploads: 0, events: 0, images: 0, engine: 0, bytes: 0 }),
      metrics: () => metrics.text(),
    },
  };
  const close = async (): Promise<void> => {
    await triggers.close();
    await runs.close();
    await gateway.close();
    await queue.close();
    await tokens.close();
    await logs.close();
  };
  return { services, logs, hub, gateway, metrics, triggers, close };
}

async function queueRun({ runs, tasks, defaults }: HttpServices, task: string | undefined): Promise<RunRecord> {
  const { makeQuickRun } = await import('../../../src/service/tasks/quick-run.ts');
  const { makeRunRequest } = await import('../../../src/service/tasks/task-to-run.ts');
  const reason = { causes: [{ kind: 'manual', principal: 'test', from: 'unix' }] } as const;
  const made =
    task === undefined
      ? makeQuickRun({ type: 'EncodedTaskRunRequest', encodedTaskContent: TASK_FILE }, reason, defaults)
      : makeRunRequest((await tasks.get(ADMIN, task)).definition, {}, reason, defaults);
  return runs.create(made.request, ADMIN, made.secrets);
}
