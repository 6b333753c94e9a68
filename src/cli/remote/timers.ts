import type { TaskResource } from '../../api/task-schema.ts';
import type { TimerResource } from '../../api/timer-schema.ts';
import { EngineError } from '../../model/engine-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { TimerFlags } from '../flags/trigger-flags.ts';
import type { Io } from '../io.ts';
import { type ListFormat, printList, printValue } from '../tables/print-value.ts';
import { firingsText, timerTable } from '../tables/timer-table.ts';
import type { DaemonClient } from './client.ts';
import type { ServerFlags } from './find-server.ts';
import { missingFlag } from './flag-error.ts';
import { namingFlags } from './flag-of-field.ts';
import { forced, getTask, taskPath } from './manage-tasks.ts';
import { tablePlace } from './table-place.ts';
import { timerFields } from './trigger-body.ts';
import { triggerNamed } from './trigger-patch.ts';
import { withDaemon } from './with-daemon.ts';

export interface TimerChangeFlags extends ServerFlags, TimerFlags {
  readonly timerName?: string;
  readonly schedule?: string;
  readonly enabled?: boolean;
  readonly force: boolean;
  readonly output: ListFormat;
}

export function addTimer(task: string, flags: TimerChangeFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { schedule } = flags;
    if (schedule === undefined) throw missingFlag('`--schedule` is missing', 'say when: `--schedule "0 3 * * *"` is each day at 3:00 UTC');
    const current = await getTask(client, task);
    const timers = current.trigger.timerTriggers;
    const name = flags.timerName ?? freeName(timers.map((timer) => timer.name));
    if (timers.some((timer) => timer.name === name))
      throw new EngineError('already-exists', `${task} has a timer ${JSON.stringify(name)} already`, {
        help: 'change it with `task timer update`',
      });
    return putTimer(client, current, name, schedule, { flags, io, what: 'added' });
  });
}

export function updateTimer(task: string, name: string, flags: TimerChangeFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const current = await getTask(client, task);
    const timer = triggerNamed(task, current.trigger.timerTriggers, name, 'timer');
    if (flags.schedule === undefined && flags.enabled === undefined && Object.keys(timerFields(flags)).length === 0)
      throw missingFlag(
        'nothing is to be changed',
        'name what to change: `--schedule`, `--enabled`, `--on-missed`, `--overlap` or `--jitter`',
      );
    return putTimer(client, current, name, flags.schedule ?? timer.schedule, { flags, io, what: 'updated' });
  });
}

async function putTimer(
  client: DaemonClient,
  task: TaskResource,
  name: string,
  schedule: string,
  { flags, io, what }: { readonly flags: TimerChangeFlags; readonly io: Io; readonly what: string },
): Promise<ExitCode> {
  const body = {
    schedule,
    ...(flags.enabled === undefined ? {} : { status: flags.enabled ? 'Enabled' : 'Disabled' }),
    ...timerFields(flags),
  };
  const headers = { 'if-match': `"${task.version}"` };
  const { value } = await namingFlags(() =>
    client.call<TimerResource>({ method: 'PUT', path: timerPath(task.name, name), query: forced(flags), headers, body }),
  );
  const next =
    value.status === 'Enabled'
      ? firingsText(
          value.name,
          value.schedule,
          value.next.map((time) => new Date(time)),
        )
      : '';
  await printValue(io, flags.output, value, () => `${task.name}: timer ${value.name} ${what}\n${next}`);
  return EXIT.ok;
}

export function removeTimer(task: string, name: string, flags: ServerFlags & { readonly force: boolean }, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const current = await getTask(client, task);
    triggerNamed(task, current.trigger.timerTriggers, name, 'timer');
    await client.call({
      method: 'DELETE',
      path: timerPath(task, name),
      query: forced(flags),
      headers: { 'if-match': `"${current.version}"` },
    });
    io.stdout.write(`${task}: timer ${name} removed\n`);
    return EXIT.ok;
  });
}

export function listTimers(task: string, flags: ServerFlags & { readonly output: ListFormat }, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { value } = await client.call<{ readonly items: readonly TimerResource[] }>({ method: 'GET', path: `${taskPath(task)}/timers` });
    await printList(io, flags.output, value.items, {
      none: `${task} has no timers. \`task timer add ${task} --schedule "0 3 * * *"\` makes one.`,
      table: (rows) => timerTable(rows, tablePlace(io)),
    });
    return EXIT.ok;
  });
}

function freeName(taken: readonly string[]): string {
  for (let number = 1; ; number += 1) if (!taken.includes(`t${number}`)) return `t${number}`;
}

function timerPath(task: string, timer: string): string {
  return `${taskPath(task)}/timers/${encodeURIComponent(timer)}`;
}
