import type { TaskInput } from '../../model/task-input.ts';
import { nearestName } from '../../util/nearest-name.ts';
import { isSecretName } from '../security/secret-service.ts';
import { matches, oneOf, TASK_NAME, within } from './field-checks.ts';
import type { FieldProblem } from './field-problem.ts';
import { checkStep } from './step-checks.ts';
import type { TaskDefaults } from './task-defaults.ts';
import { checkTriggers } from './trigger-checks.ts';
import { ENDPOINT_FIELD, sourceTokenField } from './trigger-places.ts';

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?$/;
const REGISTRY = /^[^/]+(?:\/[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)?$/;
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  amd64: ['v1', 'v2', 'v3', 'v4'],
  arm64: ['v8'],
  arm: ['v6', 'v7', 'v8'],
  '386': [],
  ppc64le: [],
  s390x: [],
  riscv64: [],
};
const PLACEHOLDERS = ['task', 'branch', 'commit', 'pullRequest'] as const;
const MOST_TAGS = 64;

/**
 * What of a task cannot be, after its shape was checked; empty when it can. Pure. Whether the task file inside it is sound and the secrets
 * it names are there is looked at elsewhere.
 */
export function checkTaskInput(input: TaskInput, defaults: Pick<TaskDefaults, 'timeout' | 'allowFileGit'>): readonly FieldProblem[] {
  const { timeout } = defaults;
  return [
    ...matches(input.name, TASK_NAME, 'name', '1 to 63 of a-z 0-9 . _ -, the first a letter or digit'),
    ...oneOf(input.status, ['Enabled', 'Disabled'], 'status'),
    ...checkPlatform(input.platform, 'platform'),
    ...within(input.agentConfiguration?.cpu, 1, 256, 'agentConfiguration.cpu'),
    ...within(input.timeout, timeout.least, timeout.most, 'timeout', ' seconds'),
    ...checkRegistry(input.registry),
    ...checkCredentials(input.credentials, 'credentials'),
    ...matches(input.agentPoolName, TASK_NAME, 'agentPoolName', 'a name like that of a task'),
    ...within(input.priority, -100, 100, 'priority'),
    ...within(input.maxParallelRuns, 1, 10_000, 'maxParallelRuns'),
    ...checkConcurrency(input.concurrency),
    ...checkTags(input.tags),
    ...checkStep(input.step, defaults),
    ...checkTriggers(input, defaults),
    ...checkSecretNames(input),
  ];
}

/** Of a task, or of a quick run. */
export function checkPlatform(platform: TaskInput['platform'], field: string): FieldProblem[] {
  if (platform === undefined) return [];
  const { os = 'linux', architecture, variant } = platform;
  if (os !== 'linux')
    return [{ field: `${field}.os`, message: `is ${JSON.stringify(os)}`, expected: 'linux: agents run Linux containers' }];
  const wrong = oneOf(architecture, Object.keys(ARCHITECTURES), `${field}.architecture`);
  if (wrong.length > 0 || variant === undefined) return wrong;
  const variants = ARCHITECTURES[architecture ?? ''] ?? [];
  if (variants.includes(variant)) return [];
  const expected = variants.length === 0 ? 'no variant' : `one of ${variants.join(', ')}`;
  return [
    {
      field: `${field}.variant`,
      message: `is ${JSON.stringify(variant)}`,
      expected: `${expected} for ${architecture ?? 'no architecture'}`,
    },
  ];
}

function checkRegistry(registry: string | undefined): FieldProblem[] {
  if (registry === undefined) return [];
  const [host = ''] = registry.split('/', 1);
  const fits = registry.length <= 255 && HOST.test(host) && REGISTRY.test(registry);
  return fits
    ? []
    : [{ field: 'registry', message: `is ${JSON.stringify(registry.slice(0, 100))}`, expected: '`host` or `host:port`, without a scheme' }];
}

/** Of a task, or of a quick run. */
export function checkCredentials(credentials: TaskInput['credentials'], field: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const seen = new Set<string>();
  for (const [index, { loginServer, userName, password }] of (credentials ?? []).entries()) {
    const at = `${field}[${index}]`;
    problems.push(...matches(loginServer, HOST, `${at}.loginServer`, '`host` or `host:port` of a registry'));
    if (seen.has(loginServer))
      problems.push({ field: `${at}.loginServer`, message: `is ${loginServer}, which has a credential above already` });
    seen.add(loginServer);
    if (userName === '') problems.push({ field: `${at}.userName`, message: 'is empty' });
    if ('plain' in password && password.plain === '') problems.push({ field: `${at}.password`, message: 'is empty' });
  }
  return problems;
}

/** Of a task, or of a quick run. */
export function checkConcurrency(concurrency: TaskInput['concurrency']): FieldProblem[] {
  if (concurrency === undefined) return [];
  const { group, limit, onConflict } = concurrency;
  const unknown = [...group.matchAll(/\$\{([^}]*)\}?/g)].flatMap(([text, name = '']) =>
    PLACEHOLDERS.some((known) => text === `\${${known}}`) ? [] : [{ text, near: nearestName(name, PLACEHOLDERS) }],
  );
  return [
    ...matches(group, /^[^\p{C}]{1,200}$/u, 'concurrency.group', '1 to 200 printable characters'),
    ...unknown.map(({ text, near }) => ({
      field: 'concurrency.group',
      message: `has ${text}, which is not replaced by anything`,
      expected: PLACEHOLDERS.map((name) => `\${${name}}`).join(', '),
      ...(near === undefined ? {} : { help: `did you mean \${${near}}?` }),
    })),
    ...within(limit, 1, 1000, 'concurrency.limit'),
    ...oneOf(onConflict, ['queue', 'cancel-pending', 'cancel-running', 'skip'], 'concurrency.onConflict'),
  ];
}

function checkTags(tags: TaskInput['tags']): FieldProblem[] {
  const entries = Object.entries(tags ?? {});
  if (entries.length > MOST_TAGS) return [{ field: 'tags', message: `has ${entries.length} entries`, expected: `at most ${MOST_TAGS}` }];
  return entries.flatMap(([name, value]) =>
    name !== '' && name.length <= 128 && value.length <= 512
      ? []
      : [{ field: `tags.${name.slice(0, 100)}`, message: 'is too long or has no name' }],
  );
}

/** A name that no secret can have would never be found. */
function checkSecretNames(input: TaskInput): FieldProblem[] {
  const bad = secretNamesOf(input).filter(({ name }) => !isSecretName(name));
  return bad.map(({ field, name }) => ({
    field,
    message: `names the secret ${JSON.stringify(name.slice(0, 100))}`,
    expected: 'letters, digits, `.`, `_` and `-`, the first a letter',
  }));
}

/** The daemon's secrets that an input names, with where. */
function secretNamesOf({
  step,
  credentials,
  trigger,
}: Pick<TaskInput, 'step' | 'credentials' | 'trigger'>): { readonly field: string; readonly name: string }[] {
  const places: [string, unknown][] = [
    ['step.contextAccessToken', step.contextAccessToken],
    ...(step.arguments ?? []).map(({ value }, index): [string, unknown] => [`step.arguments[${index}].value`, value]),
    ...(step.values ?? []).map(({ value }, index): [string, unknown] => [`step.values[${index}].value`, value]),
    ...(credentials ?? []).flatMap(({ userName, password }, index): [string, unknown][] => [
      [`credentials[${index}].userName`, userName],
      [`credentials[${index}].password`, password],
    ]),
    ...(trigger?.sourceTriggers ?? []).map(({ sourceRepository }, index): [string, unknown] => [
      sourceTokenField(index),
      sourceRepository?.sourceControlAuthProperties?.token,
    ]),
    [ENDPOINT_FIELD, trigger?.baseImageTrigger?.updateTriggerEndpoint],
  ];
  return places.flatMap(([field, value]) =>
    typeof value === 'object' && value !== null && 'secret' in value && typeof value.secret === 'string'
      ? [{ field, name: value.secret }]
      : [],
  );
}
