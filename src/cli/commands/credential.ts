import type { Command } from 'commander';
import { addListOutput, addServerFlags } from '../flags/server-flags.ts';
import type { ServerFlags } from '../remote/find-server.ts';
import type { CredentialFlags } from '../remote/manage-tasks.ts';
import type { ListFormat } from '../tables/print-value.ts';
import { addTaskName, type Shell, taskNameOf } from './command-parts.ts';

type Named = { readonly name?: string; readonly loginServer?: string };

/** `task credential add|update|remove|list`. */
export function addCredentialCommand(program: Command, { io, finish }: Shell): void {
  const group = program
    .command('credential')
    .helpCommand(false)
    .summary('registry credentials of a task')
    .description('Logins that the runs of a task have, beside those of the daemon.');
  for (const kind of ['add', 'update'] as const) {
    const command = addLoginServer(addTaskName(group.command(kind)))
      .summary(kind === 'add' ? 'give a task a login' : 'replace a login of a task')
      .description(kind === 'add' ? 'Adds the login for one registry; refused when there is one.' : 'Replaces the login for one registry.')
      .option('-u, --username <user>', 'user, or secret:NAME of the daemon')
      .option('-p, --password <source>', 'password: secret:NAME of the daemon, env:NAME or file:PATH')
      .option('--force', 'also when a file manages the task', false);
    addServerFlags(command).action(async (name: string | undefined, flags: CredentialFlags & Named, self: Command) => {
      const { putCredential } = await import('../remote/manage-tasks.ts');
      finish(await putCredential(kind, taskNameOf(name, flags, self), loginServerOf(flags, self), flags, io));
    });
  }
  const remove = addLoginServer(addTaskName(group.command('remove')))
    .summary('take a login from a task')
    .description('Removes the login for one registry.')
    .option('--force', 'also when a file manages the task', false);
  addServerFlags(remove).action(
    async (name: string | undefined, flags: ServerFlags & Named & { readonly force: boolean }, self: Command) => {
      const { removeCredential } = await import('../remote/manage-tasks.ts');
      finish(await removeCredential(taskNameOf(name, flags, self), loginServerOf(flags, self), flags, io));
    },
  );
  const list = addTaskName(group.command('list')).summary('list the logins of a task').description('Lists them without their passwords.');
  addListOutput(addServerFlags(list)).action(
    async (name: string | undefined, flags: ServerFlags & Named & { readonly output: ListFormat }, self: Command) => {
      const { listCredentials } = await import('../remote/manage-tasks.ts');
      finish(await listCredentials(taskNameOf(name, flags, self), flags, io));
    },
  );
}

function addLoginServer(command: Command): Command {
  return command.option('--login-server <host>', 'registry: `host` or `host:port`');
}

function loginServerOf({ loginServer }: Named, command: Command): string {
  if (loginServer === undefined) command.error("error: required option '--login-server <host>' not specified", { exitCode: 2 });
  return loginServer;
}
