import { RE2JS } from 're2js';
import semver from 'semver';
import type { BaseImageTriggerInput, TaskInput, TimerTriggerInput } from '../../model/task-input.ts';
import { parseSchedule } from '../../schedule/zoned-schedule.ts';
import { type NamedTriggers, namedTriggers } from './complete-triggers.ts';
import { atMost, matches, oneOf, TASK_NAME, within } from './field-checks.ts';
import type { FieldProblem } from './field-problem.ts';
import { checkSourceTrigger } from './source-trigger-checks.ts';
import type { ContextRules } from './step-checks.ts';
import { ENDPOINT_FIELD } from './trigger-places.ts';

const TRIGGER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/;
const STATUSES = ['Enabled', 'Disabled'];
const MOST_OF_A_KIND = 50;
const DAY = 86_400;
const IMAGE = /^[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,254}$/;

/** What of a task's triggers cannot be; empty when they can, also when they are left out. Whether other tasks and secrets that they name are there is looked at elsewhere. */
export function checkTriggers(input: Pick<TaskInput, 'name' | 'step' | 'trigger'>, rules: ContextRules): readonly FieldProblem[] {
  if (input.trigger === undefined) return [];
  const named = namedTriggers(input);
  return [
    ...atMost(named.sourceTriggers, MOST_OF_A_KIND, 'trigger.sourceTriggers'),
    ...atMost(named.timerTriggers, MOST_OF_A_KIND, 'trigger.timerTriggers'),
    ...atMost(named.afterTriggers, MOST_OF_A_KIND, 'trigger.afterTriggers'),
    ...checkNames(named),
    ...named.sourceTriggers.flatMap((source, index) =>
      checkSourceTrigger(source, input.step, { at: `trigger.sourceTriggers[${index}]`, rules }),
    ),
    ...checkTimers(named.timerTriggers),
    ...(named.baseImageTrigger === undefined ? [] : checkBaseImage(named.baseImageTrigger, 'trigger.baseImageTrigger')),
    ...named.afterTriggers.flatMap(({ status, task, on }, index) => {
      const at = `trigger.afterTriggers[${index}]`;
      const self = task === input.name ? [{ field: `${at}.task`, message: 'is the task itself, which would never end' }] : [];
      return [
        ...oneOf(status, STATUSES, `${at}.status`),
        ...matches(task, TASK_NAME, `${at}.task`, 'the name of another task'),
        ...self,
        ...oneOf(on, ['succeeded', 'pushed'], `${at}.on`),
      ];
    }),
  ];
}

/** Over all kinds: a name stands for one trigger in explanations and commands. */
function checkNames({ sourceTriggers, timerTriggers, baseImageTrigger, afterTriggers }: NamedTriggers): FieldProblem[] {
  const named: (readonly [string, string])[] = [
    ...sourceTriggers.map(({ name }, index) => [`trigger.sourceTriggers[${index}].name`, name] as const),
    ...timerTriggers.map(({ name }, index) => [`trigger.timerTriggers[${index}].name`, name] as const),
    ...(baseImageTrigger === undefined ? [] : [['trigger.baseImageTrigger.name', baseImageTrigger.name] as const]),
    ...afterTriggers.map(({ name }, index) => [`trigger.afterTriggers[${index}].name`, name] as const),
  ];
  const seen = new Map<string, string>();
  return named.flatMap(([field, name]) => {
    const before = seen.get(name);
    if (before === undefined) seen.set(name, field);
    const twice =
      before === undefined
        ? []
        : [
            {
              field,
              message: `is ${JSON.stringify(name.slice(0, 100))}, as \`${before}\` is`,
              help: 'Give each trigger of a task a name of its own.',
            },
          ];
    return [...matches(name, TRIGGER_NAME, field, '1 to 63 letters, digits, `.`, `_` and `-`, the first a letter or digit'), ...twice];
  });
}

function checkTimers(timers: readonly (TimerTriggerInput & { readonly name: string })[]): FieldProblem[] {
  const enabled = new Map<string, string>();
  return timers.flatMap((timer, index) => {
    const at = `trigger.timerTriggers[${index}]`;
    return [
      ...checkSchedule(timer, `${at}.schedule`, enabled),
      ...oneOf(timer.status, STATUSES, `${at}.status`),
      ...oneOf(timer.onMissed, ['latest', 'all', 'skip'], `${at}.onMissed`),
      ...within(timer.mostMissed, 1, 1000, `${at}.mostMissed`),
      ...oneOf(timer.overlap, ['allow', 'skip', 'queue', 'cancelPrevious'], `${at}.overlap`),
      ...within(timer.jitter, 0, DAY, `${at}.jitter`, ' seconds'),
    ];
  });
}

/** `enabled`: names of the timers before it that count, by their schedule. */
function checkSchedule(
  { name, schedule, status }: TimerTriggerInput & { readonly name: string },
  field: string,
  enabled: Map<string, string>,
): FieldProblem[] {
  const parsed = parseSchedule(schedule);
  if (!parsed.ok) {
    const { message, column, expected, help } = parsed.error;
    return [{ field, message: `is ${JSON.stringify(schedule.slice(0, 100))}: ${message} (column ${column})`, expected, help }];
  }
  if (status === 'Disabled') return [];
  // Names of months and days are known in any case.
  const text = schedule.trim().replaceAll(/ +/g, ' ').toLowerCase();
  const twin = enabled.get(text);
  if (twin === undefined) enabled.set(text, name);
  return twin === undefined
    ? []
    : [
        {
          field,
          message: `is ${JSON.stringify(schedule)}, the schedule of the timer ${JSON.stringify(twin)} as well`,
          help: 'Take one away, or disable it: the task would run twice each time.',
        },
      ];
}

function checkBaseImage(base: BaseImageTriggerInput, at: string): FieldProblem[] {
  const { poll, updateTriggerEndpoint: endpoint, tracks = [] } = base;
  return [
    ...oneOf(base.status, STATUSES, `${at}.status`),
    ...oneOf(base.baseImageTriggerType, ['Runtime', 'All'], `${at}.baseImageTriggerType`),
    ...oneOf(base.updateTriggerPayloadType, ['Default', 'Token'], `${at}.updateTriggerPayloadType`),
    ...(endpoint !== undefined && 'plain' in endpoint ? checkEndpoint(endpoint.plain) : []),
    ...within(base.window, 0, 3600, `${at}.window`, ' seconds'),
    ...within(poll?.least, 60, 7 * DAY, `${at}.poll.least`, ' seconds'),
    // One time for both, as flags give it, is one mistake.
    ...within(poll?.most === poll?.least ? undefined : poll?.most, 60, 7 * DAY, `${at}.poll.most`, ' seconds'),
    ...(poll !== undefined && poll.least > poll.most
      ? [{ field: `${at}.poll.most`, message: `is ${poll.most}`, expected: `at least ${poll.least}, the \`least\` of it` }]
      : []),
    ...atMost(tracks, 100, `${at}.tracks`),
    ...tracks.flatMap((track, index) => checkTrack(track, `${at}.tracks[${index}]`)),
    ...tracks.flatMap(({ image }, index) =>
      tracks.findIndex((track) => track.image === image) < index
        ? [{ field: `${at}.tracks[${index}].image`, message: `is ${JSON.stringify(image)}, which stands above already` }]
        : [],
    ),
  ];
}

/** The value may hold a token, so it is not repeated. */
function checkEndpoint(url: string): FieldProblem[] {
  const fits = url.length <= 2048 && !/[\p{C}\s]/u.test(url) && /^https?:\/\//i.test(url) && URL.canParse(url);
  return fits ? [] : [{ field: ENDPOINT_FIELD, message: 'is no address to post to', expected: 'an http:// or https:// URL' }];
}

type Track = NonNullable<BaseImageTriggerInput['tracks']>[number];

function checkTrack({ image, by = 'digest', pattern }: Track, at: string): FieldProblem[] {
  const tagged = image.slice(image.lastIndexOf('/') + 1).includes(':');
  return [
    ...(IMAGE.test(image) && !tagged
      ? []
      : [
          {
            field: `${at}.image`,
            message: `is ${JSON.stringify(image.slice(0, 100))}`,
            expected: 'a name as in the Dockerfile, without a tag',
          },
        ]),
    ...oneOf(by, ['digest', 'semver', 'regex'], `${at}.by`),
    ...checkPattern(by, pattern, `${at}.pattern`),
  ];
}

function checkPattern(by: string, pattern: string | undefined, field: string): FieldProblem[] {
  if (by === 'digest')
    return pattern === undefined ? [] : [{ field, message: 'has no meaning for `digest`, which follows the tag that is written' }];
  if (pattern === undefined || pattern === '')
    return [
      {
        field,
        message: 'is missing',
        expected: by === 'semver' ? 'a range, as `~1.2`' : 'an RE2 pattern of whole tags, as `^1\\.2\\.\\d+$`',
        code: 'task-field-missing',
      },
    ];
  const shown = `is ${JSON.stringify(pattern.slice(0, 100))}`;
  if (pattern.length > 256) return [{ field, message: 'is too long', expected: 'at most 256 characters' }];
  if (by === 'semver')
    return semver.validRange(pattern) === null
      ? [{ field, message: shown, expected: 'a range of versions, as `~1.2`, `^20` or `>=3 <5`' }]
      : [];
  try {
    RE2JS.compile(pattern);
    return [];
  } catch (error) {
    return [{ field, message: `${shown}: ${(error as Error).message}`, expected: 'an RE2 pattern of whole tags, as `^1\\.2\\.\\d+$`' }];
  }
}
