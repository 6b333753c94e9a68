import { join, resolve } from 'node:path';
import { Argument, type Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { TEMPLATES } from '../init/templates.ts';
import type { Io } from '../io.ts';
import { renderDiagnostics } from '../print-diagnostics.ts';

const HINT =
  'Its first line names the schema of task files by a path of this machine. For a file that is shared, `task init --with-schema` writes a copy.\n';

export function addInitCommand(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const list = TEMPLATES.map(({ name, about }) => `  ${name.padEnd(18)}${about}`).join('\n');
  program
    .command('init')
    .summary('write a task file to start from')
    .description('Writes a task file, and what it builds, into a folder.')
    .addArgument(new Argument('[template]', 'what to write').choices(TEMPLATES.map(({ name }) => name)).default('hello'))
    .option('-d, --directory <dir>', 'folder to write into', '.')
    .option('--force', 'overwrite files that exist', false)
    .option('--with-schema', 'write the schema of task files, too, so that editors on other machines find it', false)
    .addHelpText('after', `\nTemplates:\n${list}`)
    .action(async (name: string, flags: { readonly directory: string; readonly force: boolean; readonly withSchema: boolean }) => {
      const { writeTemplate } = await import('../init/write-template.ts');
      const template = TEMPLATES.find((candidate) => candidate.name === name) ?? TEMPLATES[0];
      if (template === undefined) return;
      const written = await writeTemplate(template, resolve(io.directory, flags.directory), flags);
      if (!written.ok) {
        io.stderr.write(renderDiagnostics(written.error, io.paintError));
        finish(EXIT.badInput);
        return;
      }
      for (const file of written.value.files) io.stdout.write(`wrote ${join(flags.directory, file)}\n`);
      if (written.value.machineOnly) io.stdout.write(HINT);
      const folder = flags.directory === '.' ? '' : ` ${flags.directory}`;
      const registry = Object.values(template.files).some((text) => text.includes('$Registry')) ? ' --registry HOST' : '';
      io.stdout.write(`Next: \`task plan${folder}${registry}\` shows what it does, \`task run${folder}${registry}\` does it.\n`);
    });
}
