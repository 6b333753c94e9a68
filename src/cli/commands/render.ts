import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { addTaskFlags, type TaskFlags } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';

interface RenderFlags extends TaskFlags {
  readonly aliases: boolean;
}

export function addRenderCommand(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = program
    .command('render')
    .summary('print the task file after aliases and templates')
    .description(
      'Prints the text of the task file after comments, aliases and templates, byte for byte as it would be read. Secrets are empty.',
    )
    .argument('[context]', 'folder, git or archive URL, oci://…, or /dev/null', '.')
    .option('--no-aliases', 'leave aliases alone, as acb render does (default: they are replaced)');
  addTaskFlags(command).action(async (context: string, flags: RenderFlags) => {
    const { renderForCommand } = await import('../source/load-for-command.ts');
    const text = await renderForCommand(context, flags, io, { aliases: flags.aliases });
    if (text === undefined) finish(EXIT.badInput);
    else io.stdout.write(text);
  });
}
