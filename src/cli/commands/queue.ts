import type { Command } from 'commander';
import { addListOutput, addServerFlags } from '../flags/server-flags.ts';
import type { ServerFlags } from '../remote/find-server.ts';
import type { ListFormat } from '../tables/print-value.ts';
import type { Shell } from './command-parts.ts';

/** `task queue`, `pause` and `resume`. */
export function addQueueCommands(program: Command, { io, finish }: Shell): void {
  const queue = program
    .command('queue')
    .summary('show what waits, and for what')
    .description('Shows the waiting runs in the order in which they would start, and what each waits for.');
  addListOutput(addServerFlags(queue)).action(async (flags: ServerFlags & { readonly output: ListFormat }) => {
    const { showQueue } = await import('../remote/administer.ts');
    finish(await showQueue(flags, io));
  });
  const pause = program
    .command('pause')
    .summary('start no further run')
    .description('Runs that wait go on waiting; what runs goes on. New runs are taken on and wait.')
    .option('--reason <text>', 'why, for whoever waits');
  addServerFlags(pause).action(async (flags: ServerFlags & { readonly reason?: string }) => {
    const { pauseQueue } = await import('../remote/administer.ts');
    finish(await pauseQueue(flags, io));
  });
  const resume = program.command('resume').summary('start runs again').description('Ends what `task pause` began.');
  addServerFlags(resume).action(async (flags: ServerFlags) => {
    const { resumeQueue } = await import('../remote/administer.ts');
    finish(await resumeQueue(flags, io));
  });
}
