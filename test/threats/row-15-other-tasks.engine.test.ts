import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROUTES } from '../../src/api/routes.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { begin, ended, runToEnd, shellTask } from './threat-rig.ts';

const CANARY = 'canary-of-the-others-15';
let daemon: TestDaemon;
let token: string;
const theirs: string[] = [];
let own: string;

beforeAll(async () => {
  daemon = await startDaemon({ args: ['--max-runs', '2'] });
  for (const name of ['own-one', 'other-one']) {
    const step = { encodedTaskContent: Buffer.from(shellTask(`echo ${name === 'own-one' ? 'mine' : CANARY}`)).toString('base64') };
    expect((await daemon.api('POST', '/api/v1/tasks', { name, step, tags: { note: name === 'own-one' ? 'mine' : CANARY } })).status).toBe(
      201,
    );
  }
  theirs.push((await runToEnd(daemon, { type: 'TaskRunRequest', task: 'other-one' })).run.runId);
  own = (await runToEnd(daemon, { type: 'TaskRunRequest', task: 'own-one' })).run.runId;
  await daemon.api('POST', '/api/v1/queue/pause', {});
  theirs.push(await begin(daemon, { type: 'TaskRunRequest', task: 'other-one' }));
  const made = await daemon.api<{ token: string }>('POST', '/api/v1/tokens', { name: 'limited', role: 'editor', tasks: ['own-*'] });
  token = made.body.token;
});
afterAll(() => daemon[Symbol.asyncDispose]());

/** What an answer may not tell: that the runs of others are there, and anything of them. */
function expectNothingOfThem(text: string): void {
  for (const word of [CANARY, 'other-one', ...theirs]) expect(text).not.toContain(word);
}

const BODIES: Readonly<Record<string, unknown>> = {
  createTask: { name: 'other-two', step: { encodedTaskContent: '' } },
  putTask: { name: 'other-one', step: { encodedTaskContent: Buffer.from('steps: []').toString('base64') } },
  patchTask: { timeout: 600 },
  putCredential: { userName: 'u', password: { plain: 'pass-word' } },
  apply: {
    tasks: [
      { name: 'own-two', step: {} },
      { name: 'other-one', step: {} },
    ],
    dryRun: true,
  },
  createRun: { type: 'TaskRunRequest', task: 'other-one' },
  patchRun: { isArchiveEnabled: true },
  putTimer: { schedule: '0 3 * * *' },
};

const perThing = ROUTES.filter(({ path, name }) => /:id|:name/.test(path) && !/tokens|secrets/.test(path) && name !== 'putUpload');

it.each(perThing.map(({ name, method, path }) => [name, method, path] as const))(
  'threat 15: %s refuses what belongs to others as if it were not there',
  async (name, method, route) => {
    // Events are of all tasks; one that is not there is refused in the same way.
    const path = route.replace('/trigger-events/:id', '/trigger-events/e999999').replace(':timer', 'nightly');
    for (const id of path.includes('/runs') ? theirs : ['other-one']) {
      const place = path.replace(/:id|:name/, id).replace(':server', 'registry.example');
      const missing = path.replace(/:id|:name/, path.includes('/runs') ? 'zz999' : 'own-missing').replace(':server', 'registry.example');
      const answer = await daemon.api(method, place, BODIES[name] ?? (method === 'GET' || method === 'DELETE' ? undefined : {}), { token });
      expect([place, answer.status]).toStrictEqual([place, expect.toSatisfy((status) => status === 403 || status === 404)]);
      if (path.includes('/runs')) {
        const nowhere = await daemon.api(method, missing, BODIES[name] ?? (method === 'GET' || method === 'DELETE' ? undefined : {}), {
          token,
        });
        expect(answer.status).toBe(nowhere.status);
      }
      expect(JSON.stringify(answer.body)).not.toContain(CANARY);
    }
  },
);

it('threat 15: lists, counts and the queue show nothing of others', async () => {
  for (const path of [
    'runs?top=100',
    'runs?task=other-one',
    'runs?status=Queued',
    'tasks?top=100',
    'queue',
    'agents',
    'runs/last?task=own-one',
    'me',
  ]) {
    const { status, body } = await daemon.api('GET', `/api/v1/${path}`, undefined, { token });
    expect([path, status < 500]).toStrictEqual([path, true]);
    expectNothingOfThem(JSON.stringify(body).replaceAll('/runs/last', ''));
  }
  const last = await daemon.api<{ runId: string }>('GET', '/api/v1/runs/last', undefined, { token });
  if (last.status === 200) expect(last.body.runId).toBe(own);
  for (const path of ['audit', 'tokens']) expect((await daemon.api('GET', `/api/v1/${path}`, undefined, { token })).status).toBe(403);
  for (const name of ['createRun', 'createTask', 'apply']) {
    const { path } = ROUTES.find((route) => route.name === name) ?? { path: '' };
    const { status } = await daemon.api('POST', path, BODIES[name], { token });
    expect([name, status]).toStrictEqual([name, expect.toSatisfy((code) => code === 403 || code === 404)]);
  }
});

it('threat 15: the stream of all runs tells of the own ones only', async () => {
  const { hostname, port } = new URL(daemon.url);
  let heard = '';
  const stream = request({
    host: hostname,
    port,
    path: '/api/v1/events',
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
  });
  const closed = new Promise<void>((resolve) => stream.on('close', () => resolve()));
  const open = new Promise<void>((resolve, reject) => {
    stream.on('error', reject);
    stream.on('response', (response) => {
      response.setEncoding('utf8').on('data', (text: string) => {
        heard += text;
        if (heard.includes('"run-finished"') || heard.includes('Succeeded')) stream.destroy();
      });
      response.on('error', () => undefined);
      resolve();
    });
    stream.end();
  });
  await open;
  const mine = await begin(daemon, { type: 'TaskRunRequest', task: 'own-one' });
  await daemon.api('POST', '/api/v1/queue/resume', {});
  await ended(daemon, theirs[1] ?? '');
  await ended(daemon, mine);
  await closed;
  expect(heard).toContain(mine);
  expectNothingOfThem(heard);
});
