import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { type RawAnswer, send } from './client.ts';
import { type DaemonFixture, startDaemon, TASK_FILE } from './daemon-fixture.ts';

const RUN = { type: 'EncodedTaskRunRequest', encodedTaskContent: TASK_FILE };

async function create(
  to: DaemonFixture,
  key: string,
  more: { readonly token?: string; readonly body?: unknown; readonly path?: string } = {},
) {
  const { path = '/api/v1/runs', body = RUN, token } = more;
  const request = { method: 'POST', path, body, headers: { 'idempotency-key': key } };
  return send(to.socket, token === undefined ? request : { ...request, token });
}

async function runCount({ store }: DaemonFixture): Promise<number> {
  return (await store.runs.list({ limit: 1000 })).length;
}

/** The answer without what belongs to the request. */
function essence({ status, headers, text }: RawAnswer) {
  return { status, text, type: headers['content-type'], location: headers['location'], etag: headers['etag'] };
}

it('gives the same answer to the same request, and makes one run', async () => {
  await using daemon = await startDaemon();
  const first = await create(daemon, 'key-1');
  const again = await create(daemon, 'key-1', { body: { encodedTaskContent: TASK_FILE, type: RUN.type } });
  expect(first.status).toBe(201);
  expect(essence(again)).toStrictEqual(essence(first));
  expect([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']]).toStrictEqual([undefined, 'true']);
  expect(await runCount(daemon)).toBe(1);
  expect((await create(daemon, 'key-2')).json()['runId']).not.toBe(first.json()['runId']);
});

it('refuses the key with another body, or for another route', async () => {
  await using daemon = await startDaemon();
  await daemon.defineTask('one');
  await create(daemon, 'key');
  const others = [{ body: { ...RUN, priority: 1 } }, { path: '/api/v1/runs/ra001/rerun', body: {} }];
  for (const other of others) {
    const answer = await create(daemon, 'key', other);
    expect([answer.status, answer.json()['code']]).toStrictEqual([422, 'idempotency-mismatch']);
  }
  expect(await runCount(daemon)).toBe(1);
});

it('keeps the keys of each asker apart', async () => {
  await using daemon = await startDaemon();
  const [one, two] = [await daemon.token({ name: 'same', role: 'runner' }), await daemon.token({ name: 'same', role: 'runner' })];
  const answers = [await create(daemon, 'key', { token: one }), await create(daemon, 'key', { token: two })];
  expect(new Set(answers.map((answer) => answer.json()['runId'])).size).toBe(2);
});

it('works for every route that creates', async () => {
  await using daemon = await startDaemon();
  const task = { name: 'one', step: { encodedTaskContent: TASK_FILE } };
  const requests = [
    { path: '/api/v1/tasks', body: task },
    { path: '/api/v1/runs', body: { type: 'TaskRunRequest', task: 'one' } },
    { path: '/api/v1/runs/ra001/rerun', body: {} },
    { path: '/api/v1/apply', body: { tasks: [{ ...task, name: 'two' }] } },
    { path: '/api/v1/tokens', body: { name: 'new', role: 'viewer' } },
  ];
  for (const [index, request] of requests.entries()) {
    const first = await create(daemon, `key-${index}`, request);
    const again = await create(daemon, `key-${index}`, request);
    expect([request.path, first.status < 300, again.headers['idempotency-replayed']]).toStrictEqual([request.path, true, 'true']);
    expect(essence(again)).toStrictEqual(essence(first));
  }
  expect(await runCount(daemon)).toBe(2);
});

it('keeps no token that it can give again in clear', async () => {
  await using daemon = await startDaemon();
  const answer = await create(daemon, 'key', { path: '/api/v1/tokens', body: { name: 'new', role: 'admin' } });
  const { token } = answer.json();
  expect(token).toMatch(/^slw_/);
  for (const name of (await readdir(daemon.directory)).filter((file) => file.startsWith('slipway.db'))) {
    const bytes = await readFile(`${daemon.directory}/${name}`);
    expect(bytes.includes(String(token))).toBe(false);
    expect(bytes.includes(Buffer.from(String(token)).toString('base64').slice(4, 40))).toBe(false);
  }
});

it('answers the retry of a client that was killed between sending and reading', async () => {
  await using daemon = await startDaemon();
  for (let count = 0; count < 20; count += 1) {
    await sendAndDie(daemon.socket, `killed-${count}`, count % 2 === 0);
    const answer = await untilAnswered(() => create(daemon, `killed-${count}`));
    expect(answer.status).toBe(201);
  }
  expect(await runCount(daemon)).toBe(20);
});

const NORMAL = {
  ...{ type: RUN.type, env: [], noPush: false, keepGoing: false, isArchiveEnabled: false, credentials: [] },
  ...{ encodedTaskContent: TASK_FILE, values: [] },
};

/** As a process leaves a key that was killed between taking it and answering. */
async function takeKeyAndDie({ store }: DaemonFixture, key: string): Promise<void> {
  const fingerprint = createHash('sha256')
    .update(JSON.stringify(['POST', '/api/v1/runs', NORMAL]))
    .digest('hex');
  const principal = `socket uid ${process.getuid?.() ?? 0}`;
  expect(await store.idempotency.begin({ principal, key, fingerprint, staleMs: 300 })).toStrictEqual({ kind: 'new' });
}

it('tells a repeat to come again that the first request keeps waiting', async () => {
  await using daemon = await startDaemon({ limits: { idempotencyPatienceMs: 20 } });
  await takeKeyAndDie(daemon, 'busy');
  const early = await create(daemon, 'busy');
  expect([early.status, early.json()['code'], early.headers['retry-after']]).toStrictEqual([409, 'conflict', '1']);
  expect(await runCount(daemon)).toBe(0);
});

it('lets go of a key whose first request died with its process', async () => {
  await using daemon = await startDaemon({ limits: { idempotencyStaleMs: 300 } });
  await takeKeyAndDie(daemon, 'dead');
  expect((await untilAnswered(() => create(daemon, 'dead'))).status).toBe(201);
  expect(await runCount(daemon)).toBe(1);
});

it('lets a request be tried again that the daemon failed at', async () => {
  let failures = 1;
  await using daemon = await startDaemon({
    change: ({ runs }) => ({
      runs: {
        ...bound(runs),
        get draining() {
          return false;
        },
        create: (...args) => {
          if (failures > 0) {
            failures -= 1;
            return Promise.reject(new Error('the disk is on fire at /secret/place'));
          }
          return runs.create(...args);
        },
      },
    }),
  });
  const failed = await create(daemon, 'key');
  expect([failed.status, failed.json()['code']]).toStrictEqual([500, 'internal']);
  expect(failed.text).not.toContain('/secret/place');
  expect(daemon.logged()).toContain('/secret/place');
  expect((await create(daemon, 'key')).status).toBe(201);
});

it('lets a request be tried again that was refused', async () => {
  await using daemon = await startDaemon();
  const body = { type: 'TaskRunRequest', task: 'late' };
  expect((await create(daemon, 'key', { body })).status).toBe(404);
  await daemon.defineTask('late');
  expect((await create(daemon, 'key', { body })).status).toBe(201);
  expect(await runCount(daemon)).toBe(1);
});

it('refuses keys that are none', async () => {
  await using daemon = await startDaemon();
  for (const key of ['', 'with blank', 'x'.repeat(256)]) {
    const answer = await create(daemon, key);
    expect([key, answer.json()['code']]).toStrictEqual([key, 'invalid-request']);
  }
});

function bound(runs: DaemonFixture['services']['runs']): DaemonFixture['services']['runs'] {
  return {
    create: (...args) => runs.create(...args),
    get: (...args) => runs.get(...args),
    events: (...args) => runs.events(...args),
    rerun: (...args) => runs.rerun(...args),
    cancel: (...args) => runs.cancel(...args),
    setArchived: (...args) => runs.setArchived(...args),
    pauseQueue: (...args) => runs.pauseQueue(...args),
    resumeQueue: (...args) => runs.resumeQueue(...args),
    draining: false,
  };
}

/** Writes the whole request and is gone: at once, or when the first byte of the answer comes. */
function sendAndDie(socketPath: string, key: string, atOnce: boolean): Promise<void> {
  const body = JSON.stringify(RUN);
  const head = `POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: ${key}\r\nContent-Type: application/json\r\n`;
  return new Promise((resolve) => {
    const socket = connect(socketPath, () => {
      socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, () => {
        if (atOnce) socket.destroy();
      });
    });
    socket.on('data', () => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

/** A client that is told to come again does. */
async function untilAnswered(ask: () => Promise<RawAnswer>): Promise<RawAnswer> {
  for (;;) {
    const answer = await ask();
    if (answer.status !== 409) return answer;
  }
}
