import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { addOutputFlag, addTaskFlags, type Output, type TaskFlags } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';
import { diagnosticsJson, renderDiagnostics } from '../print-diagnostics.ts';

interface LintFlags extends TaskFlags {
  readonly acr: boolean;
  readonly output: Output;
}

export function addLintCommand(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = program
    .command('lint')
    .summary('check a task file')
    .description('Reports everything that is wrong with a task file or looks like a mistake. Exit code 2 when there is an error.')
    .argument('[context]', 'folder, git or archive URL, oci://…, or /dev/null', '.')
    .option('--acr', 'also report what only this program understands and ACR would ignore or refuse', false);
  addOutputFlag(addTaskFlags(command)).action(async (context: string, flags: LintFlags) => {
    const { lintForCommand } = await import('../source/load-for-command.ts');
    const diagnostics = await lintForCommand(context, flags, io, { acr: flags.acr });
    if (flags.output === 'json') io.stdout.write(diagnosticsJson(diagnostics));
    else if (diagnostics.length === 0) io.stdout.write(`${io.paint('green', '✔')} nothing to complain about\n`);
    else io.stdout.write(renderDiagnostics(diagnostics, io.paint));
    if (diagnostics.some(({ severity }) => severity === 'error')) finish(EXIT.badInput);
  });
}
