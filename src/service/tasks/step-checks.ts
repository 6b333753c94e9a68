import { splitImageReference } from '../../model/image-reference.ts';
import type { TaskStepDefinition } from '../../model/task-definition.ts';
import type { ArgumentInput, StepInput } from '../../model/task-input.ts';
import { classifyContext, localRepository } from '../../task/build/context.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';
import type { FieldProblem } from './field-problem.ts';
import type { TaskDefaults } from './task-defaults.ts';

export type StepType = TaskStepDefinition['type'];

const SHARED = ['type', 'contextPath', 'contextAccessToken'] as const;
const OWN = {
  Docker: ['dockerFilePath', 'imageNames', 'isPushEnabled', 'noCache', 'target', 'arguments'],
  FileTask: ['taskFilePath', 'valuesFilePath', 'values'],
  EncodedTask: ['encodedTaskContent', 'encodedValuesContent', 'values'],
} as const satisfies Record<StepType, readonly (keyof StepInput)[]>;

const LONGEST_PATH = 1024;
const LONGEST_CONTEXT = 4096;
const MOST_ARGUMENTS = 1000;
const LONGEST_VALUE = 65_536;
const LONGEST_CONTENT = 1024 * 1024;
/** A user name in a URL that is longer is a token, as a rule. */
const LONGEST_USER = 19;

/** Fields that a step of a type may have. */
export function fieldsOfStep(type: StepType): readonly (keyof StepInput)[] {
  return [...SHARED, ...OWN[type]];
}

/** As given, or what the fields say; a step with nothing but a context builds its Dockerfile. */
export function stepTypeOf(step: StepInput): StepType {
  if (step.type !== undefined) return step.type;
  if (step.encodedTaskContent !== undefined) return 'EncodedTask';
  return step.taskFilePath === undefined ? 'Docker' : 'FileTask';
}

/** What the daemon allows of contexts. */
export type ContextRules = Pick<TaskDefaults, 'allowFileGit'>;

/** Checks the meaning of a step of the field `step`. */
export function checkStep(step: StepInput, rules: ContextRules = {}): readonly FieldProblem[] {
  const field = 'step';
  const type = stepTypeOf(step);
  return [
    ...foreignFields(step, type, field),
    ...checkContext(step.contextPath, type, `${field}.contextPath`, rules),
    ...(type === 'Docker' ? checkDocker(step, field) : type === 'FileTask' ? checkFileTask(step, field) : checkEncoded(step, field)),
  ];
}

function foreignFields(step: StepInput, type: StepType, field: string): FieldProblem[] {
  const allowed = new Set<string>(fieldsOfStep(type));
  return Object.entries(step).flatMap(([name, value]) => {
    if (value === undefined || allowed.has(name)) return [];
    const owners = Object.entries(OWN).flatMap(([owner, names]) => (names.some((one) => one === name) ? [owner] : []));
    const message = `has no meaning in a step of the type ${type}`;
    return [
      {
        field: `${field}.${name}`,
        message,
        help: owners.length === 0 ? 'Leave it out.' : `It belongs to the type ${owners.join(' or ')}.`,
      },
    ];
  });
}

/** Of a step of this type; `at` is the name of the field. */
export function checkContext(
  path: string | undefined,
  type: StepType,
  at: string,
  { allowFileGit = false }: ContextRules = {},
): FieldProblem[] {
  if (path === undefined || path === '/dev/null' || path === '') {
    if (type === 'EncodedTask') return [];
    const expected = 'the URL of a git repository or archive, or oci://HOST/NAME:TAG';
    return [
      { field: at, message: `is missing: a step of the type ${type} reads its file from there`, expected, code: 'task-field-missing' },
    ];
  }
  if (path.length > LONGEST_CONTEXT || /[\p{C}\s]/u.test(path))
    return [{ field: at, message: 'is too long, or has blanks or control characters' }];
  if (path.startsWith('upload:'))
    return /^upload:[0-9a-f]{64}$/.test(path)
      ? []
      : [{ field: at, message: 'names no upload', expected: 'upload: and the SHA-256 of what was sent' }];
  const local = localRepository(path);
  if (local !== undefined) return checkFileContext(path, local, { at, allowed: allowFileGit });
  const ref = classifyContext(path);
  if (ref.kind === 'local' || ref.kind === 'stdin') {
    return [
      {
        field: at,
        message: `is ${JSON.stringify(path)}, which no agent can reach`,
        expected: 'an https:// or ssh:// URL of a git repository, a URL of an archive, or oci://HOST/NAME:TAG',
      },
    ];
  }
  if (ref.kind === 'git' && leadsAstray(ref)) return [astray(at)];
  return credentialInUrl(path)
    ? [
        {
          field: at,
          message: 'holds a password or token, which everybody could read who sees the task',
          help: 'Put it into `contextAccessToken`.',
        },
      ]
    : [];
}

/** A repository of the daemon's own machine. */
function checkFileContext(
  path: string,
  { url, ref, subdir }: NonNullable<ReturnType<typeof localRepository>>,
  { at, allowed }: { readonly at: string; readonly allowed: boolean },
): FieldProblem[] {
  const shown = JSON.stringify(path.slice(0, 200));
  if (!allowed) {
    return [
      {
        field: at,
        message: `is ${shown}, a repository of the daemon's own machine`,
        help: 'The setting `allowFileGit` of the daemon allows them.',
      },
    ];
  }
  if (canonicalRepositoryUrl(url) === undefined)
    return [{ field: at, message: `is ${shown}`, expected: 'file:// and the whole path of a repository' }];
  return leadsAstray({ ref, subdir }) ? [astray(at)] : [];
}

function leadsAstray({ ref, subdir }: { readonly ref: string; readonly subdir: string }): boolean {
  return ref.startsWith('-') || subdir.split('/').includes('..');
}

function astray(field: string): FieldProblem {
  return {
    field,
    message: 'has a reference that starts with `-`, or a folder that leads out of the repository',
    expected: 'URL#BRANCH:FOLDER',
  };
}

export function credentialInUrl(url: string): boolean {
  const [, user = ''] = /^https?:\/\/([^/@]*)@/i.exec(url) ?? [];
  return user.includes(':') || user.length > LONGEST_USER;
}

function checkDocker(step: StepInput, field: string): FieldProblem[] {
  const names = step.imageNames ?? [];
  const target = step.target ?? 'x';
  return [
    ...checkPath(step.dockerFilePath, `${field}.dockerFilePath`),
    ...names.flatMap((name, index) => checkImageName(name, `${field}.imageNames[${index}]`)),
    ...(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(target)
      ? []
      : [{ field: `${field}.target`, message: `is ${JSON.stringify(target)}`, expected: 'the name of a stage of the Dockerfile' }]),
    ...checkArguments(step.arguments, `${field}.arguments`),
  ];
}

/** Templates may stand for any part. */
function checkImageName(name: string, field: string): FieldProblem[] {
  const filled = name.replaceAll(/\{\{.*?\}\}/g, 'x').replaceAll(/\$[A-Za-z]+/g, 'x');
  const split = splitImageReference(filled);
  return split.ok ? [] : [{ field, message: `is ${JSON.stringify(name)}: ${split.error}`, expected: '[HOST/]NAME[:TAG]' }];
}

function checkFileTask(step: StepInput, field: string): FieldProblem[] {
  return [
    ...checkPath(step.taskFilePath, `${field}.taskFilePath`),
    ...checkPath(step.valuesFilePath, `${field}.valuesFilePath`),
    ...checkArguments(step.values, `${field}.values`),
  ];
}

function checkEncoded(step: StepInput, field: string): FieldProblem[] {
  const content = `${field}.encodedTaskContent`;
  return [
    ...(step.encodedTaskContent === undefined
      ? [{ field: content, message: 'is missing', expected: 'a task file in base64', code: 'task-field-missing' as const }]
      : checkContent(step.encodedTaskContent, content)),
    ...(step.encodedValuesContent === undefined ? [] : checkContent(step.encodedValuesContent, `${field}.encodedValuesContent`)),
    ...checkArguments(step.values, `${field}.values`),
  ];
}

function checkContent(encoded: string, field: string): FieldProblem[] {
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== encoded.replaceAll(/[\r\n]/g, '').replace(/=+$/, ''))
    return [{ field, message: 'is no base64' }];
  if (bytes.length > LONGEST_CONTENT) return [{ field, message: `has ${bytes.length} bytes`, expected: `at most ${LONGEST_CONTENT}` }];
  return Buffer.from(bytes.toString('utf8')).equals(bytes) ? [] : [{ field, message: 'is no UTF-8 text behind its base64' }];
}

/** A path inside the context. */
export function checkPath(path: string | undefined, field: string): FieldProblem[] {
  if (path === undefined) return [];
  const inside =
    path !== '' && path.length <= LONGEST_PATH && !path.startsWith('/') && !path.split(/[/\\]/).includes('..') && !/\p{C}/u.test(path);
  return inside
    ? []
    : [
        {
          field,
          message: `is ${JSON.stringify(path.slice(0, 100))}`,
          expected: 'a path inside the context, without a leading `/` and without `..`',
        },
      ];
}

export function checkArguments(given: readonly ArgumentInput[] | undefined, field: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const seen = new Set<string>();
  if ((given?.length ?? 0) > MOST_ARGUMENTS)
    return [{ field, message: `has ${given?.length} entries`, expected: `at most ${MOST_ARGUMENTS}` }];
  for (const [index, { name, value }] of (given ?? []).entries()) {
    const at = `${field}[${index}]`;
    if (!/^[^=\s\p{C}]{1,256}$/u.test(name))
      problems.push({ field: `${at}.name`, message: `is ${JSON.stringify(name)}`, expected: 'a name without blanks and `=`' });
    else if (seen.has(name)) problems.push({ field: `${at}.name`, message: `is ${JSON.stringify(name)}, which stands above already` });
    seen.add(name);
    const text = typeof value === 'string' ? value : 'plain' in value ? value.plain : '';
    if (Buffer.byteLength(text) > LONGEST_VALUE)
      problems.push({ field: `${at}.value`, message: 'is too long', expected: `at most ${LONGEST_VALUE} bytes` });
  }
  return problems;
}
