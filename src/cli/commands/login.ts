import type { Command } from 'commander';
import { addListOutput, addServerFlags } from '../flags/server-flags.ts';
import type { ServerFlags } from '../remote/find-server.ts';
import type { ListFormat } from '../tables/print-value.ts';
import type { Shell } from './command-parts.ts';

/** `task login`, `logout` and `whoami`. */
export function addLoginCommands(program: Command, { io, finish }: Shell): void {
  program
    .command('login')
    .summary('keep the address and token of a daemon')
    .description(
      'Tries a token and keeps it with the address, for later commands: typed without being shown, from a pipe, SLIPWAY_TOKEN or a file.',
    )
    .argument('<url>', 'daemon: http(s)://HOST[:PORT] or unix:PATH')
    .option('--token-file <file>', 'file that holds the token')
    .action(async (url: string, flags: { readonly tokenFile?: string }) => {
      const { logIn } = await import('../remote/log-in.ts');
      finish(await logIn(url, flags, io));
    });
  program
    .command('logout')
    .summary('forget the saved login')
    .description('Forgets the address and token that `task login` kept. The token stays valid: `task token revoke` ends it.')
    .action(async () => {
      const { logOut } = await import('../remote/log-in.ts');
      finish(await logOut(io));
    });
  const whoami = program
    .command('whoami')
    .summary('show who a daemon takes you for')
    .description('Shows the daemon of commands without `--server`, and what you may do there.');
  addListOutput(addServerFlags(whoami)).action(async (flags: ServerFlags & { readonly output: ListFormat }) => {
    const { whoAmI } = await import('../remote/log-in.ts');
    finish(await whoAmI(flags, io));
  });
}
