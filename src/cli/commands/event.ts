import { type Command, Option } from 'commander';
import { parsePositiveInteger } from '../flags/option-values.ts';
import { addListOutput, addServerFlags } from '../flags/server-flags.ts';
import { parseSince } from '../flags/since.ts';
import type { ServerFlags } from '../remote/find-server.ts';
import type { ListEventsFlags } from '../remote/trigger-events.ts';
import type { ListFormat } from '../tables/print-value.ts';
import { parseTop, type Shell } from './command-parts.ts';

const ORIGINS = ['webhook', 'poll', 'notification', 'timer', 'run', 'manual', 'replay'];
const STATUSES = ['pending', 'settled', 'failed'];
const KINDS = ['push', 'tag', 'pull-request', 'repository', 'image', 'image-changed', 'timer', 'run-ended', 'manual'];

/** `task event list|show|replay`. */
export function addEventCommand(program: Command, { io, finish }: Shell): void {
  const group = program
    .command('event')
    .helpCommand(false)
    .summary('what happened, and what came of it')
    .description('Everything that may start a task is an event: pushes, updates of images, times, runs that end. Each is decided on once.');
  const list = group
    .command('list')
    .summary('list events, newest first')
    .description('Lists events, newest first.')
    .option('-n, --task <name>', 'that something was decided on for this task')
    .addOption(new Option('--origin <origin>', 'how it was learned').choices(ORIGINS))
    .addOption(new Option('--kind <kind>', 'what happened').choices(KINDS))
    .addOption(new Option('--status <status>', 'pending: not decided on; failed: given up').choices(STATUSES))
    .option('--since <time>', 'received since: 30m, 2h, 7d, or a date', (text) => parseSince(text))
    .option('--top <n>', 'most of a page', parseTop, 15)
    .option('--page <n>', 'which page', parsePositiveInteger, 1);
  addListOutput(addServerFlags(list)).action(async (flags: ListEventsFlags) => {
    const { listEvents } = await import('../remote/trigger-events.ts');
    finish(await listEvents(flags, io));
  });
  const show = group
    .command('show')
    .summary('show an event')
    .description('Shows an event, and what was decided on it for each task, with the reason.')
    .argument('<event>', 'id of the event: e17');
  addListOutput(addServerFlags(show)).action(async (id: string, flags: ServerFlags & { readonly output: ListFormat }) => {
    const { showEvent } = await import('../remote/trigger-events.ts');
    finish(await showEvent(id, flags, io));
  });
  const replay = group
    .command('replay')
    .summary('decide on an event once more')
    .description(
      'Makes a new event of an old one, which is decided on by the tasks as they are now. What has run for it does not run again.',
    )
    .argument('<events...>', 'ids of events');
  addListOutput(addServerFlags(replay)).action(async (ids: readonly string[], flags: ServerFlags & { readonly output: ListFormat }) => {
    const { replayEvents } = await import('../remote/trigger-events.ts');
    finish(await replayEvents(ids, flags, io));
  });
}
