import type { Command } from 'commander';
import { collect } from '../flags/option-values.ts';
import { addListOutput, addServerFlags } from '../flags/server-flags.ts';
import { repeatable } from '../flags/task-flags.ts';
import type { SecretFlags } from '../remote/administer.ts';
import type { ServerFlags } from '../remote/find-server.ts';
import type { ListFormat } from '../tables/print-value.ts';
import type { Shell } from './command-parts.ts';

/** `task secret set|list|delete`. */
export function addSecretCommand(program: Command, { io, finish }: Shell): void {
  const group = program
    .command('secret')
    .helpCommand(false)
    .summary('secrets of a daemon')
    .description('Values that runs get and nobody can read back: `keyvault: secret://NAME` in a task file, secret:NAME in flags.');
  const set = group
    .command('set')
    .summary('store a secret')
    .description('Stores a value: typed without being shown, from a pipe, or from `--value`.')
    .argument('<name>', 'name of the secret')
    .option('--value <source>', 'env:NAME or file:PATH (default: typed, or from standard input)')
    .option('--description <text>', 'what it is for (default: as it was)')
    .addOption(repeatable('--task <glob>', 'only runs of these tasks get it; `*` stands for any characters', collect));
  addServerFlags(set).action(async (name: string, flags: SecretFlags) => {
    const { setSecret } = await import('../remote/administer.ts');
    finish(await setSecret(name, flags, io));
  });
  const list = group.command('list').summary('list secrets').description('Lists secrets without their values.');
  addListOutput(addServerFlags(list)).action(async (flags: ServerFlags & { readonly output: ListFormat }) => {
    const { listSecrets } = await import('../remote/administer.ts');
    finish(await listSecrets(flags, io));
  });
  const remove = group
    .command('delete')
    .summary('delete a secret')
    .description('Deletes a secret; runs that need it fail from now on.')
    .argument('<name>', 'name of the secret')
    .option('-y, --yes', 'do not ask', false);
  addServerFlags(remove).action(async (name: string, flags: ServerFlags & { readonly yes: boolean }) => {
    const { deleteSecret } = await import('../remote/administer.ts');
    finish(await deleteSecret(name, flags, io));
  });
}
