import type { TaskExplanation } from '../../api/explain-schema.ts';
import type { TaskPatch, TaskResource } from '../../api/task-schema.ts';
import { EngineError } from '../../model/engine-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { explainedTable } from '../tables/explain-text.ts';
import { type ListFormat, printList, printValue } from '../tables/print-value.ts';
import { triggerLines } from '../tables/trigger-words.ts';
import { printable } from '../terminal/terminal-filter.ts';
import type { DaemonClient } from './client.ts';
import type { ServerFlags } from './find-server.ts';
import { conflict, missingFlag } from './flag-error.ts';
import { getTask, patchTask, printWarnings, taskPath } from './manage-tasks.ts';
import { tablePlace } from './table-place.ts';
import { triggerNamed } from './trigger-patch.ts';
import { withDaemon } from './with-daemon.ts';

type PrintedFlags = ServerFlags & { readonly output: ListFormat };

export function listTriggers(task: string, flags: PrintedFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    await printTriggers(client, task, flags, io);
    return EXIT.ok;
  });
}

/** What takes longer than this is told to whoever looks on. */
const QUIET_MS = 1000;

/**
 * What is found starts runs; they are in `task list-runs` when this returns, unless the daemon is very busy. Where a repository or an image could
 * not be looked at, the exit code says so.
 */
export function checkTriggers(task: string, flags: PrintedFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const telling = setTimeout(() => io.stderr.write(`Looking at what ${task} follows …\n`), QUIET_MS);
    try {
      await client.call({ method: 'POST', path: `${taskPath(task)}/check`, body: {}, idleTimeoutMs: 600_000 });
    } finally {
      clearTimeout(telling);
    }
    const unseen = (await printTriggers(client, task, flags, io)).flatMap(({ name, status, watched }) =>
      status === 'Disabled' ? [] : watched.flatMap(({ what, problem }) => (problem === undefined ? [] : [{ name, what, problem }])),
    );
    for (const { name, what, problem } of unseen)
      io.stderr.write(`${io.paintError(['red', 'bold'], 'error:')} ${printable(`${name} could not look at ${what}: ${problem}`)}\n`);
    return unseen.length === 0 ? EXIT.ok : EXIT.stepFailed;
  });
}

async function printTriggers(client: DaemonClient, task: string, flags: PrintedFlags, io: Io): Promise<TaskExplanation['triggers']> {
  const { value } = await client.call<TaskExplanation>({ method: 'GET', path: `${taskPath(task)}/explain`, query: { top: 1 } });
  await printList(io, flags.output, value.triggers, {
    none: `Nothing starts ${task} by itself. \`task update ${task} --commit-trigger-enabled\` and \`--schedule\` change that.`,
    table: (rows) => explainedTable(rows, tablePlace(io)),
  });
  return value.triggers;
}

type Status = 'Enabled' | 'Disabled';

export function setTriggerStatus(
  task: string,
  status: Status,
  flags: PrintedFlags & { readonly triggerName?: string; readonly all: boolean; readonly force: boolean },
  io: Io,
): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const current = await getTask(client, task);
    const names = chosenTriggers(current, flags);
    const changed = names.filter((name) => triggerLines(current.trigger).some((line) => line.name === name && line.status !== status));
    if (changed.length > 0) {
      const updated = await patchTask(client, current, { trigger: statusPatch(current, new Set(changed), status) }, flags.force);
      if (status === 'Enabled') printWarnings(updated, io);
    }
    const switched = names.map((name) => ({ task, trigger: name, status, changed: changed.includes(name) }));
    await printValue(io, flags.output, switched, () => switched.map(switchedText).join(''));
    return EXIT.ok;
  });
}

interface SwitchedTrigger {
  readonly task: string;
  readonly trigger: string;
  readonly status: Status;
  /** False: it was so before. */
  readonly changed: boolean;
}

function switchedText({ task, trigger, status, changed }: SwitchedTrigger): string {
  const word = status.toLowerCase();
  return `${task}: ${trigger} ${changed ? word : `is ${word} already`}\n`;
}

function chosenTriggers(
  { name, trigger }: TaskResource,
  flags: { readonly triggerName?: string; readonly all: boolean },
): readonly string[] {
  const lines = triggerLines(trigger);
  if (flags.all && flags.triggerName !== undefined) throw conflict('`--all` and `--trigger-name` exclude each other');
  if (flags.triggerName !== undefined) return [triggerNamed(name, lines, flags.triggerName, 'trigger').name];
  const [only, ...more] = lines;
  if (only === undefined) throw new EngineError('not-found', `nothing starts ${name} by itself`, { help: '`task update` adds triggers' });
  if (more.length > 0 && !flags.all)
    throw missingFlag(
      `${name} has several triggers: ${lines.map((line) => line.name).join(', ')}`,
      'say which with `--trigger-name NAME`, or `--all`',
    );
  return lines.map((line) => line.name);
}

function statusPatch({ trigger }: TaskResource, names: ReadonlySet<string>, status: Status): NonNullable<TaskPatch['trigger']> {
  const set = <Trigger extends { readonly name: string }>(triggers: readonly Trigger[]) =>
    triggers.filter(({ name }) => names.has(name)).map((one) => ({ ...one, status }));
  const [sources, timers, afters] = [set(trigger.sourceTriggers), set(trigger.timerTriggers), set(trigger.afterTriggers)];
  return {
    ...(sources.length === 0 ? {} : { sourceTriggers: { set: sources } }),
    ...(timers.length === 0 ? {} : { timerTriggers: { set: timers } }),
    ...(afters.length === 0 ? {} : { afterTriggers: { set: afters } }),
    ...(trigger.baseImageTrigger !== undefined && names.has(trigger.baseImageTrigger.name) ? { baseImageTrigger: { status } } : {}),
  };
}
