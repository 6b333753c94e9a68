import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';

/** What every command is made with. */
export interface Shell {
  readonly io: Io;
  finish(code: ExitCode): void;
}

/** `NAME` or `--name NAME`, as ACR has it. Commander prints the error. */
export function addTaskName(command: Command): Command {
  return command.argument('[name]', 'name of the task').option('-n, --name <name>', 'name of the task, instead of the argument');
}

export function taskNameOf(argument: string | undefined, flags: { readonly name?: string }, command: Command): string {
  return oneOf([argument, flags.name], 'the name of a task', command);
}

/** `RUN`, `--run ID` or ACR's `--run-id ID`. */
export function addRunId(command: Command, fallback?: string): Command {
  const missing = fallback === undefined ? '' : ` (default: ${fallback})`;
  return command
    .argument('[run]', `id of the run, or \`last\`${missing}`)
    .option('--run <id>', 'id of the run, instead of the argument')
    .option('--run-id <id>', 'the same, as ACR has it')
    .option('-n, --task <name>', 'for `last`: the newest run of this task');
}

export interface RunIdFlags {
  readonly run?: string;
  readonly runId?: string;
  readonly task?: string;
}

export function runIdOf(argument: string | undefined, flags: RunIdFlags, command: Command, fallback?: string): string {
  const ids = [argument, flags.run, flags.runId];
  // A task named alone means its newest run.
  const other = fallback ?? (flags.task === undefined ? undefined : 'last');
  return other !== undefined && ids.every((id) => id === undefined) ? other : oneOf(ids, 'the id of a run', command);
}

export function parseTop(text: string): number {
  const number = Number(text);
  if (/^\d{1,4}$/.test(text) && number >= 1 && number <= 1000) return number;
  throw new InvalidArgumentError('Expected a whole number from 1 to 1000.');
}

function oneOf(given: readonly (string | undefined)[], what: string, command: Command): string {
  const [first, ...others] = given.filter((text) => text !== undefined);
  if (first === undefined) command.error(`error: ${what} is missing`, { exitCode: 2 });
  if (others.length > 0) command.error(`error: ${what} is given twice`, { exitCode: 2 });
  return first;
}
