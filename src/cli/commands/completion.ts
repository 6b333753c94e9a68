import { Argument, type Command } from 'commander';
import { completionWords } from '../completion/completion-words.ts';
import { completionScript, SHELLS, type Shell } from '../completion/scripts.ts';
import { TEMPLATES } from '../init/templates.ts';
import type { Io } from '../io.ts';

export function addCompletionCommand(program: Command, io: Io): void {
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description('Prints a completion script: eval "$(task completion bash)", or task completion fish | source.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action((shell: Shell) => {
      const words = completionWords(program, { init: TEMPLATES.map(({ name }) => name), completion: SHELLS });
      io.stdout.write(completionScript(shell, words));
    });
}
