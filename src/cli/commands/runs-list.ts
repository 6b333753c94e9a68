import { type Command, InvalidArgumentError } from 'commander';
import { parsePositiveInteger } from '../flags/option-values.ts';
import { addListOutput, addServerFlags } from '../flags/server-flags.ts';
import { parseSince } from '../flags/since.ts';
import { repeatable } from '../flags/task-flags.ts';
import type { ListRunsFlags, RunChoice } from '../remote/list-runs.ts';
import type { ListFormat } from '../tables/print-value.ts';
import { addRunId, parseTop, type RunIdFlags, runIdOf, type Shell } from './command-parts.ts';

const STATUSES = ['Queued', 'Started', 'Running', 'Succeeded', 'Failed', 'Canceled', 'Error', 'Timeout'];

/** `task list-runs` and `task show-run`. */
export function addRunListCommands(program: Command, { io, finish }: Shell): void {
  const list = program
    .command('list-runs')
    .summary('list runs of a daemon, newest first')
    .description('Lists runs, newest first, with what queued ones wait for.')
    .option('-n, --task <name>', 'of this task')
    .addOption(repeatable('--status <status>', `one of ${STATUSES.join(', ')}`, collectStatus))
    .option('--image <image>', 'that pushed it: `repository`, `repository:tag` or `repository@sha256:…`')
    .option('--branch <name>', 'of this branch')
    .option('--commit <sha>', 'of this commit, or its first digits (4 or more)', parseCommit)
    .option('--since <time>', 'created since: 30m, 2h, 7d, or a date', (text) => parseSince(text))
    .option('--archived', 'only archived ones')
    .option('--top <n>', 'most of a page', parseTop, 15)
    .option('--page <n>', 'which page', parsePositiveInteger, 1);
  addListOutput(addServerFlags(list)).action(async (flags: ListRunsFlags) => {
    const { listRuns } = await import('../remote/list-runs.ts');
    finish(await listRuns(flags, io));
  });
  const show = addRunId(program.command('show-run'))
    .summary('show a run with its steps')
    .description('Shows a run: its steps, times, images and why it is there.');
  addListOutput(addServerFlags(show)).action(
    async (run: string | undefined, flags: RunChoice & RunIdFlags & { readonly output: ListFormat }, command: Command) => {
      const { showRun } = await import('../remote/list-runs.ts');
      finish(await showRun(runIdOf(run, flags, command), flags, io));
    },
  );
}

/** Statuses in any case, several with commas between as well. */
function collectStatus(text: string, previous: readonly string[]): readonly string[] {
  const words = text.split(',').map((word) => STATUSES.find((status) => status.toLowerCase() === word.trim().toLowerCase()));
  const known = words.filter((word) => word !== undefined);
  if (known.length < words.length) throw new InvalidArgumentError(`Expected one of ${STATUSES.join(', ')}.`);
  return [...previous, ...known];
}

function parseCommit(text: string): string {
  if (/^[0-9a-f]{4,64}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('Expected 4 to 64 hexadecimal digits.');
}
