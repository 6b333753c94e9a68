import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { daemonPrincipal } from '../../../src/service/security/authorisation.ts';
import { watchTasksFolder } from '../../../src/service/tasks/tasks-folder.ts';
import { ADMIN, openServices, type ServiceParts } from '../parts.ts';

let parts: ServiceParts;
let folder: string;
let stop: AbortController;
let ended: Promise<void> = Promise.resolve();
/** What the folder said, in order; `next` waits for the next. */
let said: string[];
let waiting: (() => void) | undefined;

beforeEach(async () => {
  parts = await openServices();
  folder = join(parts.directory, 'tasks.d');
  await mkdir(folder);
  stop = new AbortController();
  said = [];
});

afterEach(async () => {
  stop.abort();
  await ended;
  await parts[Symbol.asyncDispose]();
});

function say(text: string): void {
  said.push(text);
  waiting?.();
}

async function next(): Promise<string> {
  while (said.length === 0) {
    await new Promise<void>((resolve) => {
      waiting = resolve;
    });
  }
  return said.shift() ?? '';
}

async function start(): Promise<void> {
  const watching = await watchTasksFolder({
    directory: folder,
    tasks: parts.tasks,
    principal: daemonPrincipal('tasks.d'),
    onProblem: (file, { message }) => say(`${file}: ${message}`),
    onApplied: (changes) => say(changes.map(({ name, action }) => `${action} ${name}`).join(', ')),
    signal: stop.signal,
    settleMs: 20,
    lookMs: 20,
  });
  ended = watching.ended;
}

function task(name: string, more = ''): string {
  return `---\nname: ${name}\n${more}step:\n  contextPath: https://git.example/${name}.git\n`;
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(join(folder, `.${file}.new`), text);
  await rename(join(folder, `.${file}.new`), join(folder, file));
}

async function names(): Promise<string> {
  return (await parts.tasks.list(ADMIN, { limit: 100 })).map(({ definition }) => definition.name).join(' ');
}

describe('a folder of tasks', () => {
  test('is applied at once, and whenever it changes', async () => {
    await write('web.yaml', task('a') + task('b'));
    await start();
    expect(await next()).toBe('created a, created b');
    expect((await parts.tasks.get(ADMIN, 'a')).managedBy).toBe('folder:web.yaml');
    await write('web.yaml', task('a', 'timeout: 600\n'));
    expect(await next()).toBe('updated a, deleted b');
    await write('more.yml', task('c'));
    expect(await next()).toBe('created c');
    await rm(join(folder, 'web.yaml'));
    expect(await next()).toBe('deleted a');
    expect(await names()).toBe('c');
  });

  test('that is moved away keeps its tasks, and is watched again when it is back', async () => {
    await write('web.yaml', task('a'));
    await start();
    expect(await next()).toBe('created a');
    await rename(folder, `${folder}.away`);
    expect(await next()).toBe(`: the folder ${folder} is not there; it is read when it is`);
    expect(await names()).toBe('a');
    await mkdir(folder);
    await write('web.yaml', task('a') + task('b'));
    expect(await next()).toBe('created b');
    await write('web.yaml', task('b'));
    expect(await next()).toBe('deleted a');
  });

  test('behind a link is that of the link, also when it leads elsewhere', async () => {
    await write('web.yaml', task('a'));
    const [first, second] = [folder, join(parts.directory, 'second')];
    await mkdir(second);
    await writeFile(join(second, 'web.yaml'), task('b'));
    folder = join(parts.directory, 'current');
    await symlink(first, folder);
    await start();
    expect(await next()).toBe('created a');
    await symlink(second, `${folder}.new`);
    await rename(`${folder}.new`, folder);
    expect(await next()).toBe('created b, deleted a');
    await write('more.yaml', task('c'));
    expect(await next()).toBe('created c');
  });

  test('with a bad file keeps the last good state of it, and says where the mistake is, once', async () => {
    await write('good.yaml', task('good'));
    await write('web.yaml', task('a'));
    await start();
    expect(await next()).toBe('created good, created a');
    await write('web.yaml', `${task('a')}timeuot: 5\n`);
    expect(await next()).toBe('web.yaml: web.yaml:5:1: error: `timeuot` is no field of a task [task-field-unknown]');
    await write('good.yaml', task('good', 'priority: 1\n'));
    expect(await next()).toBe('updated good');
    await write('web.yaml', task('a', 'timeout: 1\n'));
    expect(await next()).toBe('web.yaml: web.yaml:3:10: error: `timeout` is 1 [task-field]');
    await truncate(join(folder, 'web.yaml'));
    expect(await next()).toBe('web.yaml: web.yaml defines no task; remove the file to delete its tasks');
    expect(await names()).toBe('a good');
    await write('web.yaml', task('a', 'timeout: 600\n'));
    expect(await next()).toBe('updated a');
  });

  test('deletes what was removed while nobody watched, and nothing of others', async () => {
    await write('web.yaml', task('a') + task('b'));
    await start();
    expect(await next()).toBe('created a, created b');
    stop.abort();
    await ended;
    stop = new AbortController();
    await parts.tasks.create(ADMIN, { name: 'by-hand', step: { contextPath: 'https://git.example/x.git' } });
    await rm(join(folder, 'web.yaml'));
    await start();
    expect(await next()).toBe('deleted a, deleted b');
    expect(await names()).toBe('by-hand');
  });

  test('that is gone deletes nothing', async () => {
    await write('web.yaml', task('a'));
    await start();
    expect(await next()).toBe('created a');
    await rename(folder, `${folder}.away`);
    expect(await next()).toContain('is not there; it is read when it is');
    expect(await names()).toBe('a');
    await writeFile(join(`${folder}.away`, 'web.yaml'), task('b'));
    await rename(`${folder}.away`, folder);
    expect(await next()).toBe('created b, deleted a');
  });

  test('may come later', async () => {
    await rm(folder, { recursive: true });
    await start();
    expect(await next()).toContain('is not there; it is read when it is');
    await mkdir(folder);
    await write('web.yaml', task('a'));
    expect(await next()).toBe('created a');
  });

  test('may be a link, and hold links that stay inside, as mounted configuration does', async () => {
    const data = join(parts.directory, 'mounted');
    for (const version of ['one', 'two']) await mkdir(join(data, `..${version}`), { recursive: true });
    await writeFile(join(data, '..one', 'web.yaml'), task('a'));
    await writeFile(join(data, '..two', 'web.yaml'), task('a', 'timeout: 600\n'));
    await symlink('..one', join(data, '..data'));
    await symlink(join('..data', 'web.yaml'), join(data, 'web.yaml'));
    await rm(folder, { recursive: true });
    await symlink(data, folder);
    await start();
    expect(await next()).toBe('created a');
    await symlink('..two', join(data, '..data.new'));
    await rename(join(data, '..data.new'), join(data, '..data'));
    expect(await next()).toBe('updated a');
  });

  test('lets a task move from one file to another', async () => {
    await write('one.yaml', task('a') + task('b'));
    await start();
    expect(await next()).toBe('created a, created b');
    await write('two.yaml', task('b'));
    expect(await next()).toContain('two.yaml: two.yaml:2:7: error: the task "b" is defined in one.yaml already');
    await write('one.yaml', task('a'));
    expect(await next()).toBe('updated b');
    expect((await parts.tasks.get(ADMIN, 'b')).managedBy).toBe('folder:two.yaml');
  });

  test('does not take tasks that were made by hand with an owner, nor follows links out of it', async () => {
    const outside = join(parts.directory, 'outside.yaml');
    await writeFile(outside, task('outside'));
    await symlink(outside, join(folder, 'link.yaml'));
    await write('web.yaml', task('a'));
    await symlink(join(folder, 'web.yaml'), join(folder, '.hidden.yaml'));
    await mkdir(join(folder, 'sub.yaml'));
    await parts.tasks.replace(ADMIN, { name: 'a', step: { contextPath: 'https://git.example/a.git' } }, { managedBy: 'repo' });
    await start();
    expect([await next(), await next(), await next()]).toEqual([
      'link.yaml: link.yaml is a link that leads out of the folder',
      'sub.yaml: sub.yaml is no file',
      'web.yaml: the task "a" is managed by repo',
    ]);
    expect(await names()).toBe('a');
  });
});
