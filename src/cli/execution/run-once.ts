import type { Settings } from '../../config/settings.ts';
import type { Plan } from '../../model/plan.ts';
import type { BuildInputs } from '../../model/ports/build-inputs.ts';
import type { ContainerEngine, WorkspaceSpec } from '../../model/ports/container-engine.ts';
import type { CredentialSource } from '../../model/ports/credential-source.ts';
import type { RunEvent } from '../../model/run-event.ts';
import { executeRun } from '../../run/execute-run.ts';
import { systemClock } from '../../util/clock.ts';
import type { Masker } from '../../util/masker.ts';
import { createContextParts } from '../composition/context-parts.ts';
import { lazyPort } from '../composition/lazy-port.ts';
import { registryTrust } from '../composition/registry-trust.ts';
import type { RunEngine } from '../composition/run-engine.ts';
import { type ExitCode, exitCodeOfRun } from '../exit-codes.ts';
import type { RunFlags } from '../flags/run-flags.ts';
import type { Io } from '../io.ts';
import { StepLogs } from '../reporters/step-logs.ts';
import { chooseFormat, createReporter } from './choose-reporter.ts';
import { logDirectory, pruneLogs } from './log-directory.ts';
import type { RunControl } from './run-control.ts';

const CLEANUP_DEADLINE_MS = 30_000;

/** A compiled task and everything that was decided about its run. */
export interface RunOrder {
  readonly plan: Plan;
  readonly runId: string;
  readonly masker: Masker;
  readonly credentials: CredentialSource;
  readonly workspace: WorkspaceSpec;
  readonly secrets: ReadonlyMap<string, string>;
  readonly settings: Settings;
  /** Closed by whoever made it. */
  readonly engine: RunEngine;
  readonly extended: boolean;
  readonly platform: string | undefined;
}

/** Executes one run on the engine of this machine, printing it as the flags ask. Resolves when nothing of it is left. */
export async function runOnce(order: RunOrder, flags: RunFlags, io: Io, control: RunControl): Promise<ExitCode> {
  const { settings, runId } = order;
  const place = { flag: flags.logDir, setting: settings.logDirectory, directory: io.directory, runId };
  const logs = new StepLogs(logDirectory(place, io.environment), (message) => reporter.say(io.paint('yellow', `warning: ${message}`)));
  const format = chooseFormat(flags, settings, io);
  const reporter = createReporter(format, logs, flags, io);
  const { engine, destroyNow } = order.engine;
  control.attach({
    say: (message) => (format === 'json' || format === 'quiet' ? io.stderr.write(`${message}\n`) : reporter.say(message)),
    destroyNow,
  });
  const built = new Set<string>();
  const trust = registryTrust(settings, flags);
  const contexts = createContextParts({ credentials: order.credentials, ...trust, io });
  const housekeeping = new Housekeeping(engine, io);
  if (order.plan.steps.some(({ kind }) => kind === 'build')) loadBuildModules();
  try {
    const result = await executeRun(
      order.plan,
      {
        engine,
        inputs: lazyPort<Pick<BuildInputs, 'prepare'>>({ prepare: true }, async () => {
          const { createBuildInputs } = await import('../../service/build-inputs.ts');
          return createBuildInputs({ ...contexts, findImage: (reference) => engine.findImage(reference), builtTags: () => built });
        }),
        registry: contexts.registry,
        clock: systemClock,
        masker: order.masker,
        emit: (event) => {
          if (event.type === 'image-built') for (const tag of event.tags) built.add(tag);
          if (event.type === 'step-started') housekeeping.start();
          return takeEvent(event, logs, reporter);
        },
      },
      {
        runId,
        signal: control.runSignal,
        cleanupSignal: control.cleanupSignal,
        cleanupDeadlineMs: CLEANUP_DEADLINE_MS,
        runTimeoutMs: flags.timeout,
        parallel: flags.parallel ?? settings.parallelism,
        keepGoing: flags.keepGoing,
        extended: order.extended,
        noPush: !flags.push,
        platform: order.platform,
        workspace: order.workspace,
        dockerSocket: flags.dockerSocket,
        credentials: order.credentials,
        durableLogs: false,
        insecureRegistries: trust.insecureRegistries,
        secrets: new Map([...order.secrets].map(([id, value]) => [id, Buffer.from(value)])),
      },
    );
    return exitCodeOfRun(result.status);
  } finally {
    reporter.close();
    await logs.close();
    await housekeeping.end();
  }
}

/** Log files first: when a failed step is printed, its file holds everything. */
function takeEvent(event: RunEvent, logs: StepLogs, reporter: { emit(event: RunEvent): void | Promise<void> }): void | Promise<void> {
  const logged = logs.write(event);
  const printed = reporter.emit(event);
  if (logged === undefined) return printed;
  return printed === undefined ? logged : Promise.all([logged, printed]).then(() => undefined);
}

/** The engine has been asked who it is, and now is the time to load what begins a build; the rest is loaded when the build has begun. */
function loadBuildModules(): void {
  // What cannot be loaded shows where it is used.
  void Promise.allSettled([import('../../service/build-inputs.ts'), import('../../container/build/build-image.ts')]);
}

/** The first step has been handed to the engine by then, a build with its context, and this program waits for it. */
const HOUSEKEEPING_DELAY_MS = 120;

/** Collects what runs that were killed left behind, and old logs, while this run works. Never rejects. */
class Housekeeping {
  readonly #engine: ContainerEngine;
  readonly #io: Io;
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<unknown> | undefined;

  constructor(engine: ContainerEngine, io: Io) {
    this.#engine = engine;
    this.#io = io;
  }

  start(): void {
    this.#timer ??= setTimeout(() => this.#tidyUp(), HOUSEKEEPING_DELAY_MS);
  }

  /** Cuts short what is under way; what has not begun is done now, or runs this short would never do it. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#work !== undefined) this.#over.abort();
    else if (this.#timer !== undefined) this.#tidyUp();
    await this.#work;
  }

  #tidyUp(): void {
    const { signal } = this.#over;
    const collecting = this.#engine.collect({ olderThanMs: 0, dryRun: false, signal }).catch(() => []);
    this.#work = Promise.all([collecting, pruneLogs(this.#io.environment)]);
  }
}
