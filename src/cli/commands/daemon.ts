import type { Command } from 'commander';
import { parsePositiveInteger } from '../flags/option-values.ts';
import { addListOutput, addServerFlags } from '../flags/server-flags.ts';
import { parseSince } from '../flags/since.ts';
import type { AuditFlags } from '../remote/administer.ts';
import type { ServerFlags } from '../remote/find-server.ts';
import type { ListFormat } from '../tables/print-value.ts';
import { parseTop, type Shell } from './command-parts.ts';

/** `task audit`, `gc` and `agents`. */
export function addDaemonCommands(program: Command, { io, finish }: Shell): void {
  const audit = program
    .command('audit')
    .summary('who did what on a daemon')
    .description('Shows who changed what from where, newest first, with what was refused.')
    .option('--action <name>', 'only this action, for example task.create')
    .option('--principal <name>', 'only what this one did')
    .option('--target <name>', 'only what was done to this')
    .option('--since <time>', 'since: 30m, 2h, 7d, or a date', (text) => parseSince(text))
    .option('--top <n>', 'most of a page', parseTop, 50)
    .option('--page <n>', 'which page', parsePositiveInteger, 1);
  addListOutput(addServerFlags(audit)).action(async (flags: AuditFlags) => {
    const { listAudit } = await import('../remote/administer.ts');
    finish(await listAudit(flags, io));
  });
  const gc = program
    .command('gc')
    .summary('remove what is past its retention')
    .description(
      'Removes runs, logs, contexts and built images past their retention, and what no run owns in the engine. A daemon does so by itself too.',
    )
    .option('--dry-run', 'say what would be removed', false);
  addListOutput(addServerFlags(gc)).action(async (flags: ServerFlags & { readonly output: ListFormat; readonly dryRun: boolean }) => {
    const { collectGarbage } = await import('../remote/administer.ts');
    finish(await collectGarbage(flags, io));
  });
  const agents = program
    .command('agents')
    .summary('list the agents of a daemon')
    .description('Lists the agents and the runs that they hold.');
  addListOutput(addServerFlags(agents)).action(async (flags: ServerFlags & { readonly output: ListFormat }) => {
    const { listAgents } = await import('../remote/administer.ts');
    finish(await listAgents(flags, io));
  });
}
