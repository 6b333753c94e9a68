import { basename, resolve } from 'node:path';
import type { CreateRunInput } from '../../api/run-request-schema.ts';
import { classifyContext } from '../../task/build/context.ts';
import type { NamedRunFlags, RemoteRunFlags } from '../flags/remote-run-flags.ts';
import type { RunFlags } from '../flags/run-flags.ts';
import type { TaskFlags } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';
import { cmdTask } from '../source/cmd-task.ts';
import { findTaskFile, folderOf, isDirectory, isFile, readSource, readStdin } from '../source/find-task-file.ts';
import { contextMissing } from '../source/task-source.ts';
import { buildArguments, templateValues } from './arguments.ts';
import { belowPath, type RunPlace } from './context-folder.ts';
import { defined } from './defined.ts';
import { conflict, FlagError, unsupportedContext } from './flag-error.ts';
import { commonFields, machineFields, quickFields } from './run-fields.ts';
import { encode, readText } from './task-step.ts';

export type RunInputFlags = TaskFlags & RunFlags & RemoteRunFlags & NamedRunFlags;

const REMOTE_KINDS = ['git', 'archive', 'oci'];

/** The request of `task run NAME`: the task, and what is different this time. Rejects with FlagError. */
export async function namedRunRequest(
  task: string,
  context: string | undefined,
  flags: RunInputFlags,
  { io, send }: RunPlace,
): Promise<CreateRunInput> {
  const refused = (
    [
      ['--cmd', flags.cmd],
      ['--values', flags.values],
      ['--registry', flags.registry],
    ] as const
  )
    .filter(([, value]) => value !== undefined)
    .map(([flag]) => flag);
  if (refused.length > 0) {
    throw conflict(`${refused.join(', ')} cannot be changed for one run of a task`, `change the task: \`task update ${task}\``);
  }
  const values = await templateValues(flags, io);
  const args = await buildArguments(flags, io);
  const keep = flags.file === undefined ? [] : [flags.file];
  const contextPath = context === undefined ? undefined : await contextPathOf(context, keep, { io, send });
  const override = {
    ...defined({ contextPath, file: flags.file, target: flags.target, updateTriggerToken: flags.updateTriggerToken }),
    ...(args.length === 0 ? {} : { arguments: args }),
    ...(values.length === 0 ? {} : { values }),
  };
  return {
    type: 'TaskRunRequest',
    task,
    ...commonFields(flags),
    ...machineFields(flags),
    env: flags.env,
    ...(Object.keys(override).length === 0 ? {} : { overrideTaskStepProperties: override }),
  };
}

/** The request of a quick run: a task file of a context, or one that comes with the request. Rejects with FlagError. */
export async function quickRunRequest(context: string, flags: RunInputFlags, place: RunPlace): Promise<CreateRunInput> {
  const { io } = place;
  if (flags.cmd !== undefined && flags.file !== undefined) throw conflict('`--cmd` and `--file` exclude each other');
  const foreign = (
    [
      ['--target', flags.target],
      ['--arg', flags.arg[0]],
      ['--secret-arg', flags.secretArg[0]],
      ['--context', flags.context],
      ['--update-trigger-token', flags.updateTriggerToken],
    ] as const
  )
    .filter(([, value]) => value !== undefined)
    .map(([flag]) => flag);
  if (foreign.length > 0) throw conflict(`${foreign.join(', ')} only changes a run of a task of the daemon (\`task run NAME\`)`);
  const quick = { ...(await quickFields(flags, io)), env: flags.env, extended: flags.extended, values: await templateValues(flags, io) };
  const { kind } = classifyContext(context);
  if (kind === 'stdin')
    throw unsupportedContext('a run cannot take its context from standard input', '`--file - /dev/null` reads the task file from it');
  if (kind === 'none') return encodedRun(await taskTextOf(flags, undefined, io), flags, io, quick);
  if (REMOTE_KINDS.includes(kind)) {
    const remote = { ...quick, sourceLocation: context };
    if (flags.cmd !== undefined || flags.file === '-') return encodedRun(await taskTextOf(flags, undefined, io), flags, io, remote);
    return { type: 'FileTaskRunRequest', ...remote, ...defined({ taskFilePath: flags.file, valuesFilePath: flags.values }) };
  }
  return localRun(context, flags, place, quick);
}

async function localRun(
  context: string,
  flags: RunInputFlags,
  { io, send }: RunPlace,
  quick: Awaited<ReturnType<typeof quickFields>>,
): Promise<CreateRunInput> {
  const given = resolve(io.directory, context);
  const asFile = flags.file === undefined && flags.cmd === undefined && isFile(given);
  const directory = asFile ? folderOf(given) : given;
  if (!isDirectory(directory)) throw new FlagError([contextMissing(context, 'a folder, a git or archive URL, oci://…, or /dev/null')]);
  const taskFile = asFile ? basename(given) : await taskFileIn(directory, context, flags, io);
  const values = flags.values === undefined ? undefined : await insidePath(directory, flags.values, io);
  if (taskFile === undefined || (flags.values !== undefined && values === undefined)) {
    const text = await taskTextOf(flags, { directory, context, file: taskFile }, io);
    return encodedRun(text, flags, io, { ...quick, sourceLocation: await send({ directory, keep: [], extras: [] }) });
  }
  const keep = [taskFile, ...(values === undefined ? [] : [values])];
  const sourceLocation = await send({ directory, keep, extras: [] });
  return { type: 'FileTaskRunRequest', ...quick, sourceLocation, taskFilePath: taskFile, ...defined({ valuesFilePath: values }) };
}

/** Path of the task file below the context; undefined for a text from elsewhere. */
async function taskFileIn(directory: string, context: string, flags: RunInputFlags, io: Io): Promise<string | undefined> {
  if (flags.cmd !== undefined || flags.file === '-') return undefined;
  const found = findTaskFile({ context: directory, contextName: context, file: flags.file, directory: io.directory });
  if (!found.ok) throw new FlagError([found.error]);
  return belowPath(directory, found.value.path);
}

async function taskTextOf(
  flags: RunInputFlags,
  place: { readonly directory: string; readonly context: string; readonly file: string | undefined } | undefined,
  io: Io,
): Promise<string> {
  if (flags.cmd !== undefined) return cmdTask(flags.cmd).text;
  const found =
    flags.file === '-'
      ? undefined
      : place?.file === undefined
        ? findTaskFile({ context: place?.directory, contextName: place?.context ?? '', file: flags.file, directory: io.directory })
        : { ok: true as const, value: { path: resolve(place.directory, place.file), name: place.file } };
  if (found?.ok === false) throw new FlagError([found.error]);
  const read = found === undefined ? await readStdin(io.stdin) : await readSource(found.value);
  if (!read.ok) throw new FlagError([read.error]);
  return read.value.text;
}

async function encodedRun(
  text: string,
  flags: RunInputFlags,
  io: Io,
  quick: Awaited<ReturnType<typeof quickFields>> & { readonly sourceLocation?: string },
): Promise<CreateRunInput> {
  const values = flags.values === undefined ? {} : { encodedValuesContent: encode(await readText(flags.values, '--values', io)) };
  return { type: 'EncodedTaskRunRequest', ...quick, encodedTaskContent: encode(text), ...values };
}

async function contextPathOf(context: string, keep: readonly string[], { io, send }: RunPlace): Promise<string> {
  const { kind } = classifyContext(context);
  if (REMOTE_KINDS.includes(kind)) return context;
  if (kind !== 'local')
    throw unsupportedContext(`--context ${context}: a run of a task cannot take it`, 'name a folder, a git or archive URL, or oci://…');
  const directory = resolve(io.directory, context);
  if (!isDirectory(directory)) throw new FlagError([contextMissing(context, 'a folder, a git or archive URL, or oci://…')]);
  return send({ directory, keep, extras: [] });
}

async function insidePath(directory: string, file: string, io: Io): Promise<string | undefined> {
  for (const path of [resolve(directory, file), resolve(io.directory, file)]) if (isFile(path)) return belowPath(directory, path);
  return undefined;
}
