import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { taskResourceOf } from '../../../src/api/task-resource.ts';
import { applyTasks } from '../../../src/service/tasks/apply.ts';
import { definitionToYaml } from '../../../src/service/tasks/definition-yaml.ts';
import { readTaskDocuments, type TaskDocument } from '../../../src/service/tasks/task-documents.ts';
import { ADMIN, openServices, principal, refusal, type ServiceParts } from '../parts.ts';

const EDITOR = principal('editor');
let parts: ServiceParts;

beforeEach(async () => {
  parts = await openServices();
});

afterEach(() => parts[Symbol.asyncDispose]());

function documents(text: string): readonly TaskDocument[] {
  const read = readTaskDocuments({ name: 'tasks.yaml', text });
  if (!read.ok) throw new Error(read.error.map(({ message }) => message).join('\n'));
  return read.value;
}

function task(name: string, more = ''): string {
  return `---\nname: ${name}\n${more}step:\n  contextPath: https://git.example/${name}.git\n`;
}

async function names(): Promise<readonly string[]> {
  return (await parts.tasks.list(ADMIN, { limit: 100 })).map(({ definition }) => definition.name);
}

describe('applying documents', () => {
  test('makes the tasks what they say, and does it once', async () => {
    const first = await applyTasks(parts.tasks, EDITOR, documents(task('a') + task('b')), { source: 'repo', prune: true });
    expect(first.tasks.map(({ name, action }) => [name, action])).toEqual([
      ['a', 'created'],
      ['b', 'created'],
    ]);
    const again = await applyTasks(parts.tasks, EDITOR, documents(task('a') + task('b')), { source: 'repo', prune: true });
    expect(again.tasks.map(({ action }) => action)).toEqual(['unchanged', 'unchanged']);
    await parts.tasks.create(EDITOR, { name: 'by-hand', step: { contextPath: 'https://git.example/x.git' } });
    const third = await applyTasks(parts.tasks, EDITOR, documents(task('b', 'timeout: 600\n')), { source: 'repo', prune: true });
    expect(third.tasks.map(({ name, action, changes }) => [name, action, changes])).toEqual([
      ['b', 'updated', ['timeout']],
      ['a', 'deleted', []],
    ]);
    expect(await names()).toEqual(['b', 'by-hand']);
    expect((await parts.tasks.get(EDITOR, 'b')).managedBy).toBe('repo');
  });

  test('dry, says the same and does nothing', async () => {
    await applyTasks(parts.tasks, EDITOR, documents(task('a') + task('b')), { source: 'repo' });
    const options = { source: 'repo', prune: true };
    const dry = await applyTasks(parts.tasks, EDITOR, documents(task('b', 'priority: 1\n') + task('c')), { ...options, dryRun: true });
    expect(dry.tasks.map(({ name, action }) => [name, action])).toEqual([
      ['b', 'updated'],
      ['c', 'created'],
      ['a', 'deleted'],
    ]);
    expect(await names()).toEqual(['a', 'b']);
    expect((await parts.tasks.get(EDITOR, 'b')).version).toBe(1);
    const done = await applyTasks(parts.tasks, EDITOR, documents(task('b', 'priority: 1\n') + task('c')), options);
    expect(done.tasks).toEqual(dry.tasks);
  });

  test('does nothing at all when one has a mistake, and names all their places', async () => {
    const text = `${task('a')}${task('b', 'timeout: 1\n')}${task('c', 'concurrency: { group: "x-${tsk}" }\n')}---\nname: d\nstep:\n  taskContent: |\n    steps:\n      - cmd: alpine && true\n`;
    const error = await refusal(applyTasks(parts.tasks, EDITOR, documents(text)));
    expect(error.code).toBe('invalid-request');
    expect(error.message).toBe('tasks.yaml:7:10: error: `timeout` is 1 [task-field] (and 2 more)');
    expect(error.diagnostics.map(({ code, range }) => [code, range?.source.name])).toEqual([
      ['task-field', 'tasks.yaml'],
      ['task-field', 'tasks.yaml'],
      ['shell-operator', 'd (task file)'],
    ]);
    expect(await names()).toEqual([]);
  });

  test('names the task where there is no file', async () => {
    const input = { name: 'a', timeout: 1, step: { contextPath: 'https://git.example/a.git' } };
    const error = await refusal(applyTasks(parts.tasks, EDITOR, [{ input }]));
    expect(error.message).toBe('task "a": `timeout` is 1');
    expect(error.diagnostics[0]?.field).toBe('tasks[0].timeout');
    expect(
      (await refusal(applyTasks(parts.tasks, EDITOR, [{ input: { ...input, timeout: 600 } }, { input: { ...input, timeout: 600 } }])))
        .diagnostics[0]?.code,
    ).toBe('task-twice');
  });

  test('leaves tasks of other owners alone unless forced', async () => {
    await applyTasks(parts.tasks, EDITOR, documents(task('a')), { source: 'one' });
    expect((await refusal(applyTasks(parts.tasks, EDITOR, documents(task('a')), { source: 'two' }))).code).toBe('managed-by-file');
    expect((await refusal(applyTasks(parts.tasks, EDITOR, documents(task('a'))))).code).toBe('managed-by-file');
    const taken = await applyTasks(parts.tasks, EDITOR, documents(task('a')), { source: 'two', force: true });
    expect(taken.tasks).toMatchObject([{ action: 'updated', changes: ['managedBy'] }]);
    const other = await applyTasks(parts.tasks, EDITOR, [], { source: 'one', prune: true });
    expect(other.tasks).toEqual([]);
  });

  test('cannot be done in the name of the folder of the daemon', async () => {
    expect((await refusal(applyTasks(parts.tasks, ADMIN, [], { source: 'folder:web.yaml', prune: true }))).code).toBe('invalid-request');
  });

  test('is the business of those who may change the tasks', async () => {
    const team = principal('editor', { tasks: ['a'] });
    expect((await refusal(applyTasks(parts.tasks, team, documents(task('a') + task('b'))))).code).toBe('forbidden');
    expect(await names()).toEqual([]);
    expect((await refusal(applyTasks(parts.tasks, EDITOR, documents(task('a', 'policy: { privileged: true }\n'))))).code).toBe('forbidden');
  });
});

test('what `show` prints is taken back unchanged, sealed values too', async () => {
  await parts.tasks.create(ADMIN, {
    name: 'web',
    step: {
      encodedTaskContent: Buffer.from('steps:\n  - cmd: alpine true\n').toString('base64'),
      contextPath: 'https://git.example/web.git',
      contextAccessToken: { plain: 'hidden' },
      values: [
        { name: 'A', isSecret: true, value: 'hidden' },
        { name: 'B', value: ' two\nlines ' },
      ],
    },
    credentials: [{ loginServer: 'r.example', userName: { plain: 'hidden' }, password: { plain: 'hidden' } }],
    policy: { dockerSocket: true },
    tags: { '1': 'yes' },
  });
  const before = await parts.tasks.get(ADMIN, 'web');
  const text = definitionToYaml(taskResourceOf(before));
  expect(text).not.toMatch(/hidden|sealed/);
  const { tasks } = await applyTasks(parts.tasks, EDITOR, documents(text));
  expect(tasks).toMatchObject([{ name: 'web', action: 'unchanged' }]);
  expect(await parts.tasks.get(ADMIN, 'web')).toEqual(before);
  const copy = await refusal(applyTasks(parts.tasks, ADMIN, documents(text.replace('name: web', 'name: copy'))));
  expect(copy.diagnostics.map(({ field }) => field)).toEqual([
    'step.contextAccessToken',
    'step.values[0].value',
    'credentials[0].userName',
    'credentials[0].password',
  ]);
  expect(copy.diagnostics.every(({ range }) => range?.source.name === 'tasks.yaml')).toBe(true);
});
