import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTar } from '../archive/tar-maker.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { startHttpServer, type TestServer } from '../support/http-server.ts';
import { inlineRun, runToEnd } from './threat-rig.ts';

let inside: TestServer;
const asked: string[] = [];
/** What only this machine may see. */
function serve(request: IncomingMessage, response: ServerResponse): void {
  asked.push(request.url ?? '');
  const to = new URL(request.url ?? '/', 'http://x').searchParams.get('to');
  if (request.url?.startsWith('/circle') === true) response.writeHead(302, { location: request.url }).end();
  else if (to !== null) response.writeHead(302, { location: to }).end();
  else if (request.url === '/context.tar') response.end(makeTar([{ name: 'acb.yaml', body: 'version: v1.1.0\nsteps: []\n' }]));
  else response.end('inner: canary-4d51\n');
}

beforeAll(async () => {
  inside = await startHttpServer(serve);
});
afterAll(() => inside[Symbol.asyncDispose]());

const withContext = (sourceLocation: string) => ({ type: 'FileTaskRunRequest', sourceLocation });
const withAliases = (src: string) => inlineRun(`version: v1.1.0\nalias:\n  src: [${JSON.stringify(src)}]\nsteps: []\n`);

async function expectRefused(daemon: TestDaemon, body: unknown): Promise<void> {
  const before = asked.length;
  const { run, log } = await runToEnd(daemon, body);
  expect([run.status, log]).toStrictEqual([
    expect.stringMatching(/^(Failed|Error)$/),
    expect.stringMatching(/not allowed|is a (loopback|link-local|metadata)/),
  ]);
  expect(`${log}${JSON.stringify(run)}`).not.toContain('canary-4d51');
  expect(asked.slice(before)).toStrictEqual([]);
}

describe('threat 4: what a daemon fetches', () => {
  let daemon: TestDaemon;
  beforeAll(async () => {
    daemon = await startDaemon();
  });
  afterAll(() => daemon[Symbol.asyncDispose]());

  /** Ways to write an address of this machine. */
  const names = [
    '127.0.0.1',
    'localhost',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.1',
    '0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::]',
  ];
  it.each(names)('is nothing of its own machine, called %s', async (name) => {
    const place = `http://${name}:${inside.port}`;
    await expectRefused(daemon, withContext(`${place}/context.tar`));
    await expectRefused(daemon, withContext(`${place}/a.git`));
    await expectRefused(daemon, withAliases(`${place}/aliases.yaml`));
  });

  it.each(['169.254.169.254', '[::ffff:169.254.169.254]', '[fe80::1]', '[fd00:ec2::254]', '100.100.100.200', '0xa9fea9fe', '2852039166'])(
    'is no metadata of a cloud at %s',
    async (name) => {
      await expectRefused(daemon, withContext(`http://${name}/latest/meta-data/context.tar`));
      await expectRefused(daemon, withContext(`https://${name}/a.git`));
      await expectRefused(daemon, withAliases(`http://${name}/latest/meta-data/`));
    },
  );

  it('is nothing that a name in front of the address hides', async () => {
    await expectRefused(daemon, withContext(`http://example.org@169.254.169.254/context.tar`));
    await expectRefused(daemon, withContext(`http://example.org@127.0.0.1:${inside.port}/context.tar`));
  });

  it('is not its own API', async () => {
    await expectRefused(daemon, withContext(`${daemon.url}/api/openapi.json`));
    await expectRefused(daemon, withAliases(`${daemon.url}/metrics`));
  });

  it.each(['ssh://127.0.0.1/a', 'git://127.0.0.1/a', 'git@127.0.0.1:a'])('is no repository of its own machine over %s', (url) =>
    expectRefused(daemon, withContext(url)),
  );

  it.each(['file:///etc/passwd', 'file:///etc/', '/etc', '.', '..', 'ext::sh -c id', 'gopher://127.0.0.1/'])(
    'is no file of its machine: %s',
    async (place) => {
      const made = await daemon.api('POST', '/api/v1/runs', withContext(place));
      if (made.status !== 201) expect(made.status).toBe(422);
      else expect((await runToEnd(daemon, withContext(place))).run.status).not.toBe('Succeeded');
    },
  );

  it('is no artifact of a link-local registry', async () => {
    const { run } = await runToEnd(daemon, withContext('oci://169.254.169.254/latest:meta-data'));
    expect([run.status, run.error?.errorCode]).toStrictEqual(['Failed', 'policy-refused']);
  });
});

describe('threat 4: a daemon that may fetch from its own machine', () => {
  let daemon: TestDaemon;
  beforeAll(async () => {
    daemon = await startDaemon({ env: { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true' } });
  });
  afterAll(() => daemon[Symbol.asyncDispose]());

  it('does, and follows redirects to where it may go', async () => {
    const before = asked.length;
    const { run } = await runToEnd(daemon, withContext(`${inside.url}/moved?to=${encodeURIComponent('/context.tar')}`));
    expect([run.status, asked.slice(before).at(-1)]).toStrictEqual(['Succeeded', '/context.tar']);
  });

  it.each(['http://169.254.169.254/x', 'http://[::ffff:a9fe:a9fe]/x', 'file:///etc/passwd', 'gopher://127.0.0.1/x', 'ftp://127.0.0.1/x'])(
    'goes to no %s that a chain of redirects leads to',
    async (target) => {
      const second = `${inside.url}/two?to=${encodeURIComponent(target)}`;
      for (const body of [
        withContext(`${inside.url}/context.tar?to=${encodeURIComponent(second)}`),
        withAliases(`${inside.url}/one?to=${encodeURIComponent(second)}`),
      ]) {
        const { run, log } = await runToEnd(daemon, body);
        expect(run.status).not.toBe('Succeeded');
        expect(log).not.toContain('root:');
      }
      const { log } = await runToEnd(daemon, withAliases(`${inside.url}/one?to=${encodeURIComponent(second)}`));
      expect(log).toMatch(/not allowed|redirects to/);
    },
  );

  it('follows no circle', async () => {
    const before = asked.length;
    for (const body of [
      withAliases(`${inside.url}/circle`),
      withContext(`${inside.url}/circle`),
      withContext(`${inside.url}/circle/a.git`),
    ]) {
      expect((await runToEnd(daemon, body)).run.status).not.toBe('Succeeded');
    }
    expect(asked.length - before).toBeLessThan(60);
  });
});
