import type { Command } from 'commander';
import { addListOutput, addServerFlags } from '../flags/server-flags.ts';
import type { ServerFlags } from '../remote/find-server.ts';
import type { ListFormat } from '../tables/print-value.ts';
import { addTaskName, type Shell, taskNameOf } from './command-parts.ts';

type Named = ServerFlags & { readonly name?: string };
type Printed = Named & { readonly output: ListFormat };
type Forced = Named & { readonly force: boolean };

const FORCE = ['--force', 'also when a file manages the task: the file wins again when it is next applied'] as const;

/** `task show`, `list`, `delete`, `enable` and `disable`. */
export function addTaskCommands(program: Command, { io, finish }: Shell): void {
  const show = addTaskName(program.command('show'))
    .summary('show a task of a daemon')
    .description('Shows a task. `--output yaml` can be changed and given back to `task apply`; secret values never show.');
  addListOutput(addServerFlags(show)).action(async (name: string | undefined, flags: Printed, command: Command) => {
    const { showTask } = await import('../remote/manage-tasks.ts');
    finish(await showTask(taskNameOf(name, flags, command), flags, io));
  });
  const list = program
    .command('list')
    .summary('list the tasks of a daemon')
    .description('Lists the tasks that the token may see, by name.');
  addListOutput(addServerFlags(list)).action(async (flags: Printed) => {
    const { listTasks } = await import('../remote/manage-tasks.ts');
    finish(await listTasks(flags, io));
  });
  const remove = addTaskName(program.command('delete'))
    .summary('delete a task of a daemon')
    .description('Deletes a task. Its runs and their logs stay until their retention is over.')
    .option('-y, --yes', 'do not ask', false)
    .option(...FORCE, false);
  addServerFlags(remove).action(async (name: string | undefined, flags: Forced & { readonly yes: boolean }, command: Command) => {
    const { deleteTask } = await import('../remote/manage-tasks.ts');
    finish(await deleteTask(taskNameOf(name, flags, command), flags, io));
  });
  for (const [verb, status] of [
    ['enable', 'Enabled'],
    ['disable', 'Disabled'],
  ] as const) {
    const command = addTaskName(program.command(verb))
      .summary(`${verb} a task of a daemon`)
      .description(
        verb === 'enable'
          ? 'Lets a task be started by itself again.'
          : 'From now on only people and scripts start the task; what runs goes on.',
      )
      .option(...FORCE, false);
    addServerFlags(command).action(async (name: string | undefined, flags: Forced, self: Command) => {
      const { setTaskStatus } = await import('../remote/manage-tasks.ts');
      finish(await setTaskStatus(taskNameOf(name, flags, self), status, flags, io));
    });
  }
}
