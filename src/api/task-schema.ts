import { z } from 'zod';
import { diagnostic, listOf, loginServer, manyOf, platform, seconds, secretInput, secretShown, taskName, text, time } from './common.ts';
import { listPatch, optional, patchable } from './field-kinds.ts';
import { triggersInput, triggersPatch, triggersShown } from './task-trigger-schema.ts';

const MOST_ENCODED = 1_048_576;

const argumentName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^=\s]+$/, 'a name without blanks and `=`');

/** A build argument or template value. A secret one without a value keeps what the task has under this name. */
const argumentInput = z
  .union([
    z.strictObject({ name: argumentName, value: z.string().max(65_536), isSecret: z.literal(false).exactOptional() }),
    z.strictObject({ name: argumentName, isSecret: z.literal(true), value: z.union([z.string().max(65_536), secretInput]) }),
  ])
  .readonly()
  .meta({ id: 'Argument', description: 'A build argument or a template value; secret ones may name a secret of the daemon.' });
export type ArgumentInput = z.output<typeof argumentInput>;

const argumentShown = z
  .union([
    z.object({ name: z.string(), isSecret: z.literal(false), value: z.string() }),
    z.object({ name: z.string(), isSecret: z.literal(true), value: secretShown }),
  ])
  .readonly()
  .meta({ id: 'ArgumentShown', description: 'An argument as stored, without a secret value.' });
export type ArgumentShown = z.output<typeof argumentShown>;

export const args = manyOf(argumentInput);
export const encoded = z.base64().max(MOST_ENCODED).describe('Base64');
export const imageNames = manyOf(z.string().min(1).max(1024), 100);
export const contextPath = text.describe(
  'git or archive URL (`https://host/repo.git#ref:dir`), `oci://host/name:tag`, or `upload:SHA256` of a context that was sent',
);
export const filePath = z.string().min(1).max(1024);

const stepFields = {
  type: z.enum(['Docker', 'FileTask', 'EncodedTask']).describe('Follows from the fields when it is left out.'),
  contextPath,
  contextAccessToken: secretInput,
  dockerFilePath: filePath,
  imageNames,
  isPushEnabled: z.boolean(),
  noCache: z.boolean(),
  target: text,
  arguments: args,
  taskFilePath: filePath,
  valuesFilePath: filePath,
  values: args,
  encodedTaskContent: encoded,
  encodedValuesContent: encoded,
};

const stepInput = z.strictObject(optional(stepFields)).readonly().meta({
  id: 'Step',
  description:
    'What a run does: one Dockerfile (`dockerFilePath`, `imageNames`, …), a task file of the context (`taskFilePath`, …), or a task file that the definition holds (`encodedTaskContent`, …).',
});

const sourceShown = { contextPath: z.string().exactOptional(), contextAccessToken: secretShown.exactOptional() };

/** A step as answers show it. */
export const stepShown = z
  .discriminatedUnion('type', [
    z.object({
      type: z.literal('Docker'),
      ...sourceShown,
      dockerFilePath: z.string(),
      imageNames: listOf(z.string()),
      isPushEnabled: z.boolean(),
      noCache: z.boolean(),
      target: z.string().exactOptional(),
      arguments: listOf(argumentShown),
    }),
    z.object({
      type: z.literal('FileTask'),
      ...sourceShown,
      taskFilePath: z.string(),
      valuesFilePath: z.string().exactOptional(),
      values: listOf(argumentShown),
    }),
    z.object({
      type: z.literal('EncodedTask'),
      ...sourceShown,
      encodedTaskContent: z.string(),
      encodedValuesContent: z.string().exactOptional(),
      values: listOf(argumentShown),
    }),
  ])
  .readonly()
  .meta({ id: 'StepShown', description: 'A step without its secret values.' });
export type StepShown = z.output<typeof stepShown>;

export const credentialInput = z
  .strictObject({ loginServer, userName: z.union([text, secretInput]), password: secretInput })
  .readonly()
  .meta({ id: 'Credential', description: 'Of one registry host, exactly.' });
export type CredentialInput = z.output<typeof credentialInput>;

export const credentialShown = z
  .object({ loginServer: z.string(), userName: z.union([z.string(), secretShown]), password: secretShown })
  .readonly()
  .meta({ id: 'CredentialShown', description: 'A credential without its secrets.' });
export type CredentialShown = z.output<typeof credentialShown>;

export const concurrency = z
  .strictObject({
    group: z.string().min(1).max(200).describe('`${task}`, `${branch}`, `${commit}` and `${pullRequest}` are replaced.'),
    limit: z.int().min(1).max(1000).default(1),
    onConflict: z.enum(['queue', 'cancel-pending', 'cancel-running', 'skip']).default('queue'),
  })
  .readonly()
  .meta({ id: 'Concurrency', description: 'Runs of one group exclude one another, over tasks.' });

export const agentConfiguration = z.strictObject({ cpu: z.int().min(1).max(256) }).readonly();
export const agentPoolName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'a pool name is like a task name');
export const priority = z.int().min(-100).max(100);
const tags = z.record(z.string().min(1).max(128), z.string().max(512)).readonly();
const policy = z.strictObject({ privileged: z.boolean(), hostMounts: z.boolean(), dockerSocket: z.boolean() }).readonly();
const policyInput = z.strictObject(optional(policy.unwrap().shape)).readonly();
const status = z.enum(['Enabled', 'Disabled']);

/** Fields that only the daemon sets. A request may hold them, so that an answer can be sent back; they are ignored. */
const ignored = {
  id: z.unknown().exactOptional(),
  version: z.unknown().exactOptional(),
  creationDate: z.unknown().exactOptional(),
  lastUpdatedTime: z.unknown().exactOptional(),
  managedBy: z.unknown().exactOptional(),
};

const settings = {
  status,
  platform: z.strictObject(optional(platform.unwrap().shape)).readonly(),
  agentConfiguration,
  timeout: seconds,
  registry: z.string().min(1).max(255),
  credentials: manyOf(credentialInput, 100),
  agentPoolName,
  priority,
  maxParallelRuns: z.int().min(1).max(10_000),
  concurrency,
  policy: policyInput,
  trigger: triggersInput,
  tags,
};

/** A whole task: POST, PUT and apply. What is left out has its default. */
export const taskBody = z
  .strictObject({ ...ignored, name: taskName, step: stepInput, ...optional(settings) })
  .readonly()
  .meta({ id: 'TaskBody', description: 'A task in full; what is left out has its default.' });
export type TaskBody = z.output<typeof taskBody>;

/** Changes to a task: only what is named changes; `null` unsets. */
export const taskPatch = z
  .strictObject({
    ...patchable({ ...settings, credentials: listPatch(credentialInput, loginServer), trigger: triggersPatch }),
    step: z
      .strictObject(
        patchable({ ...stepFields, arguments: listPatch(argumentInput, argumentName), values: listPatch(argumentInput, argumentName) }),
      )
      .readonly()
      .exactOptional(),
    unset: manyOf(text)
      .exactOptional()
      .describe('Paths to take away: `step.target`, `tags.team`, `step.arguments.NAME`, `credentials.HOST`, `trigger.timerTriggers.NAME`.'),
  })
  .readonly()
  .meta({
    id: 'TaskPatch',
    description:
      'Only what is named changes; `null` unsets; objects merge. `step.arguments`, `step.values`, `credentials` and the lists of `trigger` are replaced by a list, or changed by name with `{ set, unset }`.',
  });
export type TaskPatch = z.output<typeof taskPatch>;

export const taskResource = z
  .object({
    name: z.string(),
    id: z.string(),
    version: z.number().describe('The etag without its quotes: counts up at each change.'),
    creationDate: time,
    lastUpdatedTime: time,
    managedBy: z.string().exactOptional().describe('The file that owns the task.'),
    status,
    platform,
    agentConfiguration: z.object({ cpu: z.number() }).readonly(),
    timeout: z.number(),
    step: stepShown,
    registry: z.string().exactOptional(),
    credentials: listOf(credentialShown),
    agentPoolName: z.string(),
    priority: z.number(),
    maxParallelRuns: z.number().exactOptional(),
    concurrency: concurrency.exactOptional(),
    policy,
    trigger: triggersShown,
    tags: tags.exactOptional(),
    warnings: listOf(diagnostic).exactOptional().describe('Of the change that is answered.'),
  })
  .readonly()
  .meta({ id: 'Task', description: 'A task as it is defined on the daemon. Fields that ACR has too have ACR’s names.' });
export type TaskResource = z.output<typeof taskResource>;

/** POST /apply: each task is created, updated or left alone; with a mistake in one, none is touched. */
export const applyBody = z
  .strictObject({
    tasks: manyOf(taskBody, 500),
    dryRun: z.boolean().default(false),
    /** Take over tasks that another file manages. */
    force: z.boolean().default(false),
    managedBy: z.string().max(1024).exactOptional().describe('What owns the tasks from now on, for people: a file or a repository.'),
    prune: z.boolean().default(false).describe('Delete tasks that `managedBy` owned and that are no longer among these.'),
  })
  .readonly()
  .meta({ id: 'ApplyBody' });

export const applyResult = z
  .object({
    dryRun: z.boolean(),
    tasks: listOf(
      z.object({
        name: z.string(),
        action: z.enum(['created', 'updated', 'unchanged', 'deleted']),
        /** Paths of the fields that change. */
        changes: listOf(z.string()),
        warnings: listOf(diagnostic),
      }),
    ),
  })
  .readonly()
  .meta({ id: 'ApplyResult' });
export type ApplyResult = z.output<typeof applyResult>;

/** PUT /tasks/{name}/credentials/{server}. */
export const credentialBody = z
  .strictObject({ userName: z.union([text, secretInput]), password: secretInput })
  .readonly()
  .meta({ id: 'CredentialBody' });
