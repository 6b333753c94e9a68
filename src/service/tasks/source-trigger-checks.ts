import type { SourceTriggerInput, StepInput } from '../../model/task-input.ts';
import { SOURCE_CONTROL_TYPES, SOURCE_EVENTS } from '../../model/trigger-definition.ts';
import { globProblem, MOST_GLOBS } from '../../util/globs.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';
import { contextRepository, sourceEventsOf } from './complete-triggers.ts';
import { atMost, oneOf, within } from './field-checks.ts';
import type { FieldProblem } from './field-problem.ts';
import { type ContextRules, credentialInUrl } from './step-checks.ts';

/** `+(a|b)` and its kin: they would be taken for the characters that they are. */
const EXTENDED_GLOB = /[+*?@!]\(/;

/** What of a source trigger cannot be; `at` is where it stands. */
export function checkSourceTrigger(
  source: SourceTriggerInput,
  step: StepInput,
  { at, rules }: { readonly at: string; readonly rules: ContextRules },
): readonly FieldProblem[] {
  const { paths } = source;
  return [
    ...oneOf(source.status, ['Enabled', 'Disabled'], `${at}.status`),
    ...checkEvents(source, at),
    ...checkRepository(source, `${at}.sourceRepository`),
    ...checkUrl(source.sourceRepository?.repositoryUrl, step, `${at}.sourceRepository.repositoryUrl`, rules),
    ...checkGlobs(source.branches, `${at}.branches`),
    ...checkGlobs(source.tags, `${at}.tags`),
    ...checkGlobs(paths?.include, `${at}.paths.include`),
    ...checkGlobs(paths?.exclude, `${at}.paths.exclude`),
    ...matchesSomething(source.branches, `${at}.branches`, 'branch'),
    ...matchesSomething(source.tags, `${at}.tags`, 'tag'),
    ...matchesSomething(paths?.include, `${at}.paths.include`, 'file'),
    ...leavesSomething(paths?.exclude, `${at}.paths.exclude`),
    ...oneOf(source.forks, ['approve', 'run', 'ignore'], `${at}.forks`),
    ...(source.pollInterval === 0
      ? []
      : within(source.pollInterval, 60, 604_800, `${at}.pollInterval`, ' seconds, or 0 for webhooks only')),
  ];
}

function checkEvents(source: SourceTriggerInput, at: string): FieldProblem[] {
  const field = `${at}.sourceTriggerEvents`;
  const events = sourceEventsOf(source);
  if (events.length === 0)
    return [
      {
        field,
        message: 'is empty',
        expected: `at least one of ${SOURCE_EVENTS.join(', ')}`,
        help: 'To pause the trigger set its `status` to Disabled.',
      },
    ];
  const wrong = events.flatMap((event, index) => oneOf(event, SOURCE_EVENTS, `${field}[${index}]`));
  const twice = new Set(events).size < events.length ? [{ field, message: 'names an event twice' }] : [];
  const tags = (source.tags ?? []).length > 0;
  if (tags === events.includes('tag')) return [...wrong, ...twice];
  const mismatch = tags
    ? { field, message: 'lacks `tag`, though there are `tags`' }
    : {
        field: `${at}.tags`,
        message: 'is empty, though `tag` is one of the events',
        expected: 'globs of tag names, as `v*`',
        code: 'task-field-missing' as const,
      };
  return [...wrong, ...twice, mismatch];
}

function checkRepository({ sourceRepository = {} }: SourceTriggerInput, at: string): FieldProblem[] {
  const { branch, sourceControlType, sourceControlAuthProperties: auth } = sourceRepository;
  const token = auth?.token;
  return [
    ...oneOf(sourceControlType, SOURCE_CONTROL_TYPES, `${at}.sourceControlType`),
    ...(branch === undefined ? [] : checkBranch(branch, `${at}.branch`)),
    ...oneOf(auth?.tokenType, ['PAT', 'OAuth'], `${at}.sourceControlAuthProperties.tokenType`),
    ...(token !== undefined && 'plain' in token && token.plain === ''
      ? [{ field: `${at}.sourceControlAuthProperties.token`, message: 'is empty' }]
      : []),
  ];
}

function checkUrl(url: string | undefined, step: StepInput, field: string, { allowFileGit = false }: ContextRules): FieldProblem[] {
  if (url === undefined) {
    if (contextRepository(step.contextPath) !== undefined) return [];
    const help = 'Without a git repository as `step.contextPath` the trigger has to name one.';
    return [{ field, message: 'is missing', expected: 'the URL of a git repository', help, code: 'task-field-missing' }];
  }
  if (credentialInUrl(url))
    return [
      {
        field,
        message: 'holds a password or token, which everybody could read who sees the task',
        help: 'Put it into `sourceControlAuthProperties.token`.',
      },
    ];
  const key = canonicalRepositoryUrl(url);
  const local = key?.startsWith('file://') === true;
  if (key !== undefined && (allowFileGit || !local) && !url.startsWith('/')) return [];
  const expected = 'an https:// or ssh:// URL of a git repository, without `#`, or USER@HOST:PATH';
  return [
    {
      field,
      message: `is ${JSON.stringify(url.slice(0, 200))}`,
      expected,
      ...urlHelp(url, local),
    },
  ];
}

function urlHelp(url: string, local: boolean): { readonly help?: string } {
  if (local)
    return { help: "Repositories of the daemon's own machine are written `file:///PATH`, and allowed by its setting `allowFileGit`." };
  return url.includes('#') ? { help: 'A branch is named in `branches`.' } : {};
}

/** A name, not a pattern. */
function checkBranch(branch: string, field: string): FieldProblem[] {
  const fits = branch.length <= 255 && /^[^\s\p{C}~^:?*[\\]+$/u.test(branch) && !/^[-/.]|\.\.|@\{|\/$|\.lock$|\/\//.test(branch);
  return fits
    ? []
    : [
        {
          field,
          message: `is ${JSON.stringify(branch.slice(0, 100))}`,
          expected: 'the name of one branch, without `refs/heads/`',
          help: 'Patterns stand in `branches`.',
        },
      ];
}

function checkGlobs(globs: readonly string[] | undefined, field: string): FieldProblem[] {
  return [
    ...atMost(globs, MOST_GLOBS, field),
    ...(globs ?? []).slice(0, MOST_GLOBS).flatMap((glob, index) => {
      const message = nameProblem(glob) ?? globProblem(glob);
      return message === undefined
        ? []
        : [
            {
              field: `${field}[${index}]`,
              message: `is ${JSON.stringify(glob.slice(0, 100))}${message}`,
              expected: 'a glob of `*`, `**`, `?`, `[…]` and `{a,b}`; `!` in front takes away again',
            },
          ];
    }),
  ];
}

/** What is left of globs after the last that takes everything away: what stands before it decides nothing. */
function deciding(globs: readonly string[]): readonly string[] {
  return globs.slice(globs.lastIndexOf('!**') + 1);
}

/** `!glob` takes away from those before it: a list of nothing else matches no name, and the trigger would never start anything. */
function matchesSomething(globs: readonly string[] | undefined, field: string, what: 'branch' | 'tag' | 'file'): FieldProblem[] {
  if (globs === undefined || globs.length === 0 || deciding(globs).some((glob) => !glob.startsWith('!'))) return [];
  const out = what === 'file' ? ', or name files that start nothing in `paths.exclude` (`--exclude-path`), without `!`' : '';
  return [
    {
      field,
      message: `is ${JSON.stringify(globs).slice(0, 100)}, which no ${what} matches`,
      expected: 'a glob without `!` before those that take away from it',
      help: `Put \`**\` first to mean every other ${what}${out}.`,
    },
  ];
}

function leavesSomething(globs: readonly string[] | undefined, field: string): FieldProblem[] {
  const last = globs?.lastIndexOf('**') ?? -1;
  if (globs === undefined || last < 0 || globs.slice(last).some((glob) => glob.startsWith('!'))) return [];
  const help = 'No change would start anything. Leave `**` out, or name after it with `!` what counts.';
  return [{ field, message: `is ${JSON.stringify(globs).slice(0, 100)}, which excludes every file`, help }];
}

/** What no name of a branch, tag or file has. */
function nameProblem(glob: string): string | undefined {
  const pattern = glob.replace(/^!/, '');
  if (/[\p{C}]/u.test(glob)) return ', which has control characters';
  if (/^refs\/(?:heads|tags)\//.test(pattern)) return ', and names stand without `refs/heads/` and `refs/tags/`';
  if (EXTENDED_GLOB.test(pattern)) return ', and patterns in parentheses are not known';
  return pattern.startsWith('/') ? ', which begins with a slash' : undefined;
}
