import type { Command } from 'commander';
import { collect } from '../flags/option-values.ts';
import { addIdempotencyKey, addListOutput, addServerFlags } from '../flags/server-flags.ts';
import { repeatable } from '../flags/task-flags.ts';
import type { ApplyFlags } from '../remote/apply-tasks.ts';
import type { Shell } from './command-parts.ts';

export function addApplyCommand(program: Command, { io, finish }: Shell): void {
  const command = program
    .command('apply')
    .summary('make the tasks of a daemon what files say')
    .description(
      'Creates and updates tasks from YAML or JSON as `task show --output yaml` prints it: one task a document, or a list. With an error in one of them\n' +
        'nothing changes. What a file does not say has its default.',
    )
    .addOption(repeatable('-f, --file <path>', 'file, folder of them, or - for standard input', collect))
    .option('--dry-run', 'say what would change', false)
    .option('--owner <name>', 'who manages these tasks from now on: others then need `--force` to change them')
    .option('--prune', 'delete the tasks of `--owner` that are in no file', false)
    .option('--force', 'take over tasks that somebody else manages', false);
  addIdempotencyKey(addListOutput(addServerFlags(command))).action(async (flags: ApplyFlags) => {
    const { applyTasks } = await import('../remote/apply-tasks.ts');
    finish(await applyTasks(flags, io));
  });
}
