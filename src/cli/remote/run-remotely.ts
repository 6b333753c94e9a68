import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { CreateRunInput } from '../../api/run-request-schema.ts';
import type { RunResource } from '../../api/run-schema.ts';
import { loadSettings } from '../../config/load-settings.ts';
import { EngineError } from '../../model/engine-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { asksForDaemon, type RemoteRunFlags } from '../flags/remote-run-flags.ts';
import type { RunFlags } from '../flags/run-flags.ts';
import type { Io } from '../io.ts';
import { jsonText } from '../tables/print-value.ts';
import { type BuildInputFlags, buildRequest } from './build-request.ts';
import type { DaemonClient } from './client.ts';
import type { SendFolder } from './context-folder.ts';
import { packContext } from './context-upload.ts';
import { knowsServer } from './find-server.ts';
import { conflict, FlagError } from './flag-error.ts';
import { printRun } from './print-run.ts';
import { DaemonProblem } from './problem.ts';
import { namedRunRequest, quickRunRequest, type RunInputFlags } from './run-request.ts';
import { sendContext } from './send-context.ts';
import { withDaemon } from './with-daemon.ts';

/** Flags whose effect is on this machine: on a daemon they would do nothing. */
const LOCAL_FLAGS = [
  ...[
    'run',
    'name',
    'network',
    'workingDirectory',
    'secret',
    'secretMap',
    'allowExecSecrets',
    'workspace',
    'insecureRegistry',
    'trustedRealm',
  ],
  ...['engine', 'dockerSocket', 'parallel', 'watch', 'logDir', 'pull', 'label', 'ssh', 'addHost', 'cacheFrom', 'cacheTo', 'isolation'],
  ...['iidfile', 'metadataFile'],
];

/**
 * `task run` on a daemon: a defined task or a quick run. Undefined when nothing asks for a daemon and none is known: then CONTEXT is one of this machine
 * after all.
 */
export async function runOnDaemon(
  context: string | undefined,
  flags: RunInputFlags,
  io: Io,
  call: { readonly command: Command; readonly nameGiven: boolean },
): Promise<ExitCode | undefined> {
  const asked = asksForDaemon(flags, io);
  if (!asked && !(await knowsServer(flags, io))) return undefined;
  const task = flags.task ?? (call.nameGiven ? context : undefined);
  const run = startRun(flags, io, refusingLocalFlags(call.command, LOCAL_FLAGS), (send) => {
    if (task === undefined) return quickRunRequest(context ?? '.', flags, { io, send });
    const given = flags.task === undefined ? undefined : context;
    if (given !== undefined && flags.context !== undefined) throw conflict('CONTEXT and `--context` exclude each other');
    return namedRunRequest(task, flags.context ?? given, flags, { io, send });
  });
  return flags.task === undefined && call.nameGiven ? orNothingHere(run, context ?? '', { asked }) : run;
}

/** A name that is neither here nor on the daemon may be a misspelt folder: both are said, or only what is true without a daemon. */
async function orNothingHere(run: Promise<ExitCode>, name: string, { asked }: { readonly asked: boolean }): Promise<ExitCode | undefined> {
  try {
    return await run;
  } catch (error) {
    if (!asked && error instanceof EngineError && error.code === 'daemon-unreachable' && !(error instanceof DaemonProblem))
      return undefined;
    if (!(error instanceof DaemonProblem) || error.code !== 'not-found') throw error;
    throw new EngineError('not-found', `there is no file or folder ${JSON.stringify(name)} here, and no task of that name on the daemon`, {
      help: '`task list` shows the tasks of the daemon; `--no-remote` asks nobody but this machine.',
    });
  }
}

/** `task build` on a daemon. */
export function buildOnDaemon(context: string, flags: BuildInputFlags, io: Io, command: Command): Promise<ExitCode> {
  return startRun(flags, io, refusingLocalFlags(command, [...LOCAL_FLAGS, 'set']), (send) => buildRequest(context, flags, { io, send }));
}

type StartFlags = RunFlags & RemoteRunFlags;

function startRun(flags: StartFlags, io: Io, check: () => void, request: (send: SendFolder) => Promise<CreateRunInput>): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    check();
    const settings = await loadSettings({ directory: io.directory, environment: io.environment });
    if (!settings.ok) throw new FlagError(settings.error);
    const run = await interruptible((signal) => createRun(client, flags, io, { request, signal }));
    if (run === undefined) return EXIT.canceled;
    if (!flags.wait) {
      io.stdout.write(flags.output === 'json' ? jsonText(run) : `${run.runId}\n`);
      return EXIT.ok;
    }
    return printRun(client, run, { flags, logs: flags.logs, settings: settings.value, io });
  });
}

async function createRun(
  client: DaemonClient,
  flags: StartFlags,
  io: Io,
  { request, signal }: { readonly request: (send: SendFolder) => Promise<CreateRunInput>; readonly signal: AbortSignal },
): Promise<RunResource> {
  const quiet = flags.quiet || flags.output === 'quiet';
  const body = await request(async ({ directory, ...rest }) =>
    sendContext(client, await packContext(directory, { ...rest, signal }), io, { quiet, signal }),
  );
  const { value } = await client.call<RunResource>({
    method: 'POST',
    path: '/runs',
    body,
    idempotencyKey: flags.idempotencyKey ?? randomUUID(),
    signal,
  });
  return value;
}

/** Work before there is a run: Ctrl-C ends it and nothing is left. Undefined when it did. */
async function interruptible<Value>(work: (signal: AbortSignal) => Promise<Value>): Promise<Value | undefined> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new Error('cancelled'));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) return undefined;
    throw error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

function refusingLocalFlags(command: Command, names: readonly string[]): () => void {
  return () => {
    const given = names
      .filter((name) => command.getOptionValueSource(name) === 'cli')
      .map((name) => command.options.find((option) => option.attributeName() === name)?.long ?? name);
    if (given.length === 0) return;
    throw conflict(
      `${given.join(', ')} ${given.length === 1 ? 'works' : 'work'} only for runs on this machine`,
      'leave it out, or run here with `--no-remote`; secrets of a daemon are set with `task secret set`, its engine by its settings',
    );
  };
}
