import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { taskResourceOf } from '../../../src/api/task-resource.ts';
import { taskResource } from '../../../src/api/task-schema.ts';
import { taskSecretBinding } from '../../../src/model/ports/secret-box.ts';
import type { SourceTriggerInput, TaskInput, TriggersInput } from '../../../src/model/task-input.ts';
import { triggersOf } from '../../../src/model/trigger-definition.ts';
import { applyTasks } from '../../../src/service/tasks/apply.ts';
import { contextRepository, namedTriggers } from '../../../src/service/tasks/complete-triggers.ts';
import { checkTaskInput } from '../../../src/service/tasks/definition-checks.ts';
import { definitionToYaml } from '../../../src/service/tasks/definition-yaml.ts';
import { standardTaskDefaults } from '../../../src/service/tasks/task-defaults.ts';
import { readTaskDocuments } from '../../../src/service/tasks/task-documents.ts';
import { ADMIN, openServices, principal, refusal, type ServiceParts } from '../parts.ts';

const GIT = 'https://git.example/web.git';
const WEB: TaskInput = { name: 'web', step: { contextPath: `${GIT}#main`, imageNames: ['web:1'] } };
const EDITOR = principal('editor');
let parts: ServiceParts;

beforeEach(async () => {
  parts = await openServices();
});

afterEach(() => parts[Symbol.asyncDispose]());

async function triggers(input: TaskInput) {
  return triggersOf((await parts.tasks.create(EDITOR, input)).record.definition);
}

describe('what starts a task that does not say it', () => {
  const encodedTaskContent = Buffer.from('steps:\n  - cmd: busybox true\n').toString('base64');

  test.each<[string, TaskInput['step'], number]>([
    ['a branch of a repository', { contextPath: `${GIT}#main` }, 1],
    ['a stored task file with a repository', { encodedTaskContent, contextPath: GIT }, 1],
    ['a commit of a repository', { contextPath: `${GIT}#${'a'.repeat(40)}` }, 0],
    ['an archive', { contextPath: 'https://git.example/web.tar.gz' }, 0],
    ['a stored task file alone', { encodedTaskContent }, 0],
  ])('%s', async (_, step, sources) => {
    const made = await triggers({ name: 'web', step });
    expect(made.sourceTriggers).toHaveLength(sources);
    expect(made).toMatchObject({ baseImageTrigger: { name: 'defaultBaseimageTriggerName', status: 'Enabled' }, timerTriggers: [] });
  });

  test('is nothing when the task says so, and stays so', async () => {
    expect(await triggers({ ...WEB, trigger: {} })).toEqual({ sourceTriggers: [], timerTriggers: [], afterTriggers: [] });
    const changed = await parts.tasks.patch(EDITOR, 'web', { timeout: 700 });
    expect(changed.changes).toEqual(['timeout']);
    expect((await parts.tasks.replace(EDITOR, { ...WEB, timeout: 700 })).changes).toContain('trigger.sourceTriggers');
  });

  test('is nothing for a task of a version without triggers, whatever else changes', async () => {
    const { definition } = (await parts.tasks.create(EDITOR, WEB)).record;
    const { trigger: _, ...old } = definition;
    await parts.store.tasks.replace(old, {});
    expect((await parts.tasks.edit(EDITOR, 'web', 'task.update', (input) => input)).action).toBe('unchanged');
    const { record } = await parts.tasks.patch(EDITOR, 'web', { timeout: 700 });
    expect(triggersOf(record.definition)).toEqual({ sourceTriggers: [], timerTriggers: [], afterTriggers: [] });
  });
});

test.each([
  ['https://github.com/me/web.git', 'Github'],
  ['git@github.example.com:me/web.git', 'Github'],
  ['https://gitlab.example/me/web', 'GitLab'],
  ['https://bitbucket.org/me/web.git', 'Bitbucket'],
  ['https://dev.azure.com/me/p/_git/web', 'VisualStudioTeamService'],
  ['git@ssh.dev.azure.com:v3/me/p/web', 'VisualStudioTeamService'],
  ['https://codeberg.org/me/web.git', 'Gitea'],
  ['ssh://git@git.example:2222/me/web.git', 'Generic'],
])('%s is of the kind %s', async (repositoryUrl, sourceControlType) => {
  const { sourceTriggers } = await triggers({ ...WEB, trigger: { sourceTriggers: [{ sourceRepository: { repositoryUrl } }] } });
  expect(sourceTriggers[0]?.sourceRepository).toEqual({ repositoryUrl, sourceControlType });
});

test('the user of an address is no part of what is followed', async () => {
  const step = { contextPath: 'https://me@dev.azure.com/me/p/_git/web#main' };
  const { sourceTriggers } = await triggers({ name: 'web', step });
  expect(sourceTriggers[0]?.sourceRepository.repositoryUrl).toBe('https://dev.azure.com/me/p/_git/web');
  const named = await triggers({ ...WEB, name: 'named', trigger: repository('https://me@git.example/x.git') });
  expect(named.sourceTriggers[0]?.sourceRepository.repositoryUrl).toBe('https://git.example/x.git');
});

test('names that are left out are those of ACR', async () => {
  const made = await triggers({
    ...WEB,
    trigger: {
      sourceTriggers: [{ tags: ['v*'] }],
      timerTriggers: [{ schedule: '0 1 * * *' }, { name: 't1', schedule: '0 2 * * *' }, { schedule: '0 3 * * *' }],
      afterTriggers: [{ task: 'base' }],
    },
  });
  expect(made.timerTriggers.map(({ name }) => name)).toEqual(['t2', 't1', 't3']);
  expect(made.sourceTriggers[0]).toMatchObject({ name: 'defaultSourceTriggerName', sourceTriggerEvents: ['commit', 'tag'] });
  expect(made.afterTriggers).toEqual([{ name: 'after-base', status: 'Enabled', task: 'base', on: 'succeeded' }]);
  expect(made).not.toHaveProperty('baseImageTrigger');
});

const source = (input: SourceTriggerInput): TriggersInput => ({ sourceTriggers: [input] });
const repository = (repositoryUrl: string): TriggersInput => source({ sourceRepository: { repositoryUrl } });
const SOURCE = 'trigger.sourceTriggers[0]';
const BASE = 'trigger.baseImageTrigger';

describe('a trigger', () => {
  test.each<[string, TriggersInput]>([
    [`${SOURCE}.name`, source({ name: '-x' })],
    ['trigger.timerTriggers[0].name', { ...source({ name: 'a' }), timerTriggers: [{ name: 'a', schedule: '* * * * *' }] }],
    [`${BASE}.name`, { ...source({ name: 'a' }), baseImageTrigger: { name: 'a' } }],
    [`${SOURCE}.sourceTriggerEvents`, source({ sourceTriggerEvents: [] })],
    [`${SOURCE}.sourceTriggerEvents`, source({ sourceTriggerEvents: ['commit'], tags: ['v*'] })],
    [`${SOURCE}.sourceTriggerEvents`, source({ sourceTriggerEvents: ['commit', 'commit'] })],
    [`${SOURCE}.tags`, source({ sourceTriggerEvents: ['tag'] })],
    [`${SOURCE}.branches[0]`, source({ branches: ['refs/heads/main'] })],
    [`${SOURCE}.branches[1]`, source({ branches: ['main', '!'] })],
    [`${SOURCE}.branches[0]`, source({ branches: ['release/[1-'] })],
    [`${SOURCE}.branches[0]`, source({ branches: ['+(a|aa)*'] })],
    [`${SOURCE}.paths.include[0]`, source({ paths: { include: ['/src/**'] } })],
    [`${SOURCE}.paths.exclude`, source({ paths: { exclude: Array.from({ length: 101 }, (_, index) => `${index}`) } })],
    [`${SOURCE}.branches`, source({ branches: ['!main'] })],
    [`${SOURCE}.branches`, source({ branches: ['main', '!**'] })],
    [`${SOURCE}.tags`, source({ tags: ['!v*'] })],
    [`${SOURCE}.paths.include`, source({ paths: { include: ['!docs/**'] } })],
    [`${SOURCE}.paths.exclude`, source({ paths: { exclude: ['src/**', '**'] } })],
    [`${SOURCE}.pollInterval`, source({ pollInterval: 59 })],
    [`${SOURCE}.sourceRepository.branch`, source({ sourceRepository: { branch: 'release/*' } })],
    [`${SOURCE}.sourceRepository.repositoryUrl`, repository(`${GIT}#main`)],
    [`${SOURCE}.sourceRepository.repositoryUrl`, repository('https://user:password@git.example/x.git')],
    [`${SOURCE}.sourceRepository.repositoryUrl`, repository('--upload-pack=sh')],
    [`${SOURCE}.sourceRepository.repositoryUrl`, repository('ext::sh -c x')],
    [`${SOURCE}.sourceRepository.repositoryUrl`, repository('file:///srv/x.git')],
    [`${SOURCE}.sourceRepository.repositoryUrl`, repository('/srv/x.git')],
    [
      `${SOURCE}.sourceRepository.sourceControlAuthProperties.token`,
      source({ sourceRepository: { sourceControlAuthProperties: { token: { plain: '' } } } }),
    ],
    [
      `${SOURCE}.sourceRepository.sourceControlAuthProperties.token`,
      source({ sourceRepository: { sourceControlAuthProperties: { token: { secret: '../x' } } } }),
    ],
    [
      `${SOURCE}.sourceRepository.sourceControlAuthProperties.token`,
      source({ sourceRepository: { sourceControlAuthProperties: { token: { stored: true } } } }),
    ],
    ['trigger.timerTriggers[0].schedule', { timerTriggers: [{ schedule: '0 3 * *' }] }],
    ['trigger.timerTriggers[0].schedule', { timerTriggers: [{ schedule: '0 0 3 * * *' }] }],
    ['trigger.timerTriggers[1].schedule', { timerTriggers: [{ schedule: '0 3 * * MON' }, { schedule: '0  3 * * mon' }] }],
    ['trigger.timerTriggers[0].jitter', { timerTriggers: [{ schedule: '0 3 * * *', jitter: -1 }] }],
    ['trigger.timerTriggers[0].mostMissed', { timerTriggers: [{ schedule: '0 3 * * *', mostMissed: 0 }] }],
    [`${BASE}.updateTriggerEndpoint`, { baseImageTrigger: { updateTriggerEndpoint: { plain: 'ftp://x.example' } } }],
    [`${BASE}.updateTriggerEndpoint`, { baseImageTrigger: { updateTriggerEndpoint: { secret: '-' } } }],
    [`${BASE}.window`, { baseImageTrigger: { window: 3601 } }],
    [`${BASE}.poll.least`, { baseImageTrigger: { poll: { least: 59, most: 60 } } }],
    [`${BASE}.poll.most`, { baseImageTrigger: { poll: { least: 600, most: 60 } } }],
    [`${BASE}.tracks[0].image`, { baseImageTrigger: { tracks: [{ image: 'node:20' }] } }],
    [`${BASE}.tracks[1].image`, { baseImageTrigger: { tracks: [{ image: 'node' }, { image: 'node' }] } }],
    [`${BASE}.tracks[0].pattern`, { baseImageTrigger: { tracks: [{ image: 'node', by: 'semver', pattern: 'twenty' }] } }],
    [`${BASE}.tracks[0].pattern`, { baseImageTrigger: { tracks: [{ image: 'node', by: 'semver' }] } }],
    [`${BASE}.tracks[0].pattern`, { baseImageTrigger: { tracks: [{ image: 'node', by: 'regex', pattern: '(?=x)' }] } }],
    [`${BASE}.tracks[0].pattern`, { baseImageTrigger: { tracks: [{ image: 'node', pattern: '20' }] } }],
    ['trigger.afterTriggers[0].task', { afterTriggers: [{ task: 'web' }] }],
    ['trigger.afterTriggers[0].task', { afterTriggers: [{ task: 'Not A Name' }] }],
  ])('with a bad %s is refused by that name', async (field, trigger) => {
    const error = await refusal(parts.tasks.create(ADMIN, { ...WEB, trigger }));
    expect(error.code).toBe('invalid-request');
    expect(error.diagnostics.map((diagnostic) => diagnostic.field)).toEqual([field]);
  });

  test.each(['[', 'a]', 'release/{1,2'])('with the odd glob %s is told why in our own words', async (glob) => {
    const error = await refusal(parts.tasks.create(ADMIN, { ...WEB, trigger: source({ branches: [glob] }) }));
    expect(error.message).toContain(`is ${JSON.stringify(glob)}, in which brackets or braces are not in pairs`);
  });

  test('may have the schedule of one that is disabled', async () => {
    const schedule = '0 3 * * *';
    await parts.tasks.create(EDITOR, { ...WEB, trigger: { timerTriggers: [{ schedule }, { schedule, status: 'Disabled' }] } });
  });

  test('needs a repository where the context has none', async () => {
    const step = { contextPath: 'oci://r.example/ctx:1' };
    const error = await refusal(parts.tasks.create(EDITOR, { name: 'web', step, trigger: source({}) }));
    expect(error.message).toBe('`trigger.sourceTriggers[0].sourceRepository.repositoryUrl` is missing');
  });

  test('of a forge that polls, or that follows a task which is not there, warns', async () => {
    const step = { contextPath: 'https://github.com/me/web.git' };
    const trigger: TriggersInput = { sourceTriggers: [{}], afterTriggers: [{ task: 'base' }] };
    const { warnings } = await parts.tasks.create(EDITOR, { name: 'web', step, trigger });
    expect(warnings.map(({ code, field }) => [code, field])).toEqual([
      ['trigger-polls', undefined],
      ['trigger-task-missing', 'trigger.afterTriggers[0].task'],
    ]);
    const changed = await parts.tasks.patch(EDITOR, 'web', { timeout: 700 });
    expect(changed.warnings.map(({ code }) => code)).toEqual(['trigger-task-missing']);
    await parts.secrets.set(ADMIN, { name: 'GIT', value: 'hidden' });
    const withToken = { ...step, contextAccessToken: { secret: 'GIT' } };
    expect((await parts.tasks.create(EDITOR, { name: 'base', step: withToken })).warnings).toEqual([]);
    const hook = { source: { kind: 'git' as const, forge: 'Github' as const, repositoryUrl: 'https://github.com/me/web' } };
    const row = { id: 'x'.repeat(22), ...hook, secret: Buffer.from('x'), createdAt: '2030-01-01T00:00:00.000Z', createdBy: 'ann' };
    await parts.store.hooks.put(row);
    expect((await parts.tasks.create(EDITOR, { name: 'untold', step })).warnings).toMatchObject([{ code: 'trigger-polls' }]);
    await parts.store.hooks.delivered([{ id: row.id, at: '2030-01-01T00:00:01.000Z', result: 'ping' }]);
    expect((await parts.tasks.create(EDITOR, { name: 'told', step })).warnings).toEqual([]);
  });
});

describe('tasks that follow each other in a circle', () => {
  const step = { contextPath: 'https://git.example/x.git' };
  const task = (name: string, ...after: string[]): TaskInput => ({
    ...{ name, step },
    trigger: { afterTriggers: after.map((one) => ({ name: `on-${one}`, task: one })) },
  });
  const circles = ({ warnings }: { readonly warnings: readonly { readonly code: string; readonly message: string }[] }) =>
    warnings.filter(({ code }) => code === 'trigger-circle').map(({ message }) => message);

  test('are warned of by create, update and apply', async () => {
    expect(circles(await parts.tasks.create(ADMIN, task('la', 'lb')))).toEqual([]);
    const made = await parts.tasks.create(ADMIN, task('lb', 'other', 'la'));
    expect(circles(made)).toEqual(['the task would follow itself: lb → la → lb']);
    expect(made.warnings.find(({ code }) => code === 'trigger-circle')?.field).toBe('trigger.afterTriggers[1].task');
    expect(circles(await parts.tasks.replace(ADMIN, task('la', 'lc')))).toEqual([]);
    const documents = [task('lc', 'ld'), task('ld', 'lb')].map((input) => ({ input }));
    const applied = await applyTasks(parts.tasks, ADMIN, documents);
    expect(applied.tasks.map(circles)).toEqual([[], ['the task would follow itself: ld → lc → la → lb → ld']]);
    expect(circles(await parts.tasks.patch(ADMIN, 'la', { timeout: 700 }))).toEqual([
      'the task would follow itself: la → lb → ld → lc → la',
    ]);
  });

  test('are none while one of them or its trigger is disabled, nor beside a circle of others', async () => {
    await parts.tasks.create(ADMIN, task('la', 'lb'));
    await parts.tasks.create(ADMIN, { ...task('lb', 'la'), status: 'Disabled' });
    expect(circles(await parts.tasks.patch(ADMIN, 'la', { timeout: 700 }))).toEqual([]);
    expect(circles(await parts.tasks.patch(ADMIN, 'lb', { status: 'Enabled' }))).toHaveLength(1);
    expect(circles(await parts.tasks.create(ADMIN, task('lc', 'la')))).toEqual([]);
    const off = { afterTriggers: [{ name: 'on-la', task: 'la', status: 'Disabled' as const }] };
    expect(circles(await parts.tasks.replace(ADMIN, { ...task('lb'), trigger: off }))).toEqual([]);
  });
});

test('secrets of triggers are sealed to their place, never shown, and stay when they are sent back', async () => {
  const token = { plain: 'hidden-token' };
  const trigger: TriggersInput = {
    sourceTriggers: [{ name: 'git', sourceRepository: { sourceControlAuthProperties: { token } } }],
    baseImageTrigger: { updateTriggerEndpoint: { plain: 'https://ci.example/hidden-path' } },
  };
  const { record } = await parts.tasks.create(EDITOR, { ...WEB, trigger });
  const open = (ref: unknown, field: string): string =>
    parts.box.open(Buffer.from(String(Object(ref).sealed), 'base64'), taskSecretBinding('web', field)).toString();
  const { sourceTriggers, baseImageTrigger } = triggersOf(record.definition);
  expect(open(sourceTriggers[0]?.sourceRepository.sourceControlAuthProperties?.token, 'sourceToken:git')).toBe('hidden-token');
  expect(open(baseImageTrigger?.updateTriggerEndpoint, 'updateTriggerEndpoint')).toBe('https://ci.example/hidden-path');
  const shown = taskResourceOf(record);
  expect(JSON.stringify(shown)).not.toMatch(/sealed|hidden/);
  taskResource.parse(shown);
  const back = await parts.tasks.replace(EDITOR, { ...WEB, trigger: shown.trigger });
  expect(back).toMatchObject({ action: 'unchanged', changes: [] });
  const renamed = { ...shown.trigger, sourceTriggers: shown.trigger.sourceTriggers.map((one) => ({ ...one, name: 'other' })) };
  expect((await refusal(parts.tasks.replace(EDITOR, { ...WEB, trigger: renamed }))).diagnostics[0]?.field).toBe(
    `${SOURCE}.sourceRepository.sourceControlAuthProperties.token`,
  );
});

test('a task with triggers goes through YAML and back without a change', async () => {
  const text = `kind: Task
name: web
step:
  contextPath: ${GIT}#main
trigger:
  sourceTriggers:
    - sourceTriggerEvents: [commit, pullrequest, tag]
      branches: [main, release/**, '!release/old']
      tags: ['v*']
      paths:
        include: [src/**]
        exclude: ['**/*.md']
      sourceRepository:
        sourceControlType: Gitea
        sourceControlAuthProperties:
          token: { secret: forge }
      forks: ignore
      pollInterval: 120
  timerTriggers:
    - schedule: 0 3 * * 1-5
      onMissed: all
      mostMissed: 3
      overlap: skip
      jitter: 300
  baseImageTrigger:
    baseImageTriggerType: All
    updateTriggerEndpoint: { secret: hook }
    window: 60
    poll: { least: 60, most: 120 }
    trackIndex: true
    tracks:
      - { image: node, by: semver, pattern: ~1.2 }
      - { image: ghcr.io/me/base, by: regex, pattern: '^v(\\d+)$' }
  afterTriggers:
    - { task: base, on: pushed }
`;
  const read = (source: string) => {
    const documents = readTaskDocuments({ name: 'web.yaml', text: source });
    if (!documents.ok) throw new Error(JSON.stringify(documents.error));
    return documents.value;
  };
  const applied = await applyTasks(parts.tasks, EDITOR, read(text));
  expect(applied.tasks[0]?.action).toBe('created');
  const yaml = definitionToYaml(taskResourceOf(await parts.tasks.get(EDITOR, 'web')));
  expect(yaml).toContain('by: semver');
  expect((await applyTasks(parts.tasks, EDITOR, read(yaml))).tasks[0]).toMatchObject({ action: 'unchanged', changes: [] });
});

test('mistakes in a file are told where they stand', async () => {
  const text = 'name: web\nstep:\n  contextPath: https://git.example/web.git\ntrigger:\n  timerTriggers:\n    - schedule: "0 25 * * *"\n';
  const documents = readTaskDocuments({ name: 'web.yaml', text });
  if (!documents.ok) throw new Error(JSON.stringify(documents.error));
  const error = await refusal(applyTasks(parts.tasks, EDITOR, documents.value));
  expect(error.message).toContain('web.yaml:6:18');
  const unknown = readTaskDocuments({ name: 'web.yaml', text: text.replace('schedule', 'shedule') });
  expect(unknown).toMatchObject({
    ok: false,
    error: [{ code: 'task-field-unknown', help: 'did you mean "schedule"?' }, { code: 'task-field-missing' }],
  });
});

test('other branches are other code: of a task with special rights only an admin names them', async () => {
  const policy = { privileged: true };
  await parts.tasks.create(ADMIN, { ...WEB, policy });
  const sourceTriggers = [{ branches: ['**'] }];
  expect((await refusal(parts.tasks.patch(EDITOR, 'web', { trigger: { sourceTriggers } }))).code).toBe('forbidden');
  const timerTriggers = [{ schedule: '0 3 * * *' }];
  expect((await parts.tasks.patch(EDITOR, 'web', { trigger: { timerTriggers } })).action).toBe('updated');
});

describe('a repository of the own machine', () => {
  const rules = { ...standardTaskDefaults('x64'), allowFileGit: true };
  const fieldsOf = (input: TaskInput) => checkTaskInput(input, rules).map(({ field }) => field);

  test('is followed where the daemon allows it', () => {
    const input: TaskInput = { name: 'web', step: { contextPath: 'file:///srv/web.git#main:app' } };
    expect(fieldsOf(input)).toEqual([]);
    expect(namedTriggers(input).sourceTriggers).toHaveLength(1);
    expect(contextRepository(input.step.contextPath)).toEqual({ url: 'file:///srv/web.git', ref: 'main' });
    expect(fieldsOf({ ...WEB, trigger: repository('file:///srv/other.git') })).toEqual([]);
  });

  test.each(['file://srv/web.git', 'file:///', 'file:///srv/../etc', 'file:///srv/web.git#--x', 'file:///srv/web.git#main:../..'])(
    '%s is none',
    (contextPath) => expect(fieldsOf({ name: 'web', step: { contextPath } })).toEqual(['step.contextPath']),
  );
});
