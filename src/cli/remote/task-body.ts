import { resolve } from 'node:path';
import type { z } from 'zod';
import type { SecretInput } from '../../api/common.ts';
import type { StepShown, TaskPatch, TaskResource, taskBody } from '../../api/task-schema.ts';
import type { SourceText } from '../../model/diagnostic.ts';
import { classifyContext } from '../../task/build/context.ts';
import type { Io } from '../io.ts';
import { cmdTask } from '../source/cmd-task.ts';
import { readSource, readStdin } from '../source/find-task-file.ts';
import { buildArguments, templateValues } from './arguments.ts';
import { badValue, conflict, FlagError } from './flag-error.ts';
import { platformOf } from './platform.ts';
import { readSecretInput } from './secret-input.ts';
import type { TaskDefinitionFlags } from './task-flags.ts';

type TaskInput = z.input<typeof taskBody>;
type StepType = StepShown['type'];
/** What a task has beside its step; nothing here is unset. */
type Settings = { [Field in Exclude<keyof TaskPatch, 'step'>]?: NonNullable<TaskPatch[Field]> };

/** As ACR decides: these are task files (or what makes one), anything else is a Dockerfile. */
const TASK_FILE = /\.(ya?ml|toml|json|sh|bash|zsh|ps1|ps|cmd|bat|ts|js|php|py|rb|lua)$/i;

/** Fields that `--unset` empties, and what that is in a patch. */
export const UNSET: Readonly<Record<string, TaskPatch>> = {
  context: { step: { contextPath: null } },
  'git-access-token': { step: { contextAccessToken: null } },
  target: { step: { target: null } },
  image: { step: { imageNames: [] } },
  arg: { step: { arguments: [] } },
  set: { step: { values: [] } },
  platform: { platform: null },
  timeout: { timeout: null },
  cpu: { agentConfiguration: null },
  registry: { registry: null },
  'agent-pool': { agentPoolName: null },
  priority: { priority: null },
  'max-parallel': { maxParallelRuns: null },
  concurrency: { concurrency: null },
  policy: { policy: null },
  tags: { tags: null },
  credentials: { credentials: [] },
};

/** The task that `task create` sends. Rejects with FlagError. */
export async function taskBodyOf(name: string, flags: TaskDefinitionFlags, io: Io): Promise<TaskInput> {
  const context = contextOf(flags);
  const type = stepTypeOf(flags, context);
  refuseForeignFlags(type, flags);
  const source = {
    ...(context === undefined ? {} : { contextPath: context }),
    ...(await accessToken(flags, io)),
  };
  const step = await newStep(type, flags, io);
  return { name, step: { ...source, ...step }, ...settingsOf(flags) };
}

async function newStep(type: StepType, flags: TaskDefinitionFlags, io: Io): Promise<TaskInput['step']> {
  switch (type) {
    case 'Docker':
      return {
        type,
        ...(await dockerFields(flags, io)),
        imageNames: flags.image,
        isPushEnabled: flags.push ?? true,
        noCache: flags.cache === false,
      };
    case 'FileTask':
      return {
        type,
        taskFilePath: flags.file ?? 'acb.yaml',
        ...(await valueFields(flags, io)),
        ...defined({ valuesFilePath: flags.values }),
      };
    case 'EncodedTask':
      return {
        type,
        encodedTaskContent: encode((await taskText(flags, io)).text),
        ...(await valueFields(flags, io)),
        ...(flags.values === undefined ? {} : { encodedValuesContent: encode(await readText(flags.values, '--values', io)) }),
      };
  }
}

/** What `task update` sends: only what was named. Rejects with FlagError. */
export async function taskPatchOf(current: TaskResource, flags: TaskDefinitionFlags, unset: readonly string[], io: Io): Promise<TaskPatch> {
  const step = await stepPatch(current, flags, io);
  let patch: TaskPatch = { ...settingsOf(flags, current), ...(Object.keys(step).length === 0 ? {} : { step }) };
  for (const field of unset) {
    const empty = UNSET[field];
    if (empty === undefined) throw badValue(`--unset ${field}: there is no such field`, `one of ${Object.keys(UNSET).join(', ')}`);
    const emptyStep = empty.step;
    patch = emptyStep === undefined ? { ...patch, ...empty } : { ...patch, step: { ...patch.step, ...emptyStep } };
  }
  if (Object.keys(patch).length === 0) {
    throw new FlagError([
      {
        code: 'flags-conflict',
        severity: 'error',
        message: 'nothing is to be changed',
        help: 'name what to change: `task update NAME --timeout 20m`, or `--unset FIELD`',
      },
    ]);
  }
  return patch;
}

async function stepPatch(current: TaskResource, flags: TaskDefinitionFlags, io: Io): Promise<NonNullable<TaskPatch['step']>> {
  const given = contextOf(flags);
  const context = given ?? (flags.context === undefined ? current.step.contextPath : undefined);
  const renamed = flags.file !== undefined || flags.cmd !== undefined;
  const type = renamed ? stepTypeOf(flags, context) : current.step.type;
  refuseForeignFlags(type, flags);
  const branch = flags.branch === undefined || flags.context !== undefined ? given : withBranch(current.step.contextPath, flags.branch);
  return {
    ...(type === current.step.type ? {} : { type }),
    ...(branch === undefined ? {} : { contextPath: branch }),
    ...(flags.context !== undefined && given === undefined ? { contextPath: null } : {}),
    ...(await accessToken(flags, io)),
    ...(await changedFields(type, flags, io)),
  };
}

async function changedFields(type: StepType, flags: TaskDefinitionFlags, io: Io): Promise<NonNullable<TaskPatch['step']>> {
  if (type === 'Docker') {
    return {
      ...(await dockerFields(flags, io)),
      ...(flags.image.length === 0 ? {} : { imageNames: flags.image }),
      ...defined({ isPushEnabled: flags.push, noCache: flags.cache === undefined ? undefined : !flags.cache }),
    };
  }
  const values = await valueFields(flags, io);
  if (type === 'FileTask') return { ...values, ...defined({ taskFilePath: flags.file, valuesFilePath: flags.values }) };
  return {
    ...values,
    ...(flags.file === undefined && flags.cmd === undefined ? {} : { encodedTaskContent: encode((await taskText(flags, io)).text) }),
    ...(flags.values === undefined ? {} : { encodedValuesContent: encode(await readText(flags.values, '--values', io)) }),
  };
}

async function dockerFields(flags: TaskDefinitionFlags, io: Io) {
  const list = await buildArguments(flags, io);
  return { ...defined({ dockerFilePath: flags.file, target: flags.target }), ...(list.length === 0 ? {} : { arguments: list }) };
}

async function valueFields(flags: TaskDefinitionFlags, io: Io) {
  const list = await templateValues(flags, io);
  return list.length === 0 ? {} : { values: list };
}

function settingsOf(flags: TaskDefinitionFlags, current?: TaskResource): Settings {
  const { concurrencyGroup, concurrencyLimit, onConflict } = flags;
  const group = concurrencyGroup ?? current?.concurrency?.group;
  const grouped = concurrencyGroup !== undefined || concurrencyLimit !== undefined || onConflict !== undefined;
  if (grouped && group === undefined) throw conflict('`--concurrency-limit` and `--on-conflict` need a `--concurrency-group`');
  const policy = defined({ privileged: flags.allowPrivileged, hostMounts: flags.allowHostMounts, dockerSocket: flags.allowDockerSocket });
  return {
    ...defined({
      status: flags.status,
      platform: flags.platform === undefined ? undefined : platformOf(flags.platform),
      agentConfiguration: flags.cpu === undefined ? undefined : { cpu: flags.cpu },
      timeout: flags.timeout === undefined ? undefined : Math.ceil(flags.timeout / 1000),
      registry: flags.registry,
      agentPoolName: flags.agentPool,
      priority: flags.priority,
      maxParallelRuns: flags.maxParallel,
      tags: flags.tag.length === 0 ? undefined : Object.fromEntries(flags.tag.map(({ name, value }) => [name, value])),
    }),
    ...(grouped && group !== undefined
      ? {
          concurrency: {
            group,
            limit: concurrencyLimit ?? current?.concurrency?.limit ?? 1,
            onConflict: onConflict ?? current?.concurrency?.onConflict ?? 'queue',
          },
        }
      : {}),
    ...(Object.keys(policy).length === 0 ? {} : { policy }),
  };
}

/** The context as the daemon gets it; undefined for none (`/dev/null` or not given). */
function contextOf({ context, branch }: TaskDefinitionFlags): string | undefined {
  if (context === undefined) return undefined;
  const { kind } = classifyContext(context);
  if (kind === 'none') return undefined;
  if (kind === 'local' || kind === 'stdin') {
    throw new FlagError([
      {
        code: 'context-unsupported',
        severity: 'error',
        message: `--context ${context}: a daemon fetches the context of a task at each run, and cannot fetch that`,
        expected: 'a git or archive URL, oci://…, or /dev/null',
        help: '`task run NAME --context DIR` sends a folder for one run',
      },
    ]);
  }
  return branch === undefined ? context : withBranch(context, branch);
}

function withBranch(context: string | undefined, branch: string): string {
  if (context === undefined || classifyContext(context).kind !== 'git') throw conflict('`--branch` needs a git URL as `--context`');
  const [url = '', fragment = ''] = context.split('#');
  const folder = fragment.includes(':') ? fragment.slice(fragment.indexOf(':')) : '';
  return `${url}#${branch}${folder}`;
}

function stepTypeOf(flags: TaskDefinitionFlags, context: string | undefined): StepType {
  if (flags.cmd !== undefined && flags.file !== undefined) throw conflict('`--cmd` and `--file` exclude each other');
  if (flags.cmd !== undefined || flags.file === '-') return 'EncodedTask';
  if (context !== undefined) return flags.file !== undefined && TASK_FILE.test(flags.file) ? 'FileTask' : 'Docker';
  if (flags.file !== undefined) return 'EncodedTask';
  throw conflict(
    'the task has neither a context nor a task file',
    '`--context URL` names the sources; `--file FILE` without a context, or `--cmd "IMAGE ARGUMENTS"`, stores the task file with the task',
  );
}

/** Flags that mean something for another kind of step only: ignoring them would hide a mistake. */
function refuseForeignFlags(type: StepType, flags: TaskDefinitionFlags): void {
  const docker: readonly (readonly [string, boolean])[] = [
    ['--image', flags.image.length > 0],
    ['--arg', flags.arg.length > 0],
    ['--secret-arg', flags.secretArg.length > 0],
    ['--target', flags.target !== undefined],
    ['--no-push', flags.push === false],
    ['--no-cache', flags.cache === false],
  ];
  const file: readonly (readonly [string, boolean])[] = [
    ['--set', flags.set.length > 0],
    ['--set-secret', flags.setSecret.length > 0],
    ['--values', flags.values !== undefined],
  ];
  const wrong = (type === 'Docker' ? file : docker).filter(([, given]) => given).map(([flag]) => flag);
  if (wrong.length === 0) return;
  const what = type === 'Docker' ? 'the task builds a Dockerfile' : 'the task has a task file';
  throw conflict(
    `${wrong.join(', ')} cannot be: ${what}`,
    type === 'Docker'
      ? '`--arg` and `--secret-arg` set arguments of a build; `--file NAME.yaml` names a task file'
      : '`--set` and `--set-secret` set values of a task file',
  );
}

async function accessToken(flags: TaskDefinitionFlags, io: Io): Promise<{ readonly contextAccessToken?: SecretInput }> {
  if (flags.gitAccessToken === undefined) return {};
  const read = await readSecretInput('--git-access-token', { name: 'value', value: flags.gitAccessToken }, io, { literal: false });
  if (!read.ok) throw new FlagError([read.error]);
  return { contextAccessToken: read.value };
}

async function taskText(flags: TaskDefinitionFlags, io: Io): Promise<SourceText> {
  if (flags.cmd !== undefined) return cmdTask(flags.cmd);
  const file = flags.file ?? '';
  const read = file === '-' ? await readStdin(io.stdin) : await readSource({ path: resolve(io.directory, file), name: file });
  if (read.ok) return read.value;
  throw new FlagError([{ ...read.error, message: `--file: ${read.error.message}` }]);
}

export async function readText(file: string, flag: string, io: Io): Promise<string> {
  const read = await readSource({ path: resolve(io.directory, file), name: file });
  if (read.ok) return read.value.text;
  throw new FlagError([{ ...read.error, message: `${flag}: ${read.error.message}` }]);
}

export function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

type Defined<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** Absent and undefined are different things to the API. */
export function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<Fields>;
}
