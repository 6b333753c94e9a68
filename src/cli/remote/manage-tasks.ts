import { randomUUID } from 'node:crypto';
import type { CredentialInput, CredentialShown, TaskResource } from '../../api/task-schema.ts';
import { EngineError } from '../../model/engine-error.ts';
import { definitionToYaml } from '../../service/tasks/definition-yaml.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { type ListFormat, printList, printValue } from '../tables/print-value.ts';
import { credentialTable, taskTable, taskText } from '../tables/task-table.ts';
import { timersText } from '../tables/timer-table.ts';
import { printable } from '../terminal/terminal-filter.ts';
import type { DaemonClient } from './client.ts';
import type { ServerFlags } from './find-server.ts';
import { FlagError, missingFlag } from './flag-error.ts';
import { namingFlags } from './flag-of-field.ts';
import { listAll } from './pages.ts';
import { askYes, canAsk } from './prompts.ts';
import { readSecretInput } from './secret-input.ts';
import { tablePlace } from './table-place.ts';
import { taskBodyOf, taskPatchOf } from './task-body.ts';
import type { TaskDefinitionFlags } from './task-flags.ts';
import { mistakeText, withDaemon } from './with-daemon.ts';

interface PrintedFlags extends ServerFlags {
  readonly output: ListFormat;
}

export function createTask(
  name: string,
  flags: TaskDefinitionFlags & PrintedFlags & { readonly idempotencyKey?: string },
  io: Io,
): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const body = await taskBodyOf(name, flags, io);
    const { value } = await namingFlags(() =>
      client.call<TaskResource>({ method: 'POST', path: '/tasks', body, idempotencyKey: flags.idempotencyKey ?? randomUUID() }),
    );
    printWarnings(value, io);
    await printValue(io, flags.output, value, () => `${name} created\n${timersText(value.trigger.timerTriggers, new Date())}`);
    return EXIT.ok;
  });
}

/** Changes a task as it is now: when somebody else changes it meanwhile the daemon refuses. */
export function updateTask(
  name: string,
  flags: TaskDefinitionFlags & PrintedFlags & { readonly unset: readonly string[]; readonly force: boolean },
  io: Io,
): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const current = await getTask(client, name);
    const body = await taskPatchOf(current, flags, flags.unset, io);
    const value = await namingFlags(() => patchTask(client, current, body, flags.force));
    printWarnings(value, io);
    const what = value.version === current.version ? 'is as it was' : `updated, version ${value.version}`;
    const timers = flags.schedule.length === 0 ? '' : timersText(value.trigger.timerTriggers, new Date());
    await printValue(io, flags.output, value, () => `${name} ${what}\n${timers}`);
    return EXIT.ok;
  });
}

export function setTaskStatus(
  name: string,
  status: 'Enabled' | 'Disabled',
  flags: ServerFlags & { readonly force: boolean },
  io: Io,
): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const current = await getTask(client, name);
    if (current.status !== status) await patchTask(client, current, { status }, flags.force);
    io.stdout.write(`${name} ${current.status === status ? `is ${status.toLowerCase()} already` : status.toLowerCase()}\n`);
    return EXIT.ok;
  });
}

export function showTask(name: string, flags: PrintedFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const task = await getTask(client, name);
    // As a file of tasks has it, with inline task files as text.
    if (flags.output === 'yaml') io.stdout.write(definitionToYaml(task));
    else await printValue(io, flags.output, task, () => taskText(task, tablePlace(io)));
    return EXIT.ok;
  });
}

export function listTasks(flags: PrintedFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const tasks = await listAll<TaskResource>(client, '/tasks');
    await printList(io, flags.output, tasks, {
      none: 'There are no tasks. `task create NAME --context URL` makes one.',
      table: (rows) => taskTable(rows, tablePlace(io)),
    });
    return EXIT.ok;
  });
}

export function deleteTask(
  name: string,
  flags: ServerFlags & { readonly yes: boolean; readonly force: boolean },
  io: Io,
): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { version } = await getTask(client, name);
    const followers = (await listAll<TaskResource>(client, '/tasks')).filter((task) =>
      task.trigger.afterTriggers.some((after) => after.task === name && task.name !== name),
    );
    const nobody = followers.length === 0 ? '' : ` ${followers.map((task) => task.name).join(', ')} would start after it no more.`;
    if (!(await isConfirmed(`Delete the task ${name}? Its runs stay.${nobody}`, flags, io))) return EXIT.canceled;
    await client.call({ method: 'DELETE', path: taskPath(name), query: forced(flags), headers: { 'if-match': `"${version}"` } });
    io.stdout.write(`${name} deleted\n`);
    for (const task of followers)
      io.stderr.write(
        `${io.paintError(['yellow', 'bold'], 'warning:')} ${printable(`${task.name} follows ${name}, which is gone: \`task update ${task.name} --unset after-trigger\` takes that away`)}\n`,
      );
    return EXIT.ok;
  });
}

/** Asks unless `--yes` answers; where nobody can be asked it has to be there. */
export async function isConfirmed(question: string, flags: { readonly yes: boolean }, io: Io): Promise<boolean> {
  if (flags.yes) return true;
  if (!canAsk(io)) throw missingFlag('this asks before it does anything, and there is no terminal to ask at', 'say yes with `--yes`');
  return askYes(io, question);
}

export interface CredentialFlags extends ServerFlags {
  readonly username?: string;
  readonly password?: string;
  readonly force: boolean;
}

/** `add` refuses a registry that has a credential, `update` one that has none, as ACR does. */
export function putCredential(kind: 'add' | 'update', name: string, server: string, flags: CredentialFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const task = await getTask(client, name);
    const known = task.credentials.some(({ loginServer }) => loginServer === server);
    if (known && kind === 'add')
      throw new EngineError('already-exists', `${name} has a credential for ${server} already`, {
        help: 'replace it with `task credential update`',
      });
    if (!known && kind === 'update')
      throw new EngineError('not-found', `${name} has no credential for ${server}`, { help: 'make one with `task credential add`' });
    const body = await credentialBody(flags, io);
    await client.call({
      method: 'PUT',
      path: `${taskPath(name)}/credentials/${encodeURIComponent(server)}`,
      query: forced(flags),
      headers: { 'if-match': `"${task.version}"` },
      body,
    });
    io.stdout.write(`${name}: credential for ${server} ${kind === 'add' ? 'added' : 'updated'}\n`);
    return EXIT.ok;
  });
}

export function removeCredential(
  name: string,
  server: string,
  flags: ServerFlags & { readonly force: boolean },
  io: Io,
): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    await client.call({ method: 'DELETE', path: `${taskPath(name)}/credentials/${encodeURIComponent(server)}`, query: forced(flags) });
    io.stdout.write(`${name}: credential for ${server} removed\n`);
    return EXIT.ok;
  });
}

export function listCredentials(name: string, flags: PrintedFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const credentials = await listAll<CredentialShown>(client, `${taskPath(name)}/credentials`);
    await printList(io, flags.output, credentials, {
      none: `${name} has no credentials of its own.`,
      table: (rows) => credentialTable(rows, tablePlace(io)),
    });
    return EXIT.ok;
  });
}

async function credentialBody(flags: CredentialFlags, io: Io): Promise<Omit<CredentialInput, 'loginServer'>> {
  const { username, password } = flags;
  if (username === undefined || password === undefined) throw missingFlag('`--username` and `--password` are both needed');
  const secret = await readSecretInput('--password', { name: 'value', value: password }, io, { literal: false });
  const user = username.startsWith('secret:')
    ? await readSecretInput('--username', { name: 'value', value: username }, io, { literal: false })
    : { ok: true as const, value: username };
  if (!secret.ok) throw new FlagError([secret.error]);
  if (!user.ok) throw new FlagError([user.error]);
  return { userName: user.value, password: secret.value };
}

export function printWarnings({ warnings = [] }: TaskResource, io: Io): void {
  for (const warning of warnings) io.stderr.write(mistakeText(warning, io));
}

export function taskPath(name: string): string {
  return `/tasks/${encodeURIComponent(name)}`;
}

export async function getTask(client: DaemonClient, name: string): Promise<TaskResource> {
  return (await client.call<TaskResource>({ method: 'GET', path: taskPath(name) })).value;
}

export async function patchTask(client: DaemonClient, current: TaskResource, body: object, force: boolean): Promise<TaskResource> {
  const { value } = await client.call<TaskResource>({
    method: 'PATCH',
    path: taskPath(current.name),
    query: forced({ force }),
    headers: { 'if-match': `"${current.version}"` },
    body,
  });
  return value;
}

export function forced({ force }: { readonly force: boolean }): { readonly force?: boolean } {
  return force ? { force } : {};
}
