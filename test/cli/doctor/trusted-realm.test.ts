import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderWith, runTask } from '../task-process.ts';

/** A registry on loopback whose token server is the same program at this machine's other address: a foreign host. */
const tokenLogins: (string | undefined)[] = [];
const registry = createServer((request, response) => {
  if (request.url?.startsWith('/token') === true) {
    tokenLogins.push(request.headers.authorization);
    response.end('{"token":"granted"}');
  } else if (request.headers.authorization !== 'Bearer granted') {
    response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${realm}/token",service="s"` }).end();
  } else if (request.method === 'POST') {
    response.writeHead(202, { location: `${request.url}1` }).end();
  } else response.writeHead(request.method === 'DELETE' ? 204 : 200).end();
});
let port = 0;
let realm = '';

beforeAll(async () => {
  const address = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  await new Promise<void>((resolve) => registry.listen(0, '0.0.0.0', resolve));
  port = (registry.address() as AddressInfo).port;
  realm = `${address}:${port}`;
});
afterAll(() => new Promise((resolve) => registry.close(resolve)));

const examine = async (flags: readonly string[], place: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> }) => {
  const host = `127.0.0.1:${port}`;
  const args = ['doctor', '--registry', host, '--registry-credential', `${host}=ann:env:PASSWORD`, '--output', 'json', ...flags];
  const { stdout } = await runTask(args, { ...place, env: { PASSWORD: 'open sesame', ...place.env } });
  const results: readonly { readonly code: string; readonly status: string }[] = JSON.parse(stdout);
  return results.find(({ code }) => code === 'registry-push');
};

test('a token server of another domain gets no login, and the help names the flag', async () => {
  expect(await examine([], {})).toMatchObject({
    status: 'failed',
    message: expect.stringContaining('it belongs to another domain'),
    help: expect.stringContaining(`\`--trusted-realm ${realm}\``),
  });
  expect(tokenLogins).toEqual([]);
});

test.each(['flag', 'variable', 'setting'])('a token server that a %s names gets the login', async (way) => {
  tokenLogins.length = 0;
  const flags = way === 'flag' ? ['--trusted-realm', 'other.example.com', '--trusted-realm', realm] : [];
  const env = way === 'variable' ? { SLIPWAY_TRUSTED_REALMS: realm } : {};
  const cwd = folderWith(way === 'setting' ? { 'slipway.yaml': `trustedRealms: ["${realm}"]\n` } : {});
  expect(await examine(flags, { cwd, env })).toMatchObject({ status: 'ok' });
  expect(tokenLogins).toContain(`Basic ${Buffer.from('ann:open sesame').toString('base64')}`);
});
