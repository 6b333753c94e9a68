import { type Command, Option } from 'commander';
import { OUTPUT_FORMATS } from '../../config/settings.ts';
import { parsePriority } from '../flags/remote-run-flags.ts';
import { addIdempotencyKey, addListOutput, addServerFlags } from '../flags/server-flags.ts';
import type { RerunFlags, RunChoice } from '../remote/list-runs.ts';
import type { ListFormat } from '../tables/print-value.ts';
import { addRunId, type RunIdFlags, runIdOf, type Shell } from './command-parts.ts';

/** `task cancel-run`, `rerun` and `update-run`. */
export function addRunChangeCommands(program: Command, { io, finish }: Shell): void {
  const cancel = addRunId(program.command('cancel-run'))
    .summary('cancel a run')
    .description('Cancels a run: a queued one ends at once, a running one when its steps are stopped.')
    .option('--reason <text>', 'why, for whoever looks at the run');
  addServerFlags(cancel).action(
    async (run: string | undefined, flags: RunChoice & RunIdFlags & { readonly reason?: string }, command: Command) => {
      const { cancelRuns } = await import('../remote/list-runs.ts');
      finish(await cancelRuns([runIdOf(run, flags, command)], flags, io));
    },
  );
  const rerun = addRunId(program.command('rerun'))
    .summary('run the same again')
    .description('Starts a new run with what a run was asked to do, and prints it as `task run` does. The exit code is that of the run.')
    .option('--no-wait', 'print the id of the new run and leave (default: wait for its end)')
    .option('--no-logs', 'wait without printing the log (default: it is printed)')
    .option('--priority <n>', 'larger ones start first: -100 to 100 (default: that of the run)', parsePriority)
    .addOption(
      new Option('--output <format>', 'how to print the run (default: auto: live on a terminal, else plain)').choices(OUTPUT_FORMATS),
    )
    .option('-q, --quiet', 'print pushed images and failures only', false)
    .option('--no-format', 'plain lines without drawing (default: drawn on a terminal)');
  addIdempotencyKey(addServerFlags(rerun)).action(async (run: string | undefined, flags: RerunFlags & RunIdFlags, command: Command) => {
    const { rerun: runAgain } = await import('../remote/list-runs.ts');
    finish(await runAgain(runIdOf(run, flags, command), flags, io));
  });
  const update = addRunId(program.command('update-run'))
    .summary('archive a run, or no longer')
    .description('An archived run and its log are kept beyond the retention.')
    .option('--archive', 'keep it')
    .option('--no-archive', 'let it go when its retention is over');
  addListOutput(addServerFlags(update)).action(
    async (
      run: string | undefined,
      flags: RunChoice & RunIdFlags & { readonly archive?: boolean; readonly output: ListFormat },
      command: Command,
    ) => {
      if (flags.archive === undefined) command.error('error: say what to change: `--archive` or `--no-archive`', { exitCode: 2 });
      const { updateRun } = await import('../remote/list-runs.ts');
      finish(await updateRun(runIdOf(run, flags, command), flags.archive, flags, io));
    },
  );
}
