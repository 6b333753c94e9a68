import type { z } from 'zod';
import type { ArgumentInput, TaskPatch, TaskResource, taskBody } from '../../api/task-schema.ts';
import type { Io } from '../io.ts';
import { buildArguments, templateValues } from './arguments.ts';
import { defined } from './defined.ts';
import { missingFlag } from './flag-error.ts';
import { platformOf } from './platform.ts';
import type { TaskDefinitionFlags } from './task-flags.ts';
import {
  accessToken,
  contextOf,
  encode,
  readText,
  refuseForeignFlags,
  type StepType,
  stepTypeOf,
  taskText,
  withBranch,
} from './task-step.ts';
import { branchOfContext, GIT_URL_HELP, triggersOfFlags } from './trigger-body.ts';
import { afterPathOf, branchesOfNamed, triggersPatchOf } from './trigger-patch.ts';
import { sourceFieldOf } from './unset-fields.ts';

type TaskInput = z.input<typeof taskBody>;
/** What a task has beside its step; nothing here is unset. */
type Settings = { [Field in Exclude<keyof TaskPatch, 'step' | 'credentials' | 'trigger' | 'unset'>]?: NonNullable<TaskPatch[Field]> };

/** The task that `task create` sends. Rejects with FlagError. */
export async function taskBodyOf(name: string, flags: TaskDefinitionFlags, io: Io): Promise<TaskInput> {
  const context = contextOf(flags);
  const type = stepTypeOf(flags, context);
  refuseForeignFlags(type, flags);
  if (context === undefined && flags.branch.length > 0) throw missingFlag('`--branch` needs a git URL as `--context`', GIT_URL_HELP);
  const source = {
    ...(context === undefined ? {} : { contextPath: context }),
    ...(await accessToken(flags, io)),
  };
  const step = await newStep(type, flags, io);
  const trigger = await triggersOfFlags(context, flags, io);
  return { name, step: { ...source, ...step }, ...settingsOf(flags), ...(trigger === undefined ? {} : { trigger }) };
}

async function newStep(type: StepType, flags: TaskDefinitionFlags, io: Io): Promise<TaskInput['step']> {
  switch (type) {
    case 'Docker':
      return {
        type,
        ...namedFiles(flags),
        arguments: await buildArguments(flags, io),
        imageNames: flags.image,
        isPushEnabled: flags.push ?? true,
        noCache: flags.cache === false,
      };
    case 'FileTask':
      return {
        type,
        taskFilePath: flags.file ?? 'acb.yaml',
        values: await templateValues(flags, io),
        ...defined({ valuesFilePath: flags.values }),
      };
    case 'EncodedTask':
      return {
        type,
        encodedTaskContent: encode((await taskText(flags, io)).text),
        values: await templateValues(flags, io),
        ...(flags.values === undefined ? {} : { encodedValuesContent: encode(await readText(flags.values, '--values', io)) }),
      };
  }
}

/** What `task update` sends: only what was named. `unset` are paths of a task. Rejects with FlagError. */
export async function taskPatchOf(current: TaskResource, flags: TaskDefinitionFlags, unset: readonly string[], io: Io): Promise<TaskPatch> {
  const step = await stepPatch(current, branchesOfNamed(flags) === undefined ? flags : { ...flags, branch: [] }, io);
  const trigger = await triggersPatchOf(current, flags, unset, io);
  const paths = unset.filter((path) => sourceFieldOf(path) === undefined).map((path) => afterPathOf(path, current));
  const patch: TaskPatch = {
    ...settingsOf(flags, current),
    ...(Object.keys(step).length === 0 ? {} : { step }),
    ...(trigger === undefined ? {} : { trigger }),
    ...(paths.length === 0 ? {} : { unset: paths }),
  };
  if (Object.keys(patch).length === 0) {
    throw missingFlag('nothing is to be changed', 'name what to change: `task update NAME --timeout 20m`, or `--unset FIELD`');
  }
  return patch;
}

async function stepPatch(current: TaskResource, flags: TaskDefinitionFlags, io: Io): Promise<NonNullable<TaskPatch['step']>> {
  const given = contextOf(flags);
  const context = given ?? (flags.context === undefined ? current.step.contextPath : undefined);
  const renamed = flags.file !== undefined || flags.cmd !== undefined;
  const type = renamed ? stepTypeOf(flags, context) : current.step.type;
  refuseForeignFlags(type, flags);
  const named = branchOfContext(flags);
  const branch = named === undefined || flags.context !== undefined ? given : withBranch(current.step.contextPath, named);
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
      ...namedFiles(flags),
      ...byName('arguments', await buildArguments(flags, io)),
      ...(flags.image.length === 0 ? {} : { imageNames: flags.image }),
      ...defined({ isPushEnabled: flags.push, noCache: flags.cache === undefined ? undefined : !flags.cache }),
    };
  }
  const values = byName('values', await templateValues(flags, io));
  if (type === 'FileTask') return { ...values, ...defined({ taskFilePath: flags.file, valuesFilePath: flags.values }) };
  return {
    ...values,
    ...(flags.file === undefined && flags.cmd === undefined ? {} : { encodedTaskContent: encode((await taskText(flags, io)).text) }),
    ...(flags.values === undefined ? {} : { encodedValuesContent: encode(await readText(flags.values, '--values', io)) }),
  };
}

function namedFiles({ file, target }: TaskDefinitionFlags) {
  return defined({ dockerFilePath: file, target });
}

/** Entries of a list that change or are added; the others stay. */
function byName<Name extends string>(field: Name, list: readonly ArgumentInput[]) {
  return (list.length === 0 ? {} : { [field]: { set: list } }) as { [Field in Name]?: { readonly set: readonly ArgumentInput[] } };
}

function settingsOf(flags: TaskDefinitionFlags, current?: TaskResource): Settings {
  const { concurrencyGroup, concurrencyLimit, onConflict } = flags;
  const group = concurrencyGroup ?? current?.concurrency?.group;
  const grouped = concurrencyGroup !== undefined || concurrencyLimit !== undefined || onConflict !== undefined;
  if (grouped && group === undefined) throw missingFlag('`--concurrency-limit` and `--on-conflict` need a `--concurrency-group`');
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
      tags: flags.label.length === 0 ? undefined : Object.fromEntries(flags.label.map(({ name, value }) => [name, value])),
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
