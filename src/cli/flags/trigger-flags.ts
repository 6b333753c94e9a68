import { type Command, InvalidArgumentError, Option } from 'commander';
import { collect, parseDuration } from './option-values.ts';
import { repeatable } from './task-flags.ts';

export const FORGES = {
  github: 'Github',
  gitlab: 'GitLab',
  gitea: 'Gitea',
  bitbucket: 'Bitbucket',
  azure: 'VisualStudioTeamService',
  generic: 'Generic',
} as const;

/** `[NAME:]CRON` of `--schedule`. */
export interface ScheduleFlag {
  readonly name?: string;
  readonly schedule: string;
}

/** `IMAGE=semver:RANGE`, `IMAGE=regex:PATTERN` or `IMAGE=digest` of `--track`. */
export interface TrackFlag {
  readonly image: string;
  readonly by: 'digest' | 'semver' | 'regex';
  readonly pattern?: string;
}

/** `TASK` or `TASK:pushed` of `--after`. */
export interface AfterFlag {
  readonly task: string;
  readonly on: 'succeeded' | 'pushed';
}

export interface MissedFlag {
  readonly onMissed: 'latest' | 'all' | 'skip';
  readonly mostMissed?: number;
}

/** How runs of timers are started: what `--schedule` and `task timer` have in common. */
export interface TimerFlags {
  readonly onMissed?: MissedFlag;
  readonly overlap?: 'allow' | 'skip' | 'queue' | 'cancelPrevious';
  /** Milliseconds. */
  readonly jitter?: number;
}

/** The flags of `task create` and `task update` that say what starts the task by itself. */
export interface TriggerFlags extends TimerFlags {
  readonly commitTriggerEnabled?: boolean;
  readonly pullRequestTriggerEnabled?: boolean;
  readonly sourceTriggerName?: string;
  readonly tag: readonly string[];
  readonly includePath: readonly string[];
  readonly excludePath: readonly string[];
  readonly skipCi?: boolean;
  readonly latestOnly?: boolean;
  readonly forks?: 'approve' | 'run' | 'ignore';
  /** Milliseconds; 0: never. */
  readonly pollInterval?: number;
  readonly forge?: keyof typeof FORGES;
  readonly commitStatus?: boolean;
  readonly baseImageTriggerEnabled?: boolean;
  readonly baseImageTriggerType?: 'Runtime' | 'All';
  readonly baseImageTriggerName?: string;
  readonly updateTriggerEndpoint?: string;
  readonly updateTriggerPayloadType?: 'Default' | 'Token';
  readonly track: readonly TrackFlag[];
  readonly trackIndex?: boolean;
  /** Milliseconds. */
  readonly baseImageWindow?: number;
  /** Milliseconds. */
  readonly baseImagePoll?: { readonly least: number; readonly most: number };
  readonly schedule: readonly ScheduleFlag[];
  readonly after: readonly AfterFlag[];
}

/** Adds the flags of TriggerFlags. What `create` takes for granted stands in its help. */
export function addTriggerFlags(command: Command, kind: 'create' | 'update'): Command {
  const otherwise = (text: string): string => (kind === 'create' ? ` (default: ${text})` : '');
  command
    .optionsGroup('Started by git:')
    .option('--commit-trigger-enabled [bool]', `commits start it${otherwise('true with a git context')}`, parseBoolean)
    .option('--pull-request-trigger-enabled [bool]', `pull requests start it${otherwise('false')}`, parseBoolean)
    .option(
      '--source-trigger-name <name>',
      kind === 'create'
        ? 'name of the trigger (default: defaultSourceTriggerName)'
        : 'the trigger that these flags, and `--branch`, are of; a new one where there is none of that name (default: the only one, or defaultSourceTriggerName)',
    )
    .addOption(repeatable('--tag <glob>', 'tags of these names start it', collect))
    .addOption(repeatable('--include-path <glob>', 'only changes of these files start it', collect))
    .addOption(repeatable('--exclude-path <glob>', 'changes of nothing but these files do not', collect))
    .option('--skip-ci [bool]', `heed [skip ci] in the message of the head commit${otherwise('false')}`, parseBoolean)
    .option('--latest-only [bool]', `a push that arrives after a newer one of its branch starts nothing${otherwise('false')}`, parseBoolean)
    .addOption(
      new Option(
        '--forks <what>',
        `pull requests from forks: wait for \`task approve\`, run, or start nothing${otherwise('approve')}`,
      ).choices(['approve', 'run', 'ignore']),
    )
    .option(
      '--poll-interval <duration>',
      `time between looks at the repository, 60s or more; never: webhooks only${otherwise('that of the daemon')}`,
      parsePollInterval,
    )
    .addOption(
      new Option('--forge <kind>', `what hosts the repository${otherwise('by its host, else generic')}`).choices(Object.keys(FORGES)),
    );
  command
    // The positive one first: a negative one alone would count as given when it is not.
    .option('--commit-status', `tell runs to the forge as commit statuses${otherwise('they are')}`)
    .option('--no-commit-status', 'do not tell them')
    .optionsGroup('Started by base images:')
    .option('--base-image-trigger-enabled [bool]', `updates of base images start it${otherwise('true')}`, parseBoolean)
    .addOption(
      new Option('--base-image-trigger-type <type>', `All: base images of builder stages too${otherwise('Runtime')}`).choices([
        'Runtime',
        'All',
      ]),
    )
    .option('--base-image-trigger-name <name>', `name of the trigger${otherwise('defaultBaseimageTriggerName')}`)
    .option(
      '--update-trigger-endpoint <url>',
      'post updates there instead of running; secret:NAME, env:NAME and file:PATH keep it off the command line',
    )
    .addOption(
      new Option('--update-trigger-payload-type <type>', `what is posted to the endpoint, which it needs${otherwise('Default')}`).choices([
        'Default',
        'Token',
      ]),
    )
    .addOption(
      repeatable(
        '--track <image=how>',
        'what counts as an update of one image: semver:~1.2, regex:^1\\.2\\.(\\d+)$ (of whole tags), or digest',
        collectTrack,
      ),
    )
    .option(
      '--track-index [bool]',
      `any change of a multi-platform image counts${otherwise('false: only that of its platform')}`,
      parseBoolean,
    )
    .option('--base-image-window <duration>', `how long a run waits for further updates${otherwise('30s')}`, parseNoneOrDuration)
    .option(
      '--base-image-poll <range>',
      `time between looks at a registry: 60s or more, as 5m or 10m-60m${otherwise('10m-60m')}`,
      parseRange,
    )
    .optionsGroup('Started by the clock and by other tasks:')
    .addOption(
      repeatable(
        '--schedule <[name:]cron>',
        'minute hour day month day-of-week in UTC, or after `CRON_TZ=Zone `; the first is named t1',
        collectSchedule,
      ),
    );
  return addTimerFlags(command, kind).addOption(
    repeatable('--after <task[:pushed]>', 'runs of this task that succeed (or push an image) start it', collectAfter),
  );
}

/** Adds the flags of TimerFlags. */
export function addTimerFlags(command: Command, kind: 'create' | 'update'): Command {
  const otherwise = (text: string): string => (kind === 'create' ? ` (default: ${text})` : '');
  return command
    .option('--on-missed <what>', `after downtime: latest, all, all:N (the N newest) or skip${otherwise('latest')}`, parseMissed)
    .addOption(
      new Option('--overlap <what>', `while a run of the timer has not ended${otherwise('allow')}`).choices([
        'allow',
        'skip',
        'queue',
        'cancelPrevious',
      ]),
    )
    .option('--jitter <duration>', `put each time off by some part of this${otherwise('none')}`, parseNoneOrDuration);
}

/** Of `--flag`, `--flag true` and `--flag false`. */
export function parseBoolean(text: string): boolean {
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  throw new InvalidArgumentError('Expected true or false.');
}

function parsePollInterval(text: string): number {
  if (text === 'never') return 0;
  return parseNoneOrDuration(text);
}

function parseNoneOrDuration(text: string): number {
  return /^0s?$/.test(text) ? 0 : parseDuration(text);
}

function parseRange(text: string): { readonly least: number; readonly most: number } {
  const [least = '', most = least, ...more] = text.split('-');
  if (more.length > 0) throw new InvalidArgumentError('Expected a duration as 5m, or two as 10m-60m.');
  return { least: parseDuration(least), most: parseDuration(most) };
}

function parseMissed(text: string): MissedFlag {
  const [, word, most] = /^(latest|all|skip)(?::([1-9]\d{0,3}))?$/.exec(text) ?? [];
  if (word === undefined || (most !== undefined && word !== 'all')) throw new InvalidArgumentError('Expected latest, all, all:N or skip.');
  return { onMissed: word as MissedFlag['onMissed'], ...(most === undefined ? {} : { mostMissed: Number(most) }) };
}

function collectSchedule(text: string, previous: readonly ScheduleFlag[]): readonly ScheduleFlag[] {
  const [, name, schedule = ''] = /^(?:([A-Za-z0-9][A-Za-z0-9._-]*):)?(.*)$/s.exec(text) ?? [];
  // No schedule has a colon: what stands before one is meant as the name.
  if (schedule.includes(':'))
    throw new InvalidArgumentError(
      `The name ${JSON.stringify(schedule.slice(0, schedule.indexOf(':')))} is none: expected letters, digits, ".", "_" and "-", the first a letter or digit.`,
    );
  if (schedule.trim() === '')
    throw new InvalidArgumentError('Expected "[NAME:]MINUTE HOUR DAY MONTH DAY-OF-WEEK", as "nightly:0 3 * * *".');
  return [...previous, { ...(name === undefined ? {} : { name }), schedule: schedule.trim() }];
}

function collectTrack(text: string, previous: readonly TrackFlag[]): readonly TrackFlag[] {
  const [, image, by, pattern] = /^([^=]+)=(?:(semver|regex):(.+)|digest)$/s.exec(text) ?? [];
  if (image === undefined) throw new InvalidArgumentError('Expected IMAGE=semver:RANGE, IMAGE=regex:PATTERN or IMAGE=digest.');
  const how = by === undefined || pattern === undefined ? { by: 'digest' as const } : { by: by as 'semver' | 'regex', pattern };
  return [...previous, { image, ...how }];
}

function collectAfter(text: string, previous: readonly AfterFlag[]): readonly AfterFlag[] {
  const [, task, on = 'succeeded'] = /^([^:]+)(?::(pushed|succeeded))?$/.exec(text) ?? [];
  if (task === undefined) throw new InvalidArgumentError('Expected TASK or TASK:pushed.');
  return [...previous, { task, on: on as AfterFlag['on'] }];
}
