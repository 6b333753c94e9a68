import { SOURCE_CONTROL_TYPES, SOURCE_EVENTS } from '../../model/trigger-definition.ts';
import type { Fields, Shape } from './definition-shape.ts';

const TEXT: Shape = { kind: 'text' };
const BOOLEAN: Shape = { kind: 'boolean' };
const GLOBS: Shape = { kind: 'list', items: TEXT };
const SECONDS: Shape = { kind: 'integer', least: 0 };
const STATUS = { shape: { kind: 'text', words: ['Enabled', 'Disabled'] }, about: 'A disabled trigger starts nothing.' } as const;
const NAME = 'Unique within the task: letters, digits, `.`, `_` and `-`.';

const REPOSITORY: Fields = {
  sourceControlType: {
    shape: { kind: 'text', words: SOURCE_CONTROL_TYPES },
    about: 'What the host runs; by its name when left out. `Github` is GitHub Enterprise Server too.',
  },
  repositoryUrl: { shape: TEXT, about: 'URL without `#branch`; that of the context by default.' },
  branch: { shape: TEXT, about: 'One branch, as ACR has it; `branches` of the trigger takes patterns.' },
  sourceControlAuthProperties: {
    shape: {
      kind: 'object',
      fields: {
        tokenType: { shape: { kind: 'text', words: ['PAT', 'OAuth'] }, about: '`PAT` by default.' },
        token: { shape: { kind: 'secret' }, about: 'Reads the repository, sets up the webhook and tells statuses.', required: true },
      },
    },
    about: 'Token for the forge; `step.contextAccessToken` by default.',
  },
};

const SOURCE: Fields = {
  name: { shape: TEXT, about: `${NAME} \`defaultSourceTriggerName\` by default.` },
  status: STATUS,
  sourceTriggerEvents: {
    shape: { kind: 'list', items: { kind: 'text', words: SOURCE_EVENTS } },
    about: '`commit` by default, and `tag` where there are `tags`.',
  },
  sourceRepository: {
    shape: { kind: 'object', fields: REPOSITORY },
    about: 'The repository that is followed; that of the context by default.',
  },
  branches: {
    shape: GLOBS,
    about:
      'Globs of branches; `!glob` takes away again. Of a pull request: the branch it wants to go into. By default the branch of the context.',
  },
  tags: { shape: GLOBS, about: 'Globs of tag names; by default tags start nothing.' },
  paths: {
    shape: {
      kind: 'object',
      fields: {
        include: { shape: GLOBS, about: 'A change runs when a file of it matches one of these; any by default.' },
        exclude: { shape: GLOBS, about: 'Files that do not count.' },
      },
    },
    about: 'Globs of paths in the repository.',
  },
  skipCi: { shape: BOOLEAN, about: 'Heeds `[skip ci]` in the message of the head commit; false by default.' },
  latestOnly: { shape: BOOLEAN, about: 'A push that arrives after a newer one of its branch starts nothing; false by default.' },
  forks: {
    shape: { kind: 'text', words: ['approve', 'run', 'ignore'] },
    about: 'Pull requests from forks: `approve` (default) waits for `task approve`.',
  },
  pollInterval: { shape: SECONDS, about: 'Seconds between looks at the repository, 60 or more; 0: webhooks only.' },
  commitStatus: { shape: BOOLEAN, about: 'Whether runs are told to the forge; true by default.' },
};

const TIMER: Fields = {
  name: { shape: TEXT, about: `${NAME} \`t1\`, \`t2\`, … by default.` },
  schedule: { shape: TEXT, about: 'minute hour day month day-of-week, in UTC; or `CRON_TZ=Zone` before them.', required: true },
  status: STATUS,
  onMissed: {
    shape: { kind: 'text', words: ['latest', 'all', 'skip'] },
    about:
      'Of occurrences that were due while no daemon was there: one run for the newest (default), one for each of the `mostMissed` newest, or none.',
  },
  mostMissed: { shape: { kind: 'integer', least: 1, most: 1000 }, about: '10 by default.' },
  overlap: {
    shape: { kind: 'text', words: ['allow', 'skip', 'queue', 'cancelPrevious'] },
    about: 'While a run of the timer has not ended: another beside it (default), none, one after it, or one in its place.',
  },
  jitter: { shape: { kind: 'integer', least: 0, most: 86_400 }, about: 'Seconds within which each occurrence is put off; 0 by default.' },
};

const BASE_IMAGE: Fields = {
  name: { shape: TEXT, about: `${NAME} \`defaultBaseimageTriggerName\` by default.` },
  status: STATUS,
  baseImageTriggerType: {
    shape: { kind: 'text', words: ['Runtime', 'All'] },
    about: '`Runtime` (default): base images of the stage that is built. `All`: those of builder stages too.',
  },
  updateTriggerEndpoint: { shape: { kind: 'secret' }, about: 'Address to which the update is posted instead of run.' },
  updateTriggerPayloadType: { shape: { kind: 'text', words: ['Default', 'Token'] }, about: 'What is posted.' },
  window: { shape: { kind: 'integer', least: 0, most: 3600 }, about: 'Seconds that a run waits for further updates; 30 by default.' },
  poll: {
    shape: {
      kind: 'object',
      fields: {
        least: { shape: { kind: 'integer', least: 60 }, about: 'Seconds.', required: true },
        most: { shape: { kind: 'integer', least: 60 }, about: 'Seconds.', required: true },
      },
    },
    about: 'Time between looks at a registry: a random number between the two; 600 and 3600 by default.',
  },
  trackIndex: { shape: BOOLEAN, about: 'Any change of a multi-platform image counts, not only of its platform; false by default.' },
  tracks: {
    shape: {
      kind: 'list',
      items: {
        kind: 'object',
        fields: {
          image: { shape: TEXT, about: 'As in the Dockerfile, without a tag.', required: true },
          by: {
            shape: { kind: 'text', words: ['digest', 'semver', 'regex'] },
            about: '`digest` (default): the tag as it is written. Otherwise the newest tag that fits the pattern.',
          },
          pattern: { shape: TEXT, about: 'A range, as `~1.2`; or an RE2 pattern of whole tags.' },
        },
      },
    },
    about: 'What counts as an update of single images.',
  },
};

const AFTER: Fields = {
  name: { shape: TEXT, about: `${NAME} \`after-TASK\` by default.` },
  status: STATUS,
  task: { shape: TEXT, about: 'The task whose runs are followed.', required: true },
  on: {
    shape: { kind: 'text', words: ['succeeded', 'pushed'] },
    about: 'When a run of it succeeded (default), or pushed an image and succeeded.',
  },
};

/** The fields of `trigger`. */
export const TRIGGER_FIELDS: Fields = {
  sourceTriggers: { shape: listOf(SOURCE), about: 'Commits, pull requests and tags of git repositories.' },
  timerTriggers: { shape: listOf(TIMER), about: 'The clock.' },
  baseImageTrigger: { shape: { kind: 'object', fields: BASE_IMAGE }, about: 'Updates of the images that the task builds on.' },
  afterTriggers: { shape: listOf(AFTER), about: 'Runs of other tasks.' },
};

function listOf(fields: Fields): Shape {
  return { kind: 'list', items: { kind: 'object', fields } };
}
