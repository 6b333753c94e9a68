import { join } from 'node:path';
import type { Logger } from 'pino';
import { createForges } from '../../forge/api/forges.ts';
import type { PrunableGitSource } from '../../git/git-source.ts';
import type { Clock } from '../../model/ports/clock.ts';
import type { ContextFetcher } from '../../model/ports/context-fetcher.ts';
import type { DeliveryReader } from '../../model/ports/delivery-reader.ts';
import type { SecretBox } from '../../model/ports/secret-box.ts';
import type { Store } from '../../model/ports/store.ts';
import type { TaskAnalyser } from '../../model/ports/task-analyser.ts';
import type { UploadStore } from '../../model/ports/upload-store.ts';
import { isTerminal, type RunRecord } from '../../model/run-record.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import { type SourceTrigger, triggersOf } from '../../model/trigger-definition.ts';
import type { RunService } from '../../service/runs/run-service.ts';
import { createRunStarter } from '../../service/runs/run-starter.ts';
import type { Audit } from '../../service/security/audit.ts';
import type { SecretService } from '../../service/security/secret-service.ts';
import type { TaskDefaults } from '../../service/tasks/task-defaults.ts';
import { createGitTriggers } from '../../trigger/git/git-triggers.ts';
import { createHookIntake } from '../../trigger/hook-intake.ts';
import { createHookRegistry } from '../../trigger/hook-registry.ts';
import { createImageTriggers, type ImageTriggers } from '../../trigger/image/image-triggers.ts';
import type { TriggerParts, TriggerSecrets } from '../../trigger/parts.ts';
import { createStatusOutbox } from '../../trigger/status/status-outbox.ts';
import { createTriggerService, type OutsideSources, type TriggerService } from '../../trigger/trigger-service.ts';
import { createHttpClient } from '../../util/http.ts';
import type { DaemonSettings } from '../daemon-settings.ts';
import type { HookOperations, ImageOperations } from '../http/trigger-operations.ts';
import type { Metrics } from '../metrics.ts';
import { createDependencyQueries } from './dependency-queries.ts';
import { createHookService, type HookService } from './hook-service.ts';
import { limitedGit } from './limited-git.ts';
import { askForLostDeliveries } from './lost-deliveries.ts';
import { observedEvents, observedGit, observedRegistry } from './observed.ts';
import { createPostJson } from './post-json.ts';
import { pruneGitCache } from './prune-git-cache.ts';
import { headOfPullRequest } from './pull-request-head.ts';
import { createTriggerSecrets, type TaskAccess } from './trigger-secrets.ts';

export interface TriggerComposition {
  readonly settings: DaemonSettings;
  readonly environment: NodeJS.ProcessEnv;
  /** The data directory: bare repositories are kept below it. */
  readonly directory: string;
  readonly store: Store;
  readonly box: SecretBox;
  readonly audit: Audit;
  readonly secrets: Pick<SecretService, 'resolveNamed'>;
  readonly runs: RunService;
  readonly defaults: TaskDefaults;
  readonly git: PrunableGitSource;
  readonly contexts: ContextFetcher;
  readonly uploads: Pick<UploadStore, 'open'>;
  readonly metrics: Pick<Metrics, 'decided' | 'looked'>;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
  /** As people and forges reach the daemon; may become known when it listens. */
  publicUrl(): string;
}

/** Everything of a daemon that starts runs by itself. */
export interface DaemonTriggers {
  readonly service: TriggerService;
  readonly hooks: HookService;
  readonly intake: HookOperations;
  readonly images: ImageOperations;
  /** Resolves when all looks have begun. */
  start(): Promise<void>;
  /** A run was made, went on or ended. Returns at once. */
  runChanged(run: RunRecord): void;
  close(): Promise<void>;
}

export function composeTriggers(options: TriggerComposition): DaemonTriggers {
  const { store, runs, clock, box, audit, settings, metrics } = options;
  const onProblem = (what: string, error: unknown): void => options.logger.warn({ err: error }, what);
  const http = createHttpClient({ addresses: settings.addresses, environment: options.environment });
  const forges = createForges({ http });
  const secrets = openedSecrets(options);
  const git = limitedGit(observedGit(options.git, metrics));
  const gitCache = join(options.directory, 'git-cache');
  const registry = createHookRegistry({ hooks: store.hooks, box, clock });
  // Both are made by the service, with the parts that they are to work with.
  let images: ImageTriggers | undefined;
  const outside = (parts: TriggerParts): OutsideSources => {
    const made = createImageTriggers(parts, { analyse: analyserOf(options, secrets), post: createPostJson(http) });
    images = made;
    return {
      sources: [createGitTriggers(parts), made],
      afterRun: (run, signal) => made.afterRun(run, signal),
      headOf: (run) => headOfPullRequest(run, { tasks: store.tasks, git, secrets }),
    };
  };
  const service = createTriggerService({
    ...{ git, secrets, clock, onProblem, outside },
    store: { ...store, events: observedEvents(store.events, clock, metrics) },
    runs: createRunStarter({
      runs,
      defaults: options.defaults,
      baseImagesOf: async (record) => (await images?.baseImagesOf(record)) ?? [],
    }),
    settings: secondsOf(settings),
    gitCache,
    isBusy: () => intake.isBusy(),
    approveRun: (run, by, commit) => runs.approve(run, by, commit),
  });
  const intake = createHookIntake({
    ...{ hooks: store.hooks, registry, events: store.events, clock, onProblem },
    reader: laterReader(clock),
    notify: () => service.notify(),
  });
  const triggerOf = async (task: string, name: string): Promise<readonly [TaskRecord, SourceTrigger] | undefined> => {
    const record = await store.tasks.get(task);
    const trigger = record === undefined ? undefined : triggersOf(record.definition).sourceTriggers.find((one) => one.name === name);
    return record === undefined || trigger === undefined ? undefined : [record, trigger];
  };
  const statuses = createStatusOutbox({
    ...{ statuses: store.statuses, runs: store.runs, clock, onProblem },
    forge: (kind) => forges(kind),
    triggerOf: async (task, name) => (await triggerOf(task, name))?.[1],
    tokenOf: async (task, name) => {
      const found = await triggerOf(task, name);
      return found === undefined ? undefined : secrets.sourceToken(...found);
    },
    get publicUrl() {
      return options.publicUrl();
    },
  });
  const hooks = createHookService({
    ...{ registry, audit, forges, tasks: store.tasks, onProblem, publicUrl: () => options.publicUrl() },
    lastDelivery: (hook) => intake.lastDelivery(hook),
    sourceToken: (task, trigger) => secrets.sourceToken(task, trigger),
  });
  const closing = new AbortController();
  return {
    service,
    hooks,
    intake: {
      knows: async (id) => (await store.hooks.get(id)) !== undefined,
      receive: (id, delivery) => intake.receive(id, delivery),
    },
    images: {
      freshBaseImagesOf: async (record) => (await images?.freshBaseImagesOf(record)) ?? [],
      ...createDependencyQueries(store),
    },
    start: async () => {
      await service.start();
      await statuses.reconcile();
      void askForLostDeliveries({ hooks, settings: store.settings, clock, onProblem }, closing.signal);
      const isBusy = (): boolean => intake.isBusy();
      void pruneGitCache({ ...{ git: options.git, directory: gitCache, store, clock, isBusy, onProblem } }, closing.signal);
    },
    runChanged: (run) => {
      if (isTerminal(run)) void service.runEnded(run);
      statuses.runChanged(run);
    },
    close: async () => {
      closing.abort();
      await service.close();
      await Promise.all([statuses.close(), intake.close()]);
      http.close();
    },
  };
}

function analyserOf({ settings, defaults, git, contexts, uploads }: TriggerComposition, access: TaskAccess): TaskAnalyser {
  const { addresses, allowFileGit } = settings;
  const { registry, extended } = defaults;
  return async (record, signal) => {
    const { createTaskAnalyser } = await import('../../service/analyse-task.ts');
    const analyse = createTaskAnalyser({
      ...{ git, fetcher: contexts, addresses, allowFileGit, registry, extended },
      registryOf: (task) => access.registryOf(task),
      contextToken: (task) => access.contextToken(task),
      openUpload: (sha256) => uploads.open(sha256),
    });
    return analyse(record, signal);
  };
}

/** What is needed for the first delivery only is loaded then: the daemon is ready sooner. */
function laterReader(clock: Clock): DeliveryReader {
  let reader: Promise<DeliveryReader> | undefined;
  return {
    read: async (delivery) => {
      reader ??= import('../../forge/delivery-reader.ts').then(({ createDeliveryReader }) => createDeliveryReader({ clock }));
      return (await reader).read(delivery);
    },
  };
}

function openedSecrets(options: TriggerComposition): TriggerSecrets & TaskAccess {
  const { store, secrets, box, environment, settings, logger, metrics } = options;
  const { registryAddresses: addresses, insecureRegistries, trustedRealms } = settings;
  const opened = createTriggerSecrets({
    ...{ tasks: store.tasks, secrets, box, environment, addresses, insecureRegistries, trustedRealms },
    onWarning: (message) => logger.warn(message),
  });
  return { ...opened, registry: async (credential, host) => observedRegistry(await opened.registry(credential, host), metrics) };
}

function secondsOf({ gitPollInterval, baseImagePoll: { least, most }, baseImageWindow }: DaemonSettings): TriggerParts['settings'] {
  return {
    gitPollSeconds: gitPollInterval / 1000,
    imagePollSeconds: { least: least / 1000, most: most / 1000 },
    imageWindowSeconds: baseImageWindow / 1000,
  };
}
