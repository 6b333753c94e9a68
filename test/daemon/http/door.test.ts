import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from './client.ts';
import { startDaemon } from './daemon-fixture.ts';

let daemon: Awaited<ReturnType<typeof startDaemon>>;
let token = '';

beforeAll(async () => {
  daemon = await startDaemon({
    publicUrl: 'https://builds.example:8443',
    allowedHosts: ['ci.example:9000', 'alias.example'],
    limits: { bodyBytes: 10_000, bodyMs: 200, failuresPerMinute: 1000 },
  });
  token = await daemon.token({ name: 'admin', role: 'admin' });
});
afterAll(() => daemon[Symbol.asyncDispose]());

const me = '/api/v1/me';

describe('threat 19: the names it answers to', () => {
  it.each(['localhost', 'LOCALHOST:7300', '127.0.0.1:1', '[::1]:7300', 'builds.example', 'ci.example:9000', 'alias.example:5'])(
    'answers to %s',
    async (host) => {
      expect((await send(daemon.url, { path: me, token, headers: { host } })).status).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'evil.example:80',
    'ci.example',
    'ci.example:9001',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
  ])('refuses %j, also with a good token and for routes without one', async (host) => {
    for (const path of [me, '/healthz', '/nothing']) {
      const answer = await send(daemon.url, { path, token, headers: { host } });
      expect(answer.status).toBe(421);
      expect(answer.json()['code']).toBe('host-refused');
    }
  });

  it('refuses who names no host', async () => {
    expect(await exchange('GET /healthz HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 421 /);
    expect(await exchange('GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 421 /);
  });

  it.each(['http://evil.example', 'null', 'http://localhost:1', 'https://builds.example', 'http://127.0.0.1'])(
    'refuses pages of %s, over TCP and the socket',
    async (origin) => {
      for (const to of [daemon.url, daemon.socket]) {
        const answer = await send(to, { path: me, token, headers: { origin } });
        expect([answer.status, answer.json()['code']]).toStrictEqual([403, 'origin-refused']);
      }
    },
  );

  it('lets in its own pages, and gives no leave to others', async () => {
    const port = new URL(daemon.url).port;
    for (const origin of ['https://builds.example:8443', `http://localhost:${port}`, `http://127.0.0.1:${port}`]) {
      const answer = await send(daemon.url, { path: me, token, headers: { origin } });
      expect(answer.status).toBe(200);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toStrictEqual([]);
    }
    expect((await send(daemon.url, { method: 'OPTIONS', path: me, headers: { origin: 'https://builds.example:8443' } })).status).toBe(401);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'text/plain; application/json',
  ])('takes no change as %s', async (type) => {
    const body = '{"reason":"x"}';
    const paths = ['/api/v1/queue/pause', '/api/v1/queue/resume', '/api/v1/runs', '/api/v1/gc', `/api/v1/uploads/${'0'.repeat(64)}`];
    for (const path of paths) {
      const method = path.includes('uploads') ? 'PUT' : 'POST';
      const answer = await send(daemon.url, { method, path, token, body, headers: { 'content-type': type } });
      expect([path, answer.status]).toStrictEqual([path, 415]);
      expect(answer.json()['code']).toBe('unsupported-media-type');
    }
    expect((await daemon.services.queue.state()).paused).toBe(false);
  });

  it('takes a body of no kind for none that it knows, JSON for no context and a context for no JSON', async () => {
    const untyped = await send(daemon.url, { method: 'POST', path: '/api/v1/queue/pause', token, body: '{}' });
    const asContext = { 'content-type': 'application/octet-stream' };
    const bytes = await send(daemon.url, { method: 'POST', path: '/api/v1/runs', token, body: '{}', headers: asContext });
    const json = await send(daemon.url, { method: 'PUT', path: `/api/v1/uploads/${'0'.repeat(64)}`, token, body: {} });
    expect([untyped.status, bytes.status, json.status]).toStrictEqual([415, 415, 415]);
  });

  it('sets no cookie and closes every answer to scripts and frames', async () => {
    for (const path of [me, '/healthz', '/api/v1/nothing', '/api/v1/tasks/none']) {
      const { headers } = await send(daemon.url, { path, token });
      expect(headers['set-cookie']).toBeUndefined();
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });
});

describe('the unix socket', () => {
  it('is open to its owner only, in a directory that is', async () => {
    expect((await stat(daemon.socket)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(daemon.socket))).mode & 0o777).toBe(0o700);
    expect((await send(daemon.socket, { path: me })).json()).toMatchObject({ role: 'admin', from: 'unix' });
  });

  it('trusts no request that a proxy passed on, and a token more than the socket', async () => {
    for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip']) {
      expect((await send(daemon.socket, { path: me, headers: { [name]: '10.0.0.1' } })).status).toBe(401);
    }
    const viewer = await daemon.token({ name: 'viewer', role: 'viewer' });
    expect((await send(daemon.socket, { path: me, token: viewer })).json()['role']).toBe('viewer');
    expect((await send(daemon.socket, { path: me, token: 'slw_wrong' })).status).toBe(401);
  });
});

describe('threat 14: tokens', () => {
  it('asks for one on loopback too, and takes it from the header only', async () => {
    const answer = await send(daemon.url, { path: `${me}?token=${token}`, headers: { cookie: `token=${token}` } });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('Bearer');
    for (const authorization of [token, `Basic ${token}`, `Bearer ${token}x`, 'Bearer', `Bearer ${token.slice(0, -1)}`]) {
      expect((await send(daemon.url, { path: me, headers: { authorization } })).status).toBe(401);
    }
  });

  it('is nowhere in the log of the daemon', async () => {
    await send(daemon.url, { path: `${me}?token=${token}`, token });
    await send(daemon.url, { path: `/api/v1/tokens/${token}`, method: 'DELETE', token });
    await send(daemon.url, { path: me, headers: { authorization: `Bearer ${token}x` } });
    expect(daemon.logged()).toContain('"path":"/api/v1/me"');
    expect(daemon.logged()).not.toContain(token.slice(0, 20));
  });

  it('writes refusals into the audit, with the address and without the token', async () => {
    await send(daemon.url, { path: '/api/v1/tokens', headers: { authorization: `Bearer slw_${'B'.repeat(43)}` } });
    const [entry] = await daemon.store.audit.list({ limit: 1, action: 'auth.refused' });
    expect(entry).toMatchObject({ principal: 'unknown', from: '127.0.0.1', outcome: 'refused', target: 'GET /api/v1/tokens' });
    expect(JSON.stringify(entry)).not.toContain('BBBBBBBB');
  });

  it('makes addresses wait that guess, and nobody with a valid token', async () => {
    await using strict = await startDaemon({ limits: { failuresPerMinute: 5 } });
    const good = await strict.token({ name: 'good', role: 'viewer' });
    const statuses: number[] = [];
    for (let count = 0; count < 8; count += 1) {
      const answer = await send(strict.url, { path: me, token: `slw_${String(count).padStart(43, '0')}` });
      statuses.push(answer.status);
      if (answer.status === 429) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(statuses).toStrictEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    expect((await send(strict.url, { path: me, token: good })).status).toBe(200);
    expect(await strict.store.audit.list({ limit: 100, action: 'auth.refused' })).toHaveLength(5);
  });
});

describe('threat 21: bounds', () => {
  it('takes so many requests of a token a minute, and says when to come again', async () => {
    await using strict = await startDaemon({ limits: { requestsPerMinute: 3 } });
    const [one, two] = [await strict.token({ name: 'one', role: 'viewer' }), await strict.token({ name: 'two', role: 'viewer' })];
    const statuses = [];
    for (let count = 0; count < 4; count += 1) statuses.push((await send(strict.url, { path: me, token: one })).status);
    expect(statuses).toStrictEqual([200, 200, 200, 429]);
    const refused = await send(strict.url, { path: me, token: one });
    expect(refused.json()['code']).toBe('rate-limited');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await send(strict.url, { path: me, token: two })).status).toBe(200);
    expect((await send(strict.socket, { path: me })).status).toBe(200);
  });

  it('refuses a body that is larger than it takes', async () => {
    const body = { reason: 'x'.repeat(20_000) };
    const answer = await send(daemon.url, { method: 'POST', path: '/api/v1/queue/pause', token, body });
    expect([answer.status, answer.json()['code']]).toStrictEqual([413, 'too-large']);
  });

  it('names the field that cannot be, and what is no JSON', async () => {
    const path = '/api/v1/tasks';
    const body = { name: 'Nope', step: { imageNames: ['a', 5], foo: 1 } };
    const answer = await send(daemon.url, { method: 'POST', path, token, body });
    expect(answer.status).toBe(422);
    const { diagnostics } = answer.json() as { diagnostics: { field: string }[] };
    expect(diagnostics.map(({ field }) => field)).toStrictEqual(['name', 'step.imageNames[1]', 'step']);
    const json = { 'content-type': 'application/json' };
    const broken = await send(daemon.url, { method: 'POST', path, token, body: '{"name":', headers: json });
    expect([broken.status, broken.json()['code']]).toStrictEqual([400, 'invalid-request']);
    const polluted = await send(daemon.url, { method: 'POST', path, token, body: '{"name":"a","__proto__":{"x":1}}', headers: json });
    expect(polluted.status).toBe(400);
  });

  it('survives bodies that are nested without end', async () => {
    const body = `{"name":"a","step":${'{"step":'.repeat(1000)}1${'}'.repeat(1001)}`;
    const answer = await send(daemon.url, {
      method: 'POST',
      path: '/api/v1/tasks',
      token,
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(422);
  });

  it('cuts off who sends a body a byte at a time', async () => {
    const head = `POST /api/v1/queue/pause HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n`;
    const closed = await exchange(`${head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`);
    expect(closed).not.toContain('HTTP/1.1 200');
  });

  it('answers what is no HTTP, and headers without end, and goes on', async () => {
    expect(await exchange('NOT HTTP\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await exchange(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
    expect((await send(daemon.url, { path: '/healthz' })).status).toBe(200);
  });
});

/** Sends bytes and resolves with all that came back once the daemon has closed the connection. */
function exchange(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(daemon.url).port), '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve(answer) : reject(error)));
  });
}
