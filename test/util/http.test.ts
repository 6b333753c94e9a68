import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createHttpClient, type HttpRequest } from '../../src/util/http.ts';
import { HttpError } from '../../src/util/http-error.ts';
import { fetchText, requestWithRetries } from '../../src/util/http-retry.ts';
import { selfSignedCertificate } from '../support/certificate.ts';
import { startHttpServer } from '../support/http-server.ts';

const open = { allowPrivate: true, allowLoopback: true };
const client = createHttpClient({ addresses: open });
const closed = createHttpClient({ addresses: { allowPrivate: false, allowLoopback: false } });
const fast = { attempts: 3, baseMs: 1, capMs: 5 };

async function failure(promise: Promise<unknown>): Promise<HttpError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof HttpError)) throw new Error(`expected an HttpError, got ${String(error)}`);
  return error;
}
const read = async (request: HttpRequest, by = client): Promise<string> => (await by.request(request)).text();

describe('addresses', () => {
  it.each([
    'http://169.254.169.254/latest/meta-data',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://0xa9.0xfe.0xa9.0xfe/',
    'http://0251.0376.0251.0376/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://169.254.169.254.:80/',
  ])('refuses %s even under the open policy', async (url) => {
    expect((await failure(client.request({ url }))).kind).toBe('refused-address');
  });

  it.each(['http://x@169.254.169.254/', 'http://user:pw@example.invalid/', 'file:///etc/passwd', 'gopher://h/', 'nonsense'])(
    'refuses %s as a URL',
    async (url) => {
      const error = await failure(client.request({ url }));
      expect(error.kind).toBe('bad-url');
      expect(error.message).not.toContain('pw');
    },
  );

  it('checks names when connecting, not only literal addresses', async () => {
    await using server = await startHttpServer((_, response) => response.end('reached'));
    expect(await read({ url: `http://localhost:${server.port}/` })).toBe('reached');
    expect((await failure(closed.request({ url: `http://localhost:${server.port}/` }))).kind).toBe('refused-address');
    expect((await failure(closed.request({ url: server.url }))).kind).toBe('refused-address');
  });
});

describe('redirects', () => {
  it('follows five and refuses the sixth', async () => {
    await using server = await startHttpServer((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end('end');
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    });
    expect(await read({ url: `${server.url}/5` })).toBe('end');
    expect((await failure(client.request({ url: `${server.url}/6` }))).kind).toBe('refused-redirect');
  });

  it.each(['file:///etc/passwd', 'ftp://127.0.0.1/', 'http://['])('refuses a redirect to %s', async (location) => {
    await using server = await startHttpServer((_, response) => response.writeHead(302, { location }).end());
    expect((await failure(client.request({ url: server.url }))).kind).toBe('refused-redirect');
  });

  it('checks the address of every hop', async () => {
    await using server = await startHttpServer((_, response) => response.writeHead(307, { location: 'http://169.254.169.254/x' }).end());
    expect((await failure(client.request({ url: server.url }))).kind).toBe('refused-address');
  });

  it('keeps credentials on one origin and drops them on another', async () => {
    await using other = await startHttpServer((request, response) => response.end(JSON.stringify(request.headers)));
    await using server = await startHttpServer((request, response) => {
      if (request.url === '/same') response.end(JSON.stringify(request.headers));
      else response.writeHead(302, { location: request.url === '/to-same' ? '/same' : other.url }).end();
    });
    const headers = { authorization: 'Basic c2VjcmV0', cookie: 'a=b', accept: 'text/x' };
    expect(JSON.parse(await read({ url: `${server.url}/to-same`, headers }))).toMatchObject(headers);
    const foreign = JSON.parse(await read({ url: `${server.url}/to-other`, headers }));
    expect(foreign).toMatchObject({ accept: 'text/x' });
    expect(foreign).not.toHaveProperty('authorization');
    expect(foreign).not.toHaveProperty('cookie');
  });

  it('repeats a body after 307 and drops it after 303', async () => {
    await using server = await startHttpServer(async (request, response) => {
      if (request.url !== '/end') {
        request.resume();
        response.writeHead(Number(request.url?.slice(1)), { location: '/end' }).end();
        return;
      }
      let body = '';
      for await (const chunk of request) body += chunk;
      response.end(`${request.method} ${body}`);
    });
    const body = {
      length: 5,
      open: async function* () {
        yield Buffer.from('hello');
      },
    };
    expect(await read({ url: `${server.url}/307`, method: 'PUT', body })).toBe('PUT hello');
    expect(await read({ url: `${server.url}/303`, method: 'POST', body: Buffer.from('hello') })).toBe('GET ');
  });
});

describe('limits', () => {
  it('cuts a body that is too large, announced or not', async () => {
    await using server = await startHttpServer((request, response) => {
      if (request.url === '/announced') response.writeHead(200, { 'content-length': '1000' });
      response.end('x'.repeat(1000));
    });
    expect((await failure(read({ url: `${server.url}/announced`, maxBytes: 999 }))).kind).toBe('too-large');
    expect((await failure(read({ url: `${server.url}/chunked`, maxBytes: 999 }))).kind).toBe('too-large');
    expect(await read({ url: `${server.url}/chunked`, maxBytes: 1000 })).toHaveLength(1000);
  });

  it('limits the whole time and the silence', async () => {
    await using server = await startHttpServer((request, response) => {
      if (request.url === '/drip') response.write('a');
    });
    expect((await failure(client.request({ url: server.url, timeoutMs: 100 }))).kind).toBe('timeout');
    expect((await failure(client.request({ url: server.url, idleTimeoutMs: 100 }))).kind).toBe('timeout');
    expect((await failure(read({ url: `${server.url}/drip`, timeoutMs: 100 }))).kind).toBe('timeout');
  });

  it('ends at the signal, waiting for headers or for the body', async () => {
    await using server = await startHttpServer((request, response) => {
      if (request.url === '/drip') response.write('a');
      setImmediate(() => controller.abort());
    });
    let controller = new AbortController();
    expect((await failure(client.request({ url: server.url, signal: controller.signal }))).kind).toBe('canceled');
    controller = new AbortController();
    expect((await failure(read({ url: `${server.url}/drip`, signal: controller.signal }))).kind).toBe('canceled');
    expect((await failure(client.request({ url: server.url, signal: AbortSignal.abort() }))).kind).toBe('canceled');
  });

  it('tells a body that breaks off', async () => {
    const server = createTcpServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect((await failure(read({ url }))).kind).toBe('connection');
    server.close();
  });
});

describe('TLS', () => {
  it('refuses a certificate nobody signed, unless trusted or told not to verify', async () => {
    const pair = await selfSignedCertificate();
    const server = createTlsServer(pair, (_, response) => response.end('secure'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const error = await failure(client.request({ url }));
    expect(error.kind).toBe('tls');
    expect(error.message).toMatch(/certificate of 127\.0\.0\.1:\d+ is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
    const trusting = createHttpClient({ addresses: open, tls: { extraCertificates: [pair.cert] } });
    expect(await read({ url }, trusting)).toBe('secure');
    const lax = createHttpClient({ addresses: open, tls: { verify: false } });
    expect(await read({ url }, lax)).toBe('secure');
    expect((await failure(lax.request({ url: url.replace('https', 'http') }))).transient).toBe(true);
    trusting.close();
    lax.close();
    server.closeAllConnections();
    server.close();
  });

  it('says when the other side speaks no TLS', async () => {
    await using server = await startHttpServer((_, response) => response.end());
    expect((await failure(client.request({ url: server.url.replace('http', 'https') }))).kind).toBe('not-tls');
  });

  it('does not follow from https to http with credentials', async () => {
    const pair = await selfSignedCertificate();
    await using plain = await startHttpServer((_, response) => response.end('plain'));
    const server = createTlsServer(pair, (_, response) => response.writeHead(302, { location: plain.url }).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const lax = createHttpClient({ addresses: open, tls: { verify: false } });
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect((await failure(lax.request({ url, headers: { authorization: 'x' } }))).kind).toBe('refused-redirect');
    expect(await read({ url }, lax)).toBe('plain');
    lax.close();
    server.closeAllConnections();
    server.close();
  });
});

describe('requestWithRetries', () => {
  it('tries 5xx, 429 and cut connections again, three times in all', async () => {
    const plan: (number | 'cut')[] = [];
    let calls = 0;
    await using server = await startHttpServer((_, response) => {
      calls += 1;
      const next = plan.shift() ?? 200;
      if (next === 'cut') response.destroy();
      else response.writeHead(next, { 'retry-after': '0' }).end(String(next));
    });
    const get = async (...answers: (number | 'cut')[]) => {
      plan.splice(0, plan.length, ...answers);
      calls = 0;
      return requestWithRetries(client, { url: server.url }, fast);
    };
    expect((await get(503, 'cut', 200)).status).toBe(200);
    expect(calls).toBe(3);
    expect((await get(500, 502, 504)).status).toBe(504);
    expect(calls).toBe(3);
    expect((await get(404)).status).toBe(404);
    expect(calls).toBe(1);
    expect((await failure(get('cut', 'cut', 'cut'))).kind).toBe('connection');
    expect(calls).toBe(3);
  });

  it('waits as long as Retry-After asks', async () => {
    const times: number[] = [];
    await using server = await startHttpServer((_, response) => {
      times.push(performance.now());
      response.writeHead(times.length === 1 ? 429 : 200, { 'retry-after': '1' }).end();
    });
    expect((await requestWithRetries(client, { url: server.url }, { attempts: 2, baseMs: 1, capMs: 5000 })).status).toBe(200);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('gives up waiting when cancelled', async () => {
    await using server = await startHttpServer((_, response) => response.writeHead(503, { 'retry-after': '60' }).end());
    const controller = new AbortController();
    const asking = failure(
      requestWithRetries(client, { url: server.url, signal: controller.signal }, { attempts: 3, baseMs: 1, capMs: 60_000 }),
    );
    await delay(50);
    controller.abort();
    expect((await asking).kind).toBe('canceled');
  });
});

describe('fetchText', () => {
  it('returns the text, or the body of an error as its message', async () => {
    await using server = await startHttpServer((request, response) => {
      response.writeHead(request.url === '/ok' ? 200 : 418).end(request.url === '/ok' ? 'a: b' : 'short\u001b[31m and stout\n');
    });
    const limits = { timeoutMs: 2000, maxBytes: 1000 };
    expect(await fetchText(client, `${server.url}/ok`, limits)).toBe('a: b');
    expect((await failure(fetchText(client, `${server.url}/tea`, limits))).message).toBe('short [31m and stout');
  });
});
