import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { dataDirectoryOf } from '../config/data-directory.ts';
import type { ServeOrder } from '../config/serve-order.ts';
import { createRetention } from '../service/runs/retention.ts';
import { createSecretBox } from '../service/secret-box.ts';
import { checkSecretKey, hasSecretKey, loadSecretKey } from '../service/secret-key.ts';
import { daemonPrincipal } from '../service/security/authorisation.ts';
import { createTaskCredentials } from '../service/tasks/task-credentials.ts';
import { watchTasksFolder } from '../service/tasks/tasks-folder.ts';
import { openSqliteStore } from '../store/sqlite/open-store.ts';
import { systemClock } from '../util/clock.ts';
import { packageFile } from '../util/package-file.ts';
import { checkDaemon } from './check-daemon.ts';
import { collectEngine, collectGarbage, collectRegularly } from './collect-garbage.ts';
import { composeParts, type Parts } from './compose.ts';
import { daemonId } from './daemon-id.ts';
import { createDaemonLog } from './daemon-log.ts';
import { type DaemonSettings, daemonSettings } from './daemon-settings.ts';
import { type DataDirectory, openDataDirectory } from './data-directory.ts';
import { followListeners } from './http/foreign-listeners.ts';
import { createHttpServer } from './http/server.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createReadiness } from './readiness.ts';
import { startAgent } from './start-agent.ts';
import { createTracing, type Tracing } from './tracing.ts';
import { startTriggers } from './triggers/start-triggers.ts';
import { watchEndedRuns } from './watch-runs.ts';
import { createWorkFolders } from './work-folders.ts';

/** A daemon that runs. */
interface Daemon extends Parts {
  readonly settings: DaemonSettings;
  /** Everything that was opened, closed in the opposite order. */
  readonly opened: AsyncDisposableStack;
}

/** `task serve`: runs the daemon until it is told to end. Resolves with the exit code; rejects with EngineError when it cannot start. */
export async function serve(order: ServeOrder): Promise<number> {
  const settings = daemonSettings(order.settings, order);
  if (order.check) return checkDaemon(settings, order);
  const asked = watchSignals();
  const logger = createDaemonLog(settings.logLevel);
  // A promise that nobody waited for is a defect of one run or request; the others go on.
  const onStray = (error: unknown): void => logger.error({ err: error }, 'a defect: something failed that nobody waited for');
  process.on('unhandledRejection', onStray);
  const data = await openDataDirectory(settings.data);
  try {
    const daemon = await start(settings, data, logger, order);
    await asked.first;
    logger.info({ graceMs: settings.gracePeriod }, 'ending: nothing new is taken, runs may go on for the grace period');
    await end(daemon, asked.second);
    return 0;
  } finally {
    asked.dispose();
    await data.release();
    process.off('unhandledRejection', onStray);
  }
}

async function start(settings: DaemonSettings, data: DataDirectory, logger: Logger, order: ServeOrder): Promise<Daemon> {
  const { environment } = order;
  const version = readVersion();
  await using opened = new AsyncDisposableStack();
  const store = await openSqliteStore({ path: data.database });
  opened.defer(() => store.close());
  const keys = await loadSecretKey({ file: data.secretKey, environment, make: !(await hasSecretKey(store.settings)) });
  const box = createSecretBox(keys.key, keys.older);
  await checkSecretKey(box, store.settings);
  const id = await daemonId(store.settings);
  let url = settings.publicUrl ?? '';
  const metrics = createMetrics({
    queue: () => parts.queue.state(),
    runs: () => store.runs.counts(),
    agents: async () => parts.gateway.agents(),
    streams: () => http.streams(),
    events: () => store.events.counts(),
  });
  const parts = composeParts({
    ...{ settings, environment, data, store, box, daemonId: id, version, logger, metrics },
    publicUrl: () => url,
  });
  const tracing = await createTracing(environment, version);
  opened.defer(() => tracing.close().catch(() => undefined));
  deferParts(opened, parts);
  const retention = createRetention({
    ...{ store, logs: parts.logs, uploads: parts.uploads, clock: systemClock, work: createWorkFolders(data.work) },
    times: {
      ...{ runsMs: settings.runRetention, logsMs: settings.logRetention },
      ...{ uploadsMs: settings.uploadRetention, eventsMs: settings.eventRetention },
    },
  });
  const images = { store, engine: parts.engine, clock: systemClock, keepMs: settings.imageRetention };
  const collect = (dryRun: boolean) =>
    collectGarbage({ retention, store, engine: parts.engine, daemonId: id, images }, { dryRun, signal: background.signal });
  let listeners: ReturnType<typeof followListeners> | undefined;
  const http = await createHttpServer(
    {
      ...parts,
      ...{ box, clock: systemClock, credentials: createTaskCredentials(parts.tasks) },
      ...{ triggers: parts.triggers.service, hooks: parts.triggers.hooks, intake: parts.triggers.intake, images: parts.triggers.images },
      operations: {
        ...{ version, daemonId: id, gc: (_principal, { dryRun }) => collect(dryRun), metrics: () => metrics.text() },
        readiness: createReadiness({
          ...{ store, engine: parts.engine, clock: systemClock, diskRefusal: parts.diskRefusal },
          addressRefusal: () => listeners?.refusal(),
          draining: () => parts.runs.draining,
        }),
      },
    },
    {
      ...{ tcp: settings.listen, socket: data.socket, allowedHosts: settings.allowedHosts, logger, metrics },
      ...(settings.publicUrl === undefined ? {} : { publicUrl: settings.publicUrl }),
      limits: { uploadBytes: settings.uploadLimit, hookBytes: settings.webhookBodyLimit },
    },
  );
  opened.defer(() => http.close());
  const background = new AbortController();
  opened.defer(() => background.abort());
  await parts.gateway.start();
  await parts.runs.start();
  watchRuns(parts, { metrics, tracing, logger }, background.signal);
  const place = await http.listen();
  if (place.port !== undefined) listeners = followListeners(place.port, { clock: systemClock, logger, signal: background.signal });
  url = settings.publicUrl ?? place.url ?? '';
  await data.describe({ url });
  await announce(parts, data, { url, version, order });
  void collectRegularly(
    systemClock,
    garbageJobs({ collect, engine: parts.engine, store, id, logger }, background.signal),
    background.signal,
  );
  await startAgent(parts.agent, { clock: systemClock, logger, signal: background.signal });
  void startTriggers(parts.triggers, { clock: systemClock, logger, signal: background.signal });
  const folder = await followFolder(parts, settings, { logger, signal: background.signal, warn: order.warn });
  opened.defer(async () => {
    background.abort();
    await folder.ended;
  });
  return { ...parts, settings, opened: opened.move() };
}

function deferParts(opened: AsyncDisposableStack, { engine, logs, tokens, queue, gateway, runs, triggers }: Parts): void {
  opened.defer(() => engine.close().catch(() => undefined));
  opened.defer(() => logs.close());
  opened.defer(() => tokens.close());
  opened.defer(() => queue.close());
  opened.defer(() => gateway.close());
  opened.defer(() => runs.close());
  opened.defer(() => triggers.close());
}

interface GarbageJobs {
  readonly engine: Parts['engine'];
  readonly store: Parts['store'];
  readonly id: string;
  readonly logger: Logger;
  collect(dryRun: boolean): ReturnType<typeof collectGarbage>;
}

/** What is collected in the background: told where something was, and never fatal. */
function garbageJobs({ collect, engine, store, id, logger }: GarbageJobs, signal: AbortSignal) {
  const guarded = async (work: () => Promise<void>): Promise<void> =>
    work().catch((error: unknown) => logger.debug({ err: error }, 'collecting failed and is tried again'));
  return {
    engine: () =>
      guarded(async () => {
        const things = await collectEngine({ store, engine, daemonId: id }, signal);
        if (things > 0) logger.info({ things }, 'removed what ended runs left in the engine');
      }),
    everything: () => guarded(async () => logger.info(await collect(false), 'collected what is past its retention')),
  };
}

function watchRuns(
  parts: Parts,
  { metrics, tracing, logger }: { metrics: Metrics; tracing: Tracing; logger: Logger },
  signal: AbortSignal,
): void {
  void watchEndedRuns(
    parts,
    (run, logBytes) => {
      metrics.runEnded(run);
      metrics.logged(logBytes);
      tracing.runEnded(run);
    },
    (error) => logger.error({ err: error }, 'a defect: the end of a run could not be counted'),
    signal,
  );
}

async function announce(parts: Parts, data: DataDirectory, about: { url: string; version: string; order: ServeOrder }): Promise<void> {
  const { url, version, order } = about;
  const token = await parts.tokens.ensureAdminToken();
  if (token !== undefined) {
    await writeFile(data.adminToken, `${token}\n`, { mode: 0o600 });
    // The journal of a service keeps what is said, and has more readers than the file.
    const journaled = (order.environment['JOURNAL_STREAM'] ?? '') !== '';
    order.say(journaled ? `the admin token is in ${data.adminToken}` : `admin token, shown this once: ${token}`);
    const isFound = data.path === dataDirectoryOf(order.environment, order.directory);
    order.say(
      `  commands of this user find it in ${data.adminToken}${isFound ? '' : `, with SLIPWAY_DATA=${data.path}`}; elsewhere: task login ${url}`,
    );
  }
  order.say(`slipway ${version} is ready: ${url} and unix:${data.socket}`);
}

async function followFolder(
  { tasks }: Parts,
  settings: DaemonSettings,
  { logger, signal, warn }: { logger: Logger; signal: AbortSignal; warn: (line: string) => void },
): Promise<{ readonly ended: Promise<void> }> {
  return watchTasksFolder({
    ...{ directory: settings.tasksDirectory, tasks, principal: daemonPrincipal('tasks.d'), signal },
    onProblem: (file, problem) => {
      logger.warn({ file, problem: problem.message }, 'a file of tasks cannot be used; its tasks stay as they were');
      warn(problem.message);
    },
    onApplied: (changes) => {
      for (const { name, action } of changes) logger.info({ task: name, action }, 'a file of tasks was applied');
    },
  });
}

async function end({ agent, runs, opened, settings }: Daemon, hurry: Promise<void>): Promise<void> {
  runs.drain();
  void hurry.then(() => agent.stop());
  await agent.drain({ graceMs: settings.gracePeriod });
  await opened.disposeAsync();
}

interface AskedToEnd {
  /** The first SIGTERM or SIGINT, and the second. */
  readonly first: Promise<void>;
  readonly second: Promise<void>;
  dispose(): void;
}

function watchSignals(): AskedToEnd {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let count = 0;
  const onSignal = (): void => {
    count += 1;
    (count === 1 ? first : second).resolve();
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  return {
    first: first.promise,
    second: second.promise,
    dispose: () => void process.off('SIGTERM', onSignal).off('SIGINT', onSignal),
  };
}

function readVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'));
  return manifest.version;
}
