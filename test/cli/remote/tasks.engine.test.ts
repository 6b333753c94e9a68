import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from '../../support/daemon.ts';
import { folderWith, runTask } from '../task-process.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon[Symbol.asyncDispose]());

function task(args: readonly string[], options: Parameters<typeof runTask>[1] = {}) {
  return runTask(args, { ...options, env: { SLIPWAY_DATA: daemon.data, ...options.env } });
}

async function ok(args: readonly string[], options: Parameters<typeof runTask>[1] = {}): Promise<string> {
  const { code, stdout, stderr } = await task(args, options);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

async function shown(name: string): Promise<Record<string, unknown>> {
  return JSON.parse(await ok(['show', name, '--output', 'json'])) as Record<string, unknown>;
}

const GIT = 'https://git.example.org/me/web.git';

test('a task is defined, changed, disabled, shown, listed and deleted', async () => {
  expect(await ok(['create', 'web', '-c', GIT, '--branch', 'main', '-t', 'web:1', '--arg', 'A=1', '--secret-arg', 'B=hidden-value'])).toBe(
    'web created\n',
  );
  expect(await shown('web')).toMatchObject({
    version: 1,
    step: {
      type: 'Docker',
      contextPath: `${GIT}#main`,
      arguments: [
        { name: 'A', value: '1', isSecret: false },
        { name: 'B', value: { stored: true }, isSecret: true },
      ],
    },
  });
  await ok(['update', '--name', 'web', '--timeout', '20m', '--arg', 'A=2', '--unset', 'image', '--label', 'team=core']);
  const changed = await shown('web');
  expect(changed).toMatchObject({ version: 2, timeout: 1200, tags: { team: 'core' }, step: { imageNames: [] } });
  expect(changed).toMatchObject({
    step: {
      arguments: [
        { name: 'A', value: '2' },
        { name: 'B', value: { stored: true } },
      ],
    },
  });
  expect(await ok(['disable', 'web'])).toBe('web disabled\n');
  expect(await ok(['disable', 'web'])).toBe('web is disabled already\n');
  expect(await ok(['list'])).toMatch(/web +linux\/amd64 +Disabled/);
  const all = await Promise.all([ok(['show', 'web']), ok(['list', '--output', 'yaml']), ok(['show', 'web', '--output', 'yaml'])]);
  for (const text of all) expect(text).not.toContain('hidden-value');
  expect(await ok(['delete', 'web', '--yes'])).toBe('web deleted\n');
  const gone = await task(['show', 'web']);
  expect([gone.code, gone.stderr]).toEqual([2, expect.stringContaining('[not-found]')]);
});

test('mistakes are told before anything is sent, or as the daemon finds them', async () => {
  expect(await task(['create', 'x', '-c', '.'])).toMatchObject({ code: 2, stderr: expect.stringContaining('[context-unsupported]') });
  expect(await task(['create'])).toMatchObject({ code: 2, stderr: expect.stringContaining('the name of a task is missing') });
  expect(await task(['create', 'UPPER', '--cmd', 'busybox'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('[invalid-request]'),
  });
  await ok(['create', 'twice', '--cmd', 'busybox']);
  expect(await task(['create', 'twice', '--cmd', 'busybox'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('[already-exists]'),
  });
  expect(await task(['delete', 'twice'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
  expect(await task(['update', 'twice'])).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing is to be changed') });
  expect(await task(['update', 'twice', '--unset', 'nothing'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('git-access-token'),
  });
});

test('the same key defines a task once', async () => {
  const args = ['create', 'keyed', '--cmd', 'busybox true', '--idempotency-key', 'key-1'];
  await ok(args);
  expect(await ok(args)).toBe('keyed created\n');
});

test('what show prints can be applied again; a folder is applied, pruned and nothing half', async () => {
  await ok(['create', 'origin', '--cmd', 'busybox true', '--priority', '5']);
  const yaml = await ok(['show', 'origin', '--output', 'yaml']);
  const same = folderWith({ 'origin.yaml': yaml });
  expect(await ok(['apply', '-f', 'origin.yaml'], { cwd: same })).toMatch(/^origin +unchanged/);

  const step = 'step: {encodedTaskContent: c3RlcHM6IFtdCg==}';
  const folder = folderWith({ 'tasks/a.yaml': `name: app-a\n${step}\n---\nname: app-b\n${step}\n`, 'tasks/readme.md': 'no task' });
  const apply = ['apply', '-f', 'tasks', '--owner', 'repo'];
  expect(await ok([...apply, '--dry-run'], { cwd: folder })).toMatch(/app-a +would be created/);
  expect((await task(['show', 'app-a'])).code).toBe(2);
  await ok(apply, { cwd: folder });
  expect((await shown('app-b'))['managedBy']).toBe('repo');
  expect(await task(['update', 'app-a', '--priority', '1'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('[managed-by-file]'),
  });
  await ok(['update', 'app-a', '--priority', '1', '--force']);

  const bad = folderWith({ 't/1.yaml': `name: app-c\n${step}\n`, 't/2.yaml': `name: app-d\ntimout: 5\n${step}\n` });
  const refused = await task(['apply', '-f', 't'], { cwd: bad });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('t/2.yaml');
  expect((await task(['show', 'app-c'])).code).toBe(2);

  const fewer = folderWith({ 'a.yaml': `name: app-a\n${step}\n` });
  expect(await ok(['apply', '-f', '.', '--owner', 'repo', '--prune'], { cwd: fewer })).toMatch(/app-b +deleted/);
  expect((await task(['show', 'app-b'])).code).toBe(2);
  expect(await task(['apply', '-f', '-'], { input: 'name: [\n' })).toMatchObject({ code: 2, stderr: expect.stringContaining('<stdin>') });
});

test('credentials of a task come and go without their passwords', async () => {
  await ok(['create', 'pusher', '--cmd', 'busybox true']);
  const env = { PW: 'very-secret-password' };
  const add = ['credential', 'add', 'pusher', '--login-server', 'ghcr.io', '-u', 'me', '-p', 'env:PW'];
  await ok(add, { env });
  expect((await task(add, { env })).stderr).toContain('has a credential for ghcr.io already [already-exists]');
  await ok(['credential', 'update', 'pusher', '--login-server', 'ghcr.io', '-u', 'you', '-p', 'env:PW'], { env });
  const list = await ok(['credential', 'list', 'pusher', '--output', 'json']);
  expect(JSON.parse(list)).toEqual([{ loginServer: 'ghcr.io', userName: 'you', password: { stored: true } }]);
  await ok(['credential', 'remove', 'pusher', '--login-server', 'ghcr.io']);
  expect((await task(['credential', 'list', 'pusher'])).stderr).toContain('no credentials');
});

test('secrets, tokens and the audit: values are never shown again', async () => {
  expect(await ok(['secret', 'set', 'NPM', '--description', 'for npm'], { input: 'topsecret-value\n' })).toContain('NPM');
  expect(await ok(['secret', 'list'])).toMatch(/NPM +all/);
  const token = (await ok(['token', 'create', 'ci', '--role', 'viewer', '--expires', '30d'])).trim();
  expect(token).toMatch(/^slw_[\w-]{43}$/);
  const env = { SLIPWAY_SERVER: daemon.url, SLIPWAY_TOKEN: token };
  expect(JSON.parse(await ok(['whoami', '--output', 'json'], { env }))).toMatchObject({
    role: 'viewer',
    server: daemon.url,
    serverFrom: 'SLIPWAY_SERVER',
  });
  expect(await task(['create', 'no', '--cmd', 'busybox'], { env })).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('[forbidden]'),
  });
  const tokens = JSON.parse(await ok(['token', 'list', '--output', 'json'])) as { readonly id: string; readonly name: string }[];
  const { id = '' } = tokens.find(({ name }) => name === 'ci') ?? {};
  await ok(['token', 'revoke', id]);
  expect(await task(['list'], { env })).toMatchObject({ code: 3, stderr: expect.stringContaining('[unauthenticated]') });
  const audit = await ok(['audit', '--output', 'json', '--top', '200']);
  for (const action of ['secret.set', 'token.create', 'token.revoke']) expect(audit).toContain(action);
  for (const secret of ['topsecret-value', token]) expect(audit + (await ok(['token', 'list', '-o', 'yaml']))).not.toContain(secret);
  await ok(['secret', 'delete', 'NPM', '--yes']);
  expect((await task(['secret', 'list'])).stderr).toContain('There are no secrets');
});

test('a login is kept for later commands and forgotten again', async () => {
  const home = folderWith({});
  const env = { HOME: home, SLIPWAY_DATA: join(home, 'none') };
  expect(await runTask(['list'], { env })).toMatchObject({ code: 3, stderr: expect.stringContaining('[daemon-unreachable]') });
  const bad = await runTask(['login', daemon.url], { env, input: 'slw_wrong\n' });
  expect([bad.code, bad.stderr]).toEqual([3, expect.stringContaining('[unauthenticated]')]);
  const good = await runTask(['login', daemon.url], { env, input: `${daemon.token}\n` });
  expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining('(admin)') });
  expect(JSON.parse(await readFile(join(home, '.config/slipway/login.json'), 'utf8'))).toEqual({ server: daemon.url, token: daemon.token });
  expect((await runTask(['whoami'], { env })).stdout).toContain('(login)');
  expect((await runTask(['logout'], { env })).stdout).toContain('Logged out');
  expect((await runTask(['list'], { env })).code).toBe(3);
});

test('the daemon tells of its agents, its queue and what it would remove', async () => {
  expect(JSON.parse(await ok(['agents', '--output', 'json']))).toMatchObject([{ pool: 'default' }]);
  expect(load(await ok(['queue', '--output', 'yaml']))).toMatchObject({ paused: false, queued: 0 });
  expect(await ok(['gc', '--dry-run'])).toContain('would be removed');
});
