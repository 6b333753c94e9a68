import { z } from 'zod';
import { manyOf, platform, seconds, taskName, text } from './common.ts';
import {
  agentConfiguration,
  agentPoolName,
  args,
  concurrency,
  contextPath,
  credentialInput,
  encoded,
  filePath,
  imageNames,
  priority,
} from './task-schema.ts';

const envEntry = z
  .string()
  .max(65_536)
  .regex(/^[^=]+=/, '`NAME=value`');

/** Of every request for a run. */
const common = {
  priority: priority.exactOptional(),
  queueTimeout: seconds.exactOptional().describe('Seconds in the queue before the run ends as Timeout.'),
  concurrency: concurrency.exactOptional(),
  env: manyOf(envEntry).default([]).describe('`NAME=value` for every step that does not set it.'),
  noPush: z.boolean().default(false),
  keepGoing: z.boolean().default(false).describe('A failed step ends only what needs it.'),
  extended: z.boolean().exactOptional().describe('Exit conditions have their evident meaning.'),
  isArchiveEnabled: z.boolean().default(false).describe('Keep the run beyond the retention.'),
  agentPoolName: agentPoolName.exactOptional(),
};

/** Of quick runs, which have no task to take it from. */
const quick = {
  ...common,
  sourceLocation: contextPath.exactOptional(),
  contextAccessToken: z
    .strictObject({ plain: z.string().max(65_536) })
    .or(z.strictObject({ secret: z.string().max(127) }))
    .readonly()
    .exactOptional(),
  platform: platform.exactOptional(),
  agentConfiguration: agentConfiguration.exactOptional(),
  timeout: seconds.exactOptional(),
  registry: z.string().min(1).max(255).exactOptional(),
  credentials: manyOf(credentialInput, 100).default([]),
};

const dockerBuildRequest = z
  .strictObject({
    type: z.literal('DockerBuildRequest'),
    ...quick,
    dockerFilePath: filePath.default('Dockerfile'),
    imageNames: imageNames.default([]),
    isPushEnabled: z.boolean().default(true),
    noCache: z.boolean().default(false),
    target: text.exactOptional(),
    arguments: args.default([]),
  })
  .readonly()
  .meta({ id: 'DockerBuildRequest', description: 'A quick build of one Dockerfile.' });

const fileTaskRunRequest = z
  .strictObject({
    type: z.literal('FileTaskRunRequest'),
    ...quick,
    taskFilePath: filePath.default('acb.yaml'),
    valuesFilePath: filePath.exactOptional(),
    values: args.default([]),
  })
  .readonly()
  .meta({ id: 'FileTaskRunRequest', description: 'A quick run of a task file of the context.' });

const encodedTaskRunRequest = z
  .strictObject({
    type: z.literal('EncodedTaskRunRequest'),
    ...quick,
    encodedTaskContent: encoded,
    encodedValuesContent: encoded.exactOptional(),
    values: args.default([]),
  })
  .readonly()
  .meta({ id: 'EncodedTaskRunRequest', description: 'A quick run of a task file that comes with the request.' });

const taskRunRequest = z
  .strictObject({
    type: z.literal('TaskRunRequest'),
    ...common,
    task: taskName,
    timeout: seconds.exactOptional(),
    platform: platform.exactOptional(),
    overrideTaskStepProperties: z
      .strictObject({
        contextPath: contextPath.exactOptional(),
        file: filePath.exactOptional().describe('Dockerfile or task file.'),
        arguments: args.exactOptional().describe('Replaces arguments of the same name, adds others.'),
        values: args.exactOptional().describe('Replaces values of the same name, adds others.'),
        target: text.exactOptional(),
        updateTriggerToken: text.exactOptional(),
      })
      .readonly()
      .exactOptional(),
  })
  .readonly()
  .meta({ id: 'TaskRunRequest', description: 'A run of a task of the daemon, with what differs from it.' });

export const createRunBody = z
  .discriminatedUnion('type', [dockerBuildRequest, fileTaskRunRequest, encodedTaskRunRequest, taskRunRequest])
  .meta({ id: 'CreateRunBody', description: 'What to run; `type` as in ACR.' });
export type CreateRunBody = z.output<typeof createRunBody>;
/** As a client sends it: what has a default may be left out. */
export type CreateRunInput = z.input<typeof createRunBody>;

export const runPatch = z
  .strictObject({ isArchiveEnabled: z.boolean() })
  .readonly()
  .meta({ id: 'RunPatch', description: '`isArchiveEnabled`: keep the run beyond the retention.' });

export const cancelBody = z
  .strictObject({ reason: z.string().max(1000).default('') })
  .readonly()
  .meta({ id: 'CancelBody' });

export const pauseBody = z
  .strictObject({ reason: z.string().max(1000).default('') })
  .readonly()
  .meta({ id: 'PauseBody' });

/** A rerun uses the request as it was stored. */
export const rerunBody = z.strictObject({ priority: priority.exactOptional() }).readonly().meta({ id: 'RerunBody' });
