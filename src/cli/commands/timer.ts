import type { Command } from 'commander';
import { addListOutput, addServerFlags } from '../flags/server-flags.ts';
import { addTimerFlags, parseBoolean } from '../flags/trigger-flags.ts';
import type { ServerFlags } from '../remote/find-server.ts';
import type { TimerChangeFlags } from '../remote/timers.ts';
import type { ListFormat } from '../tables/print-value.ts';
import { addTaskName, type Shell, taskNameOf } from './command-parts.ts';

type Named = ServerFlags & { readonly name?: string; readonly timerName?: string };
type Printed = Named & { readonly output: ListFormat };

/** `task timer add|update|remove|list`. */
export function addTimerCommand(program: Command, { io, finish }: Shell): void {
  const group = program
    .command('timer')
    .helpCommand(false)
    .summary('timers of a task')
    .description('Times at which a task is started by the clock: once each, also when the daemon was away.');
  for (const kind of ['add', 'update'] as const) {
    const command = addTaskName(group.command(kind))
      .summary(kind === 'add' ? 'start a task by the clock' : 'change a timer of a task')
      .description(
        kind === 'add'
          ? 'Adds a timer and shows when it is due next; refused when the task has one of this name.'
          : 'Changes what is named and leaves the rest of the timer.',
      )
      .option('--timer-name <name>', `name of the timer${kind === 'add' ? ' (default: the first of t1, t2, … that is free)' : ''}`)
      .option('--schedule <cron>', 'minute hour day month day-of-week in UTC, or after `CRON_TZ=Zone `')
      .option('--enabled [bool]', `whether it starts the task${kind === 'add' ? ' (default: true)' : ''}`, parseBoolean)
      .option('--force', 'also when a file manages the task', false);
    addListOutput(addServerFlags(addTimerFlags(command, kind === 'add' ? 'create' : 'update'))).action(
      async (name: string | undefined, flags: TimerChangeFlags & Printed, self: Command) => {
        const { addTimer, updateTimer } = await import('../remote/timers.ts');
        const task = taskNameOf(name, flags, self);
        finish(await (kind === 'add' ? addTimer(task, flags, io) : updateTimer(task, timerNameOf(flags, self), flags, io)));
      },
    );
  }
  const remove = addTaskName(group.command('remove'))
    .summary('take a timer from a task')
    .description('Removes a timer; runs that it has started go on.')
    .option('--timer-name <name>', 'name of the timer')
    .option('--force', 'also when a file manages the task', false);
  addServerFlags(remove).action(async (name: string | undefined, flags: Named & { readonly force: boolean }, self: Command) => {
    const { removeTimer } = await import('../remote/timers.ts');
    finish(await removeTimer(taskNameOf(name, flags, self), timerNameOf(flags, self), flags, io));
  });
  const list = addTaskName(group.command('list'))
    .summary('list the timers of a task')
    .description('Lists the timers of a task with their next times; `--output json` has the next five of each.');
  addListOutput(addServerFlags(list)).action(async (name: string | undefined, flags: Printed, self: Command) => {
    const { listTimers } = await import('../remote/timers.ts');
    finish(await listTimers(taskNameOf(name, flags, self), flags, io));
  });
}

function timerNameOf({ timerName }: Named, command: Command): string {
  if (timerName === undefined) command.error("error: required option '--timer-name <name>' not specified", { exitCode: 2 });
  return timerName;
}
