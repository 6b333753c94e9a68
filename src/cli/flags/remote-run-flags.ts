import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Io } from '../io.ts';
import { collect, parseDuration } from './option-values.ts';
import { repeatable } from './task-flags.ts';

const TASK_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** How a run on a daemon is asked for and followed: what `run` and `build` have in common. */
export interface RemoteRunFlags {
  readonly server?: string;
  readonly tokenFile?: string;
  /** True with `--remote`, false with `--no-remote`. */
  readonly remote?: boolean;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  /** False with `--no-logs`. */
  readonly logs: boolean;
  /** Milliseconds. */
  readonly queueTimeout?: number;
  readonly priority?: number;
  readonly agentPool?: string;
  readonly archive: boolean;
  readonly idempotencyKey?: string;
}

/** What only `run` has: a task that the daemon knows by name, and what is different this time. */
export interface NamedRunFlags {
  readonly task?: string;
  readonly context?: string;
  readonly target?: string;
  readonly arg: readonly string[];
  readonly secretArg: readonly string[];
  readonly updateTriggerToken?: string;
}

/** Adds the flags of RemoteRunFlags. */
export function addRemoteRunFlags(command: Command): Command {
  return command
    .optionsGroup('On a daemon:')
    .option('--server <url>', 'run on this daemon: http(s)://HOST[:PORT] or unix:PATH (default: SLIPWAY_SERVER, else run on this machine)')
    .option('--remote', 'run on the daemon of SLIPWAY_SERVER, of `task login`, or of this user (default: only when SLIPWAY_SERVER is set)')
    .option('--no-remote', 'run on this machine (default: unless SLIPWAY_SERVER is set)')
    .option('--token-file <file>', 'file that holds the token (default: SLIPWAY_TOKEN, the saved login)')
    .option('--no-wait', 'print the id of the run and leave (default: wait for its end)')
    .option('--no-logs', 'wait without printing the log (default: it is printed)')
    .option('--queue-timeout <duration>', 'end the run when it has waited this long for its start (default: none)', parseDuration)
    .option('--priority <n>', 'larger ones start first: -100 to 100 (default: 0, or that of the task)', parsePriority)
    .option('--agent-pool <name>', 'agents that may take the run (default: those of the daemon or of the task)')
    .option('--archive', 'keep the run and its log beyond the retention', false)
    .option('--idempotency-key <key>', 'the same key again does not start a second run (default: a new key)');
}

/** Adds the flags of NamedRunFlags. */
export function addNamedRunFlags(command: Command): Command {
  return command
    .optionsGroup('Task of a daemon:')
    .addOption(
      new Option(
        '--task <name>',
        'run this task of the daemon; CONTEXT or --context replaces its context (default: CONTEXT, where it is no file or folder here)',
      ),
    )
    .option('-c, --context <context>', 'context of this run: a folder is sent (default: that of the task)')
    .option('--target <stage>', 'stage to build (default: that of the task)')
    .addOption(repeatable('--arg <name[=value]>', 'build argument', collect))
    .addOption(
      repeatable(
        '--secret-arg <name[=value]>',
        'secret build argument; env:NAME, file:PATH and secret:NAME keep it off the command line',
        collect,
      ),
    )
    .option('--update-trigger-token <text>', 'goes along when the task posts later updates of base images to its endpoint (default: none)');
}

/** Whether flags or SLIPWAY_SERVER ask for a daemon. A saved login alone does not: what ran here goes on running here. */
export function asksForDaemon(
  flags: Pick<RemoteRunFlags, 'server' | 'remote'> & { readonly task?: string; readonly dryRun: boolean },
  io: Io,
): boolean {
  // What would run is decided on this machine.
  if (flags.dryRun) return false;
  if (flags.server !== undefined || flags.remote === true || flags.task !== undefined) return true;
  return flags.remote !== false && (io.environment['SLIPWAY_SERVER'] ?? '') !== '';
}

/** Option names of flags that mean nothing for a run on this machine. */
const DAEMON_ONLY = [
  ...['tokenFile', 'wait', 'logs', 'queueTimeout', 'priority', 'agentPool', 'archive', 'idempotencyKey'],
  ...['task', 'context', 'target', 'arg', 'secretArg', 'updateTriggerToken'],
];

/** What to say when a run on this machine was given flags of a daemon; undefined when it was not. `own` are options that the command has itself. */
export function daemonFlagsRefusal(command: Command, own: readonly string[] = []): string | undefined {
  const given = command.options.filter((option) => {
    const name = option.attributeName();
    return DAEMON_ONLY.includes(name) && !own.includes(name) && command.getOptionValueSource(name) === 'cli';
  });
  if (given.length === 0) return undefined;
  const flags = given.map(({ long }) => `\`${long}\``).join(', ');
  return `${flags} ${given.length === 1 ? 'means' : 'mean'} something on a daemon only, and this runs on this machine`;
}

/** Whether CONTEXT can only mean a task of a daemon: it looks like a name, and there is nothing of that name here. */
export function canBeTaskName(context: string | undefined, flags: { readonly file?: string; readonly cmd?: string }, io: Io): boolean {
  if (context === undefined || flags.file !== undefined || flags.cmd !== undefined || !TASK_NAME.test(context)) return false;
  return !existsSync(resolve(io.directory, context));
}

export function parsePriority(text: string): number {
  const number = Number(text);
  if (/^-?\d{1,3}$/.test(text) && number >= -100 && number <= 100) return number;
  throw new InvalidArgumentError('Expected a whole number from -100 to 100.');
}
