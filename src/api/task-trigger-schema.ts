import { z } from 'zod';
import { SOURCE_CONTROL_TYPES, SOURCE_EVENTS } from '../model/trigger-definition.ts';
import { listOf, manyOf, secretInput, secretShown, taskName, text } from './common.ts';
import { listPatch, optional, patchable } from './field-kinds.ts';

const MOST_OF_A_KIND = 50;
const MOST_GLOBS = 100;
const DAY = 86_400;

const name = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/, 'the name of a trigger has 1 to 63 letters, digits, `.`, `_`, `-`')
  .describe('Unique within the task.');
const status = z.enum(['Enabled', 'Disabled']);
const globs = manyOf(z.string().min(1).max(512), MOST_GLOBS);
const glob = z.string();

const sourceControlType = z.enum(SOURCE_CONTROL_TYPES).describe('By the host of the URL when it is left out; `Generic` is polled.');
const tokenType = z.enum(['PAT', 'OAuth']);

const source = {
  status,
  sourceTriggerEvents: manyOf(z.enum(SOURCE_EVENTS), SOURCE_EVENTS.length).describe('`tag` exactly when `tags` is not empty.'),
  branches: globs.describe('Globs; `!glob` takes away again. Empty: the branch of the repository or context.'),
  tags: globs.describe('Globs of tag names; empty: tags start nothing.'),
  skipCi: z.boolean().describe('Heed `[skip ci]` in the message of the head commit.'),
  latestOnly: z.boolean().describe('A push that arrives after a newer one of its branch starts nothing.'),
  forks: z.enum(['approve', 'run', 'ignore']).describe('Pull requests from forks: wait for `task approve`, run at once, or start nothing.'),
  pollInterval: z.int().min(0).max(604_800).describe('Seconds between looks, 60 or more; 0: webhooks only.'),
  commitStatus: z.boolean().describe('Tell runs to the forge as commit statuses.'),
};

const sourceInput = z
  .strictObject({
    ...optional(source),
    name: name.exactOptional(),
    paths: z
      .strictObject(optional({ include: globs, exclude: globs }))
      .readonly()
      .exactOptional(),
    sourceRepository: z
      .strictObject({
        ...optional({ sourceControlType, repositoryUrl: text, branch: z.string().max(255) }),
        sourceControlAuthProperties: z
          .strictObject({ tokenType: tokenType.exactOptional(), token: secretInput })
          .readonly()
          .exactOptional(),
      })
      .readonly()
      .exactOptional()
      .describe('The repository of the context when it is left out.'),
  })
  .readonly()
  .meta({ id: 'SourceTrigger', description: 'Commits, pull requests and tags of a git repository start the task.' });

const timer = {
  schedule: z.string().min(1).max(200).describe('Five fields of NCrontab in UTC, or `CRON_TZ=Zone` and the five fields.'),
  status,
  onMissed: z.enum(['latest', 'all', 'skip']).describe('After downtime.'),
  mostMissed: z.int().min(1).max(1000).describe('Of `onMissed: all`.'),
  overlap: z.enum(['allow', 'skip', 'queue', 'cancelPrevious']).describe('While a run of this timer has not ended.'),
  jitter: z.int().min(0).max(DAY).describe('Seconds within which each occurrence is put off.'),
};
const timerInput = z
  .strictObject({ ...optional(timer), schedule: timer.schedule, name: name.exactOptional() })
  .readonly()
  .meta({ id: 'TimerTrigger', description: 'The clock starts the task.' });

const track = {
  image: z.string().min(1).max(255).describe('As in the Dockerfile, without a tag.'),
  by: z.enum(['digest', 'semver', 'regex']),
  pattern: z.string().max(256).exactOptional().describe('A range, as `~1.2`; or an RE2 pattern of whole tags.'),
};
const trackInput = z.strictObject({ ...track, by: track.by.exactOptional() }).readonly();
const seconds = z
  .int()
  .min(60)
  .max(7 * DAY);
const baseImage = {
  status,
  baseImageTriggerType: z.enum(['Runtime', 'All']),
  updateTriggerPayloadType: z.enum(['Default', 'Token']),
  window: z.int().min(0).max(3600).describe('Seconds that a run waits for further updates.'),
  poll: z.strictObject({ least: seconds, most: seconds }).readonly().describe('Seconds between looks: a random number between the two.'),
  trackIndex: z.boolean().describe('Any change of a multi-platform index counts.'),
};
const baseImageFields = {
  ...baseImage,
  name,
  updateTriggerEndpoint: secretInput.describe('The update is posted there instead of run.'),
  tracks: manyOf(trackInput, MOST_GLOBS),
};
const baseImageInput = z
  .strictObject(optional(baseImageFields))
  .readonly()
  .meta({ id: 'BaseImageTrigger', description: 'Updates of the images that the task builds on start it.' });

const after = { status, task: taskName, on: z.enum(['succeeded', 'pushed']) };
const afterInput = z
  .strictObject({ ...optional(after), task: after.task, name: name.exactOptional() })
  .readonly()
  .meta({ id: 'AfterTrigger', description: 'Runs of another task start the task.' });

/** The triggers of a task in a request that defines it. */
export const triggersInput = z
  .strictObject(
    optional({
      sourceTriggers: manyOf(sourceInput, MOST_OF_A_KIND),
      timerTriggers: manyOf(timerInput, MOST_OF_A_KIND),
      baseImageTrigger: baseImageInput,
      afterTriggers: manyOf(afterInput, MOST_OF_A_KIND),
    }),
  )
  .readonly()
  .meta({
    id: 'Triggers',
    description:
      'What starts the task by itself. Left out: commits of its git context, and updates of its base images, as in ACR. `{}`: nothing.',
  });
export type TriggersInput = z.output<typeof triggersInput>;

/** The triggers of a task in a patch. */
export const triggersPatch = z
  .strictObject(
    patchable({
      sourceTriggers: listPatch(sourceInput, name),
      timerTriggers: listPatch(timerInput, name),
      afterTriggers: listPatch(afterInput, name),
      baseImageTrigger: z.strictObject(patchable({ ...baseImageFields, tracks: listPatch(trackInput, track.image) })).readonly(),
    }),
  )
  .readonly();

/** The triggers of a task in an answer. */
export const triggersShown = z
  .object({
    sourceTriggers: listOf(
      z
        .object({
          name: z.string(),
          status,
          sourceTriggerEvents: listOf(z.enum(SOURCE_EVENTS)),
          sourceRepository: z
            .object({
              sourceControlType: z.enum(SOURCE_CONTROL_TYPES),
              repositoryUrl: z.string(),
              branch: z.string().exactOptional(),
              sourceControlAuthProperties: z.object({ tokenType, token: secretShown }).readonly().exactOptional(),
            })
            .readonly(),
          branches: listOf(glob),
          tags: listOf(glob),
          paths: z.object({ include: listOf(glob), exclude: listOf(glob) }).readonly(),
          skipCi: z.boolean(),
          latestOnly: z.boolean(),
          forks: source.forks,
          pollInterval: z.number().exactOptional(),
          commitStatus: z.boolean(),
        })
        .readonly(),
    ),
    timerTriggers: listOf(z.object({ name: z.string(), ...timer }).readonly()),
    baseImageTrigger: z
      .object({
        name: z.string(),
        ...baseImage,
        window: z.number().exactOptional(),
        poll: z.object({ least: z.number(), most: z.number() }).readonly().exactOptional(),
        updateTriggerEndpoint: secretShown.exactOptional(),
        tracks: listOf(z.object(track).readonly()),
      })
      .readonly()
      .exactOptional(),
    afterTriggers: listOf(z.object({ name: z.string(), ...after }).readonly()),
  })
  .readonly()
  .meta({ id: 'TriggersShown', description: 'What starts the task by itself, without secret values.' });
export type TriggersShown = z.output<typeof triggersShown>;
