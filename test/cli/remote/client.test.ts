import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDaemonClient } from '../../../src/cli/remote/client.ts';
import { findServer, knowsServer, parseServer } from '../../../src/cli/remote/find-server.ts';
import { readLogin, writeLogin } from '../../../src/cli/remote/login-file.ts';
import { DaemonProblem } from '../../../src/cli/remote/problem.ts';
import { EngineError } from '../../../src/model/engine-error.ts';
import { startHttpServer } from '../../support/http-server.ts';
import { folderWith } from '../task-process.ts';
import { remoteIo } from './remote-io.ts';

function clientOf(url: string, token?: string) {
  const place = parseServer(url, '--server', { directory: '/' });
  return createDaemonClient(token === undefined ? place : { ...place, token }, {});
}

async function failure(work: Promise<unknown>): Promise<EngineError> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(EngineError);
  return error as EngineError;
}

test('a problem of the daemon is an error with its code, help and mistakes', async () => {
  await using server = await startHttpServer((_request, response) => {
    response.writeHead(412, { 'content-type': 'application/problem+json' });
    response.end(
      JSON.stringify({
        ...{
          type: 'x',
          title: 'Changed',
          status: 412,
          detail: 'web has version 4',
          code: 'version-conflict',
          help: 'look again',
          instance: 'r1',
        },
        diagnostics: [{ code: 'field', severity: 'error', message: 'no', field: 'tasks[0].name' }, 'garbage'],
      }),
    );
  });
  const error = await failure(clientOf(server.url).call({ method: 'GET', path: '/tasks/web' }));
  expect(error).toBeInstanceOf(DaemonProblem);
  expect([error.code, error.message, error.help]).toEqual(['version-conflict', 'web has version 4', 'look again']);
  expect((error as DaemonProblem).mistakes).toEqual([{ code: 'field', severity: 'error', message: 'no', field: 'tasks[0].name' }]);
});

test('what is no daemon is said to be none', async () => {
  await using server = await startHttpServer((_request, response) => {
    response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>nginx</h1>');
  });
  const error = await failure(clientOf(server.url).call({ method: 'GET', path: '/tasks' }));
  expect([error.code, error.help]).toEqual(['not-found', expect.stringContaining('address of a Slipway daemon')]);
});

test('nobody listening is told at once', async () => {
  const error = await failure(clientOf('http://127.0.0.1:9').call({ method: 'GET', path: '/tasks' }));
  expect(error.code).toBe('daemon-unreachable');
  const socket = await failure(clientOf(`unix:${join(folderWith({}), 'none.sock')}`).call({ method: 'GET', path: '/tasks' }));
  expect(socket.message).toMatch(/^no daemon listens on unix:/);
});

test('busy answers and lost connections are tried again where that does no harm', async () => {
  const seen: string[] = [];
  await using server = await startHttpServer((request, response) => {
    seen.push(`${request.method} ${request.headers['idempotency-key'] ?? '-'}`);
    if (seen.length === 1) request.socket.destroy();
    else if (seen.length === 2) response.writeHead(503, { 'retry-after': '0' }).end();
    else response.writeHead(201, { 'content-type': 'application/json' }).end('{"runId":"ra001"}');
  });
  const client = clientOf(server.url);
  const { value } = await client.call<{ readonly runId: string }>({ method: 'POST', path: '/runs', body: {}, idempotencyKey: 'k1' });
  expect([value.runId, seen]).toEqual(['ra001', ['POST k1', 'POST k1', 'POST k1']]);
  seen.length = 0;
  await failure(client.call({ method: 'POST', path: '/runs/x/cancel', body: {} }));
  expect(seen).toEqual(['POST -']);
});

test('requests carry the token, the query and JSON, also through a unix socket', async () => {
  const path = join(folderWith({}), 's.sock');
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', etag: '"7"' });
    response.end(JSON.stringify({ url: request.url, authorization: request.headers.authorization }));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    const client = clientOf(`unix:${path}`, 'slw_x');
    const answer = await client.call({ method: 'GET', path: '/runs', query: { top: 5, status: undefined, archived: true } });
    expect(answer).toEqual({ status: 200, etag: '"7"', value: { url: '/api/v1/runs?top=5&archived=true', authorization: 'Bearer slw_x' } });
    client.close();
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('a token goes to its own server only', async () => {
  const home = folderWith({
    'data/admin.token': 'slw_admin\n',
    'data/daemon.json': '{"pid":1,"url":"http://127.0.0.1:7300"}',
    token: 'slw_file\n',
  });
  const environment = { HOME: home, XDG_CONFIG_HOME: home, SLIPWAY_DATA: join(home, 'data') };
  await writeLogin(environment, { server: 'https://builds.example.org', token: 'slw_saved' });
  const { io } = remoteIo({ environment, directory: home });
  expect(await findServer({}, io)).toMatchObject({ name: 'https://builds.example.org', token: 'slw_saved', from: 'login' });
  expect((await findServer({ server: 'https://other.example.org' }, io)).token).toBeUndefined();
  expect((await findServer({ server: 'http://127.0.0.1:7300' }, io)).token).toBe('slw_admin');
  expect((await findServer({ server: 'http://127.0.0.1:7301' }, io)).token).toBeUndefined();
  expect((await findServer({ server: 'https://other.example.org', tokenFile: 'token' }, io)).token).toBe('slw_file');
  const variables = remoteIo({ environment: { ...environment, SLIPWAY_SERVER: 'http://[::1]:1/base/', SLIPWAY_TOKEN: 'slw_env' } });
  expect(await findServer({}, variables.io)).toMatchObject({ origin: 'http://[::1]:1/base', token: 'slw_env', from: 'SLIPWAY_SERVER' });
});

test('without a word the daemon of this user is meant', async () => {
  const home = folderWith({});
  const { io } = remoteIo({ environment: { HOME: home, XDG_CONFIG_HOME: home, SLIPWAY_DATA: home } });
  expect(await findServer({}, io)).toEqual({
    origin: 'http://localhost',
    socketPath: `${home}/slipway.sock`,
    name: `unix:${home}/slipway.sock`,
    from: 'this machine',
  });
  expect(await knowsServer({}, io)).toBe(false);
});

test.each(['builds.example.org', 'ftp://host', 'https://user:secret@host', 'http://host?x=1', ''])(
  '%s is no address of a daemon',
  (text) => {
    expect(() => parseServer(text, '--server', { directory: '/' })).toThrow(EngineError);
    try {
      parseServer(text, '--server', { directory: '/' });
    } catch (error) {
      expect((error as Error).message).not.toContain('secret');
    }
  },
);

test('a login that others can read is not used', async () => {
  const home = folderWith({ 'slipway/login.json': '{"server":"https://a.example","token":"slw_x"}' });
  const environment = { XDG_CONFIG_HOME: home };
  expect((await failure(readLogin(environment))).message).toContain('can be read by other users');
  await writeLogin(environment, { server: 'https://a.example', token: 'slw_y' });
  expect(await readLogin(environment)).toEqual({ server: 'https://a.example', token: 'slw_y' });
});
