import { stat } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProcess } from '../../src/util/process.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { projectRoot } from '../support/task-program.ts';
import { filesWith, inlineRun, runToEnd } from './threat-rig.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon[Symbol.asyncDispose]());

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function overTcp(path: string, { method = 'GET', headers = {}, body }: Sent) {
  const { hostname, port } = new URL(daemon.url);
  return new Promise<{ status: number; text: string; headers: Readonly<Record<string, unknown>> }>((resolve, reject) => {
    const sent = request({ host: hostname, port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const auth = (): Readonly<Record<string, string>> => ({ authorization: `Bearer ${daemon.token}` });

describe('threat 19: pages of others', () => {
  it.each(['evil.example', 'evil.example:7300', '127.0.0.1.evil.example', 'localhost.evil.example'])(
    'a name %s that leads here is not answered to',
    async (host) => {
      for (const path of ['/api/v1/me', '/api/v1/runs', '/metrics']) {
        const answer = await overTcp(path, { headers: { ...auth(), host } });
        expect([path, answer.status]).toStrictEqual([path, expect.toSatisfy((status) => status === 421 || status === 403)]);
      }
    },
  );

  it('what a page can send without asking changes nothing', async () => {
    const before = await daemon.api<{ items: unknown[] }>('GET', '/api/v1/runs');
    const body = JSON.stringify(inlineRun('version: v1.1.0\nsteps: []\n'));
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain; application/json',
    ])
      expect((await overTcp('/api/v1/runs', { method: 'POST', body, headers: { ...auth(), 'content-type': type } })).status).toBe(415);
    const foreign = await overTcp('/api/v1/runs', {
      method: 'POST',
      body,
      headers: { ...auth(), 'content-type': 'application/json', origin: 'https://evil.example' },
    });
    expect(foreign.status).toBe(403);
    const asked = await overTcp('/api/v1/runs', {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    for (const answer of [foreign, asked]) expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    expect((await daemon.api<{ items: unknown[] }>('GET', '/api/v1/runs')).body.items).toHaveLength(before.body.items.length);
  });

  it('who is on this machine needs a token over TCP, and the socket is its owner’s alone', async () => {
    expect((await overTcp('/api/v1/runs', {})).status).toBe(401);
    for (const [name, mode] of [
      ['', 0o700],
      ['slipway.sock', 0o600],
      ['admin.token', 0o600],
      ['secret.key', 0o600],
      ['slipway.db', 0o600],
    ] as const)
      expect([name, (await stat(join(daemon.data, name))).mode & 0o777 & ~mode]).toStrictEqual([name, 0]);
  });
});

/** Title, clipboard, a link that runs code, cursor, a device that answers, C1, bells, and what hides text. */
const ESCAPES =
  '\\033]0;title\\007\\033]52;c;ZXZpbA==\\007\\033]8;;javascript:alert(1)\\033\\\\link\\033]8;;\\033\\\\\\033[2J\\033[H\\033[6n\\033P+q\\033\\\\\\302\\2331;1H\\007<script>alert(1)</script>\\033[31mred\\033[0m\\n';

describe('threat 20: what steps print', () => {
  it('reaches a terminal without the power to do anything to it', async () => {
    const script = `printf '${ESCAPES}'`;
    const text = `version: v1.1.0\nsteps:\n  - id: "b\\e]0;id\\a<b>"\n    cmd: ${JSON.stringify(`busybox:local sh -c ${JSON.stringify(script)}`)}\n`;
    const { run, log } = await runToEnd(daemon, inlineRun(text));
    if (run.status !== 'Succeeded') {
      // A step may not be called so at all; then its output is tried under another name.
      expect(log).not.toContain('\u0007');
    }
    const plain = await runToEnd(
      daemon,
      inlineRun(`version: v1.1.0\nsteps:\n  - id: one\n    cmd: ${JSON.stringify(`busybox:local sh -c ${JSON.stringify(script)}`)}\n`),
    );
    expect([plain.run.status, plain.log.includes('<script>')]).toStrictEqual(['Succeeded', true]);
    for (const id of [run.runId, plain.run.runId]) {
      for (const command of [`logs --run ${id}`, `show-run ${id}`, 'list-runs']) {
        const words = `${projectRoot}/bin/task ${command}`;
        const shown = await runProcess({
          ...{ file: 'script', args: ['-qec', words, '/dev/null'] },
          env: { PATH: process.env['PATH'] ?? '', HOME: daemon.data, TERM: 'xterm', SLIPWAY_SERVER: daemon.server },
        });
        const said = shown.stdout.toString();
        expect([command, shown.kind === 'exited' && shown.exitCode, said.trim() === '']).toStrictEqual([command, 0, false]);
        // Colours may pass; other control sequences, and characters of C0 and C1 beside line ends and tabs, may not.
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        expect(said.replaceAll(/\u001b\[[\d;]*m/g, '')).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/);
      }
    }
  });

  it('is answered as text that no browser runs', async () => {
    const { run } = await runToEnd(
      daemon,
      inlineRun(`version: v1.1.0\nsteps:\n  - id: one\n    cmd: busybox:local echo "<script>alert(1)</script>"\n`),
    );
    for (const path of [
      `/api/v1/runs/${run.runId}/log`,
      `/api/v1/runs/${run.runId}`,
      `/api/v1/runs/%3Cscript%3E`,
      `/api/v1/runs?task=%3Cscript%3E`,
    ]) {
      const { headers } = await overTcp(path, { headers: auth() });
      expect(headers['content-type']).toMatch(/^(text\/plain|application\/(problem\+)?json)/);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
      });
    }
  });
});

describe('threat 22: ids that are paths', () => {
  it('lead nowhere, byte for byte as they are sent', async () => {
    const { hostname, port } = new URL(daemon.url);
    const ids = [
      '../../admin.token',
      '..%2f..%2fadmin.token',
      '%2e%2e/%2e%2e/admin.token',
      '....//admin.token',
      'ra001%00.log',
      'ra001\u0000',
      '%c0%ae%c0%ae/admin.token',
      '..\\admin.token',
      'CON',
      '%252e%252e%252fadmin.token',
    ];
    for (const id of ids) {
      for (const path of [
        `/api/v1/runs/${id}/log`,
        `/api/v1/runs/${id}`,
        `/api/v1/uploads/${id}`,
        `/api/v1/tasks/${id}`,
        `/api/v1/runs/ra001/log?step=${id}`,
      ]) {
        const answer = await new Promise<string>((resolve, reject) => {
          let text = '';
          const socket = connect(Number(port), hostname, () =>
            socket.write(
              `GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${daemon.token}\r\nConnection: close\r\n\r\n`,
            ),
          );
          socket.setEncoding('latin1').on('data', (part) => (text += String(part)));
          socket.on('error', reject).on('close', () => resolve(text));
        });
        expect([path, answer]).toStrictEqual([path, expect.stringMatching(/^HTTP\/1\.1 [24]\d\d /)]);
        expect(answer).not.toContain(daemon.token);
      }
    }
    expect(await filesWith(daemon.data, [daemon.token])).toStrictEqual(['admin.token']);
    expect((await daemon.api('GET', '/healthz')).status).toBe(200);
  });
});
