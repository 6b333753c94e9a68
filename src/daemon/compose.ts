import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { createAgent } from '../agent/agent.ts';
import type { Agent, AgentDependencies } from '../agent/agent-options.ts';
import { createContextFetcher } from '../archive/context-fetcher.ts';
import { createFileLogStore } from '../files/file-log-store.ts';
import { createFileUploadStore } from '../files/file-upload-store.ts';
import { createGitSource } from '../git/git-source.ts';
import type { ContainerEngine } from '../model/ports/container-engine.ts';
import type { LogStore } from '../model/ports/log-store.ts';
import type { RunQueue } from '../model/ports/run-queue.ts';
import type { SecretBox } from '../model/ports/secret-box.ts';
import type { Store } from '../model/ports/store.ts';
import type { UploadStore } from '../model/ports/upload-store.ts';
import type { QueueLimits } from '../queue/admission.ts';
import { createInProcessQueue } from '../queue/in-process-queue.ts';
import { type AgentGateway, createAgentGateway } from '../service/runs/agent-gateway.ts';
import { createRunHub, type RunHub } from '../service/runs/hub.ts';
import { createRunService, type RunService } from '../service/runs/run-service.ts';
import { type Audit, createAudit } from '../service/security/audit.ts';
import { createSecretService, type SecretService } from '../service/security/secret-service.ts';
import { createTokenService, type TokenService } from '../service/security/token-service.ts';
import { standardTaskDefaults, type TaskDefaults } from '../service/tasks/task-defaults.ts';
import { createTaskService, type TaskService } from '../service/tasks/task-service.ts';
import { systemClock } from '../util/clock.ts';
import type { DaemonSettings } from './daemon-settings.ts';
import type { DataDirectory } from './data-directory.ts';
import { createDiskRefusal } from './disk-space.ts';
import { createEnginePort } from './engine-port.ts';
import type { Metrics } from './metrics.ts';
import { createRunParts } from './run-parts.ts';
import { composeTriggers, type DaemonTriggers } from './triggers/compose-triggers.ts';
import { withStatusWatcher } from './triggers/watch-status.ts';
import { uploadsWithRoom } from './upload-room.ts';

export interface ComposeOptions {
  readonly settings: DaemonSettings;
  readonly environment: NodeJS.ProcessEnv;
  readonly data: DataDirectory;
  readonly store: Store;
  readonly box: SecretBox;
  readonly daemonId: string;
  readonly version: string;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'decided' | 'looked'>;
  /** As people and forges reach the daemon; may become known when it listens. */
  publicUrl(): string;
}

/** Everything of a daemon but its doors (HTTP, task folder, timers). */
export interface Parts {
  readonly store: Store;
  readonly logs: LogStore;
  readonly uploads: UploadStore;
  readonly hub: RunHub;
  readonly queue: RunQueue;
  readonly gateway: AgentGateway;
  readonly runs: RunService;
  readonly tasks: TaskService;
  readonly tokens: TokenService;
  readonly secrets: SecretService;
  readonly audit: Audit;
  readonly engine: ContainerEngine;
  readonly agent: Agent;
  readonly defaults: TaskDefaults;
  readonly triggers: DaemonTriggers;
  diskRefusal(): Promise<string | undefined>;
}

/** Constructs the adapters of a daemon and the services over them. Nothing is started. */
export function composeParts(options: ComposeOptions): Parts {
  const { settings, data, store, box, logger, daemonId, version } = options;
  const clock = systemClock;
  const onProblem = (run: string, error: unknown): void => logger.error({ run, err: error }, 'a run could not be dealt with');
  const logs = createFileLogStore({ directory: data.logs, clock, capBytes: settings.logLimit });
  const refusal = createDiskRefusal(data.path, clock);
  const uploads = uploadsWithRoom(createFileUploadStore({ directory: data.uploads, clock }), refusal);
  const hub = withStatusWatcher(createRunHub(), { runs: store.runs, onProblem });
  const queue = createInProcessQueue({ store, clock, limits: queueLimits(settings) });
  const audit = createAudit(store.audit);
  const secrets = createSecretService({ secrets: store.secrets, box, audit, clock });
  const ending = { store, logs, queue, hub };
  const gateway = createAgentGateway({ ...ending, uploads, box, secrets, clock, daemonId, onProblem });
  const defaults = taskDefaults(settings);
  const engine = createEnginePort({ endpoint: settings.engine, environment: options.environment });
  const runs = createRunService({
    ...{ ...ending, gateway, box, audit, clock, onProblem },
    limits: { maxQueued: settings.maxQueued },
    diskRefusal: refusal,
  });
  const { environment, metrics } = options;
  const { addresses } = settings;
  const git = createGitSource({ addresses, environment, allowFile: settings.allowFileGit });
  const contexts = createContextFetcher({ addresses });
  const triggers = composeTriggers({
    ...{ settings, environment, store, box, audit, secrets, runs, defaults, git, contexts, uploads, metrics, clock, logger },
    ...{ directory: data.path, publicUrl: () => options.publicUrl() },
  });
  hub.watch((run) => triggers.runChanged(run));
  return {
    ...ending,
    ...{ uploads, audit, secrets, gateway, engine, defaults, runs },
    triggers: { ...triggers, close: () => hub.settled().then(() => triggers.close()) },
    tasks: createTaskService({
      ...{ tasks: store.tasks, hooks: store.hooks, box, secrets, audit, clock, defaults },
      onChanged: (task) => void triggers.service.taskChanged(task),
    }),
    tokens: createTokenService({
      ...{ tokens: store.tokens, audit, clock },
      onProblem: (error) => logger.warn({ err: error }, 'the last use of tokens could not be written'),
    }),
    agent: composeAgent({ ...options, gateway, engine, version, git, contexts }),
    diskRefusal: refusal,
  };
}

function taskDefaults(settings: DaemonSettings): TaskDefaults {
  const standard = standardTaskDefaults(process.arch);
  const [least, most] = [settings.minTimeout / 1000, settings.maxTimeout / 1000];
  return {
    ...standard,
    registry: settings.registry,
    agentPoolName: settings.pool,
    allowFileGit: settings.allowFileGit,
    timeout: { standard: Math.min(Math.max(standard.timeout.standard, least), most), least, most },
  };
}

function queueLimits({ maxRuns, poolLimits, maxBackgroundRuns }: DaemonSettings): QueueLimits {
  return { maxRunning: maxRuns, pools: poolLimits, maxBackground: maxBackgroundRuns };
}

type AgentComposition = ComposeOptions &
  Pick<AgentDependencies, 'engine' | 'git' | 'contexts'> & {
    readonly gateway: AgentGateway;
  };

function composeAgent(options: AgentComposition): Agent {
  const { settings, data, environment, gateway, engine, git, contexts, logger, version } = options;
  const { addresses, registryAddresses, insecureRegistries, trustedRealms } = settings;
  return createAgent({
    ...{ engine, git, contexts, addresses, insecureRegistries, allowFileGit: settings.allowFileGit },
    channel: gateway,
    makeRunParts: createRunParts({
      ...{ engine, git, contexts, environment, insecureRegistries, trustedRealms },
      addresses: registryAddresses,
      untrustedLocalImages: settings.untrustedLocalImages,
    }),
    clock: systemClock,
    workDirectory: data.work,
    describe: {
      id: 'built-in',
      bootId: `${process.pid}-${Date.now().toString(36)}`,
      pool: settings.pool,
      version,
      slots: settings.maxRuns,
      platform: standardTaskDefaults(process.arch).platform,
      labels: { host: hostname() },
    },
    limits: { pids: settings.stepPids, ...(settings.stepMemory === undefined ? {} : { memoryBytes: settings.stepMemory }) },
    ...(settings.parallelism === undefined ? {} : { parallel: settings.parallelism }),
    log: (level, message, fields) => logger[level === 'warning' ? 'warn' : level](fields, message),
  });
}
