import { type Command, Option } from 'commander';
import type { ExitCode } from '../exit-codes.ts';
import { addRunFlags, type RunFlags } from '../flags/run-flags.ts';
import { addTaskFlags, type TaskFlags } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';

export function addRunCommand(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = program
    .command('run')
    .summary('run a task file')
    .description('Runs the steps of a task file in containers. The context is copied into the workspace of the run.')
    .argument('[context]', 'folder, git or archive URL, oci://…, or /dev/null for an empty workspace', '.')
    .addOption(new Option('--no-push', 'leave out push steps (default: they push)').helpGroup('Execution:'));
  addRunFlags(addTaskFlags(command)).action(async (context: string, flags: TaskFlags & RunFlags) => {
    const { runCommand } = await import('../execution/run-command.ts');
    finish(await runCommand({ flags, io, open: { context } }));
  });
}
