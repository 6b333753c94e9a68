import { expect, it } from 'vitest';
import { send } from './client.ts';
import { startDaemon, TASK_FILE } from './daemon-fixture.ts';

const PATH = '/api/v1/tasks/app';
const TASK = {
  name: 'app',
  step: {
    dockerFilePath: 'Dockerfile',
    imageNames: ['app:1'],
    contextPath: 'https://git.example/app.git#main',
    arguments: [
      { name: 'A', value: 'plain' },
      { name: 'B', isSecret: true, value: 'hidden-value-1' },
    ],
  },
  credentials: [{ loginServer: 'registry.example', userName: 'me', password: { plain: 'hidden-value-2' } }],
  tags: { team: 'one' },
};

it('gives back what can be sent again, with secrets that stay', async () => {
  await using daemon = await startDaemon();
  const made = await send(daemon.socket, { method: 'POST', path: '/api/v1/tasks', body: TASK });
  expect([made.status, made.headers['etag'], made.headers['location']]).toStrictEqual([201, '"1"', PATH]);
  const shown = await send(daemon.socket, { path: PATH });
  expect(shown.text).not.toContain('hidden-value');
  const before = await daemon.store.tasks.get('app');
  const again = await send(daemon.socket, { method: 'PUT', path: PATH, body: shown.json() });
  expect([again.status, again.text]).toStrictEqual([200, expect.not.stringContaining('hidden-value')]);
  expect((await daemon.store.tasks.get('app'))?.definition).toStrictEqual(before?.definition);
});

it('refuses a change of what another changed meanwhile', async () => {
  await using daemon = await startDaemon();
  await send(daemon.socket, { method: 'POST', path: '/api/v1/tasks', body: TASK });
  const first = { 'if-match': '"1"' };
  const changed = await send(daemon.socket, { method: 'PATCH', path: PATH, body: { priority: 5 }, headers: first });
  expect([changed.status, changed.headers['etag']]).toStrictEqual([200, '"2"']);
  for (const request of [{ method: 'PATCH', body: { priority: 6 } }, { method: 'PUT', body: TASK }, { method: 'DELETE' }]) {
    const late = await send(daemon.socket, { ...request, path: PATH, headers: first });
    expect([late.status, late.json()['code']]).toStrictEqual([412, 'version-conflict']);
  }
  expect((await send(daemon.socket, { method: 'DELETE', path: PATH, headers: { 'if-match': '2' } })).status).toBe(422);
  expect((await send(daemon.socket, { method: 'DELETE', path: PATH, headers: { 'if-match': '"2"' } })).status).toBe(204);
  expect((await send(daemon.socket, { path: PATH })).status).toBe(404);
});

it('patches what is named and nothing else', async () => {
  await using daemon = await startDaemon();
  await send(daemon.socket, { method: 'POST', path: '/api/v1/tasks', body: TASK });
  const body = { step: { arguments: { set: [{ name: 'A', value: 'new' }] }, target: 'release' }, unset: ['tags.team'], timeout: 600 };
  const { status, text } = await send(daemon.socket, { method: 'PATCH', path: PATH, body });
  expect(status, text).toBe(200);
  expect(JSON.parse(text)).toMatchObject({
    timeout: 600,
    step: {
      target: 'release',
      imageNames: ['app:1'],
      arguments: [
        { name: 'A', value: 'new' },
        { name: 'B', value: { stored: true } },
      ],
    },
  });
  expect(JSON.parse(text)).not.toHaveProperty('tags');
});

it('refuses a PUT whose body names another task', async () => {
  await using daemon = await startDaemon();
  const answer = await send(daemon.socket, { method: 'PUT', path: PATH, body: { ...TASK, name: 'other' } });
  expect([answer.status, answer.json()['code']]).toStrictEqual([422, 'invalid-request']);
});

it('pages lists, and takes no cursor of another list', async () => {
  await using daemon = await startDaemon();
  for (const name of ['a', 'b', 'c']) await daemon.defineTask(name);
  for (let count = 0; count < 3; count += 1) await daemon.queueRun('a');
  const page = (await send(daemon.socket, { path: '/api/v1/tasks?top=2' })).json() as { items: { name: string }[]; next: string };
  expect(page.items.map(({ name }) => name)).toStrictEqual(['a', 'b']);
  const rest = (await send(daemon.socket, { path: `/api/v1/tasks?top=2&after=${page.next}` })).json();
  expect(rest).toStrictEqual({ items: [expect.objectContaining({ name: 'c' })] });
  const runs = (await send(daemon.socket, { path: '/api/v1/runs?top=2&status=Queued,Running' })).json();
  expect(runs).toMatchObject({ items: [{ runId: 'ra003', waiting: { position: 3 } }, { runId: 'ra002' }], next: expect.any(String) });
  expect((await send(daemon.socket, { path: `/api/v1/runs?after=${page.next}` })).status).toBe(422);
});

it('applies tasks that are declared, all or none', async () => {
  await using daemon = await startDaemon();
  const inline = (name: string) => ({ name, step: { encodedTaskContent: TASK_FILE } });
  const bad = { name: 'bad', step: { encodedTaskContent: Buffer.from('steps: 7').toString('base64') } };
  const refused = await send(daemon.socket, { method: 'POST', path: '/api/v1/apply', body: { tasks: [inline('a'), bad] } });
  expect(refused.status).toBe(422);
  expect(await daemon.store.tasks.get('a')).toBeUndefined();
  const body = { tasks: [inline('a'), inline('b')], managedBy: 'tasks.yaml' };
  const applied = await send(daemon.socket, { method: 'POST', path: '/api/v1/apply', body });
  expect(applied.json()).toMatchObject({
    dryRun: false,
    tasks: [
      { name: 'a', action: 'created' },
      { name: 'b', action: 'created' },
    ],
  });
  const pruned = { tasks: [inline('b')], managedBy: 'tasks.yaml', prune: true };
  expect((await send(daemon.socket, { method: 'POST', path: '/api/v1/apply', body: pruned })).json()).toMatchObject({
    tasks: [
      { name: 'b', action: 'unchanged' },
      { name: 'a', action: 'deleted' },
    ],
  });
});
