import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TriggerEventDetail } from '../../src/api/event-schema.ts';
import type { TaskExplanation } from '../../src/api/explain-schema.ts';
import type { HookSecretResource } from '../../src/api/hook-schema.ts';
import { createPostJson } from '../../src/daemon/triggers/post-json.ts';
import { createHttpClient } from '../../src/util/http.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { startHttpServer, type TestServer } from '../support/http-server.ts';
import { waitFor } from '../support/wait-for.ts';
import { decided, defineTask, hookOf } from './forge-rig.ts';

const TASK = Buffer.from('version: v1.1.0\nsteps: []\n').toString('base64');
const METADATA = ['169.254.169.254', '[::ffff:169.254.169.254]', '[fe80::1]', '100.100.100.200', '0xa9fea9fe'];

/** What only this machine may see. */
let inside: TestServer;
const asked: string[] = [];
function serve(request: IncomingMessage, response: ServerResponse): void {
  asked.push(`${request.method} ${request.url}`);
  const to = new URL(request.url ?? '/', 'http://x').searchParams.get('to');
  if (to !== null) response.writeHead(302, { location: to }).end();
  else if (request.url?.startsWith('/away/') === true) response.writeHead(307, { location: 'http://169.254.169.254/latest' }).end();
  else response.end('inner: canary-7ce1\n');
}

beforeAll(async () => {
  inside = await startHttpServer(serve);
});
afterAll(() => inside[Symbol.asyncDispose]());

let tasks = 0;
/** A task that follows a repository; resolves with its name. */
async function follow(daemon: TestDaemon, repositoryUrl: string, sourceControlType = 'Gitea'): Promise<string> {
  tasks += 1;
  const name = `follows-${tasks}`;
  const sourceRepository = {
    ...{ sourceControlType, repositoryUrl },
    sourceControlAuthProperties: { token: { plain: 'a-token-for-the-forge' } },
  };
  await defineTask(daemon, {
    name,
    step: { encodedTaskContent: TASK },
    trigger: { sourceTriggers: [{ name: 'git', sourceTriggerEvents: ['commit', 'pullrequest'], pollInterval: 0, sourceRepository }] },
  });
  return name;
}

async function problemOf(daemon: TestDaemon, task: string): Promise<string> {
  await daemon.api('POST', `/api/v1/tasks/${task}/check`);
  return waitFor(async () => {
    const { body } = await daemon.api<TaskExplanation>('GET', `/api/v1/tasks/${task}/explain`);
    return body.triggers[0]?.watched[0]?.problem;
  }, 30_000);
}

const REFUSED = /not allowed|is a (?:loopback|link-local|metadata)|address/;

describe('threat 4: what triggers ask for', () => {
  let daemon: TestDaemon;
  beforeAll(async () => {
    daemon = await startDaemon();
  });
  afterAll(() => daemon[Symbol.asyncDispose]());

  it.each(['127.0.0.1', 'localhost', '2130706433', '0x7f000001', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]'])(
    'is no repository and no forge of its own machine, called %s',
    async (host) => {
      const before = asked.length;
      const task = await follow(daemon, `http://${host}:${inside.port}/me/app.git`);
      expect(await problemOf(daemon, task)).toMatch(REFUSED);
      const made = await daemon.api('POST', `/api/v1/tasks/${task}/hooks`, { atForge: true });
      expect([made.status, JSON.stringify(made.body)]).toStrictEqual([
        expect.toSatisfy((status) => status >= 400),
        expect.stringMatching(REFUSED),
      ]);
      expect(asked.slice(before)).toStrictEqual([]);
    },
  );

  it.each(METADATA)('is no metadata of a cloud at %s', async (host) => {
    const task = await follow(daemon, `https://${host}/me/app.git`);
    expect(await problemOf(daemon, task)).toMatch(REFUSED);
    const made = await daemon.api('POST', `/api/v1/tasks/${task}/hooks`, { atForge: true });
    expect([made.status, JSON.stringify(made.body)]).toStrictEqual([
      expect.toSatisfy((status) => status >= 400),
      expect.stringMatching(REFUSED),
    ]);
  });

  it.each(['ext::sh -c id', '--upload-pack=id', 'file:///etc', '/etc', 'http://a:b@127.0.0.1/x', 'gopher://127.0.0.1/x'])(
    'is nothing but a repository of http, https or ssh: %s',
    async (repositoryUrl) => {
      const sourceTriggers = [{ name: 'git', sourceRepository: { sourceControlType: 'Gitea', repositoryUrl } }];
      const made = await daemon.api('POST', '/api/v1/tasks', {
        name: 'odd',
        step: { encodedTaskContent: TASK },
        trigger: { sourceTriggers },
      });
      expect([repositoryUrl, made.status]).toStrictEqual([repositoryUrl, 422]);
    },
  );

  it.each(['https://-oProxyCommand=id/x', 'ssh://-oProxyCommand=id/x', '-oProxyCommand=id:x'])(
    'is no option of git or ssh: %s',
    async (url) => {
      const sourceTriggers = [{ name: 'git', sourceRepository: { sourceControlType: 'Gitea', repositoryUrl: url } }];
      const made = await daemon.api('POST', '/api/v1/tasks', {
        name: 'option',
        step: { encodedTaskContent: TASK },
        trigger: { sourceTriggers },
      });
      if (made.status === 422) return;
      expect(await problemOf(daemon, 'option')).toMatch(/^cannot use|host/);
      await daemon.api('DELETE', '/api/v1/tasks/option');
    },
  );

  it('is no endpoint for updates on its own machine, and none that another leads to', async () => {
    const post = (allowLoopback: boolean) =>
      createPostJson(createHttpClient({ addresses: { allowPrivate: true, allowLoopback }, environment: {} }));
    const { signal } = new AbortController();
    const before = asked.length;
    await expect(post(false)(`${inside.url}/?token=a-token`, {}, signal)).rejects.toThrow(REFUSED);
    await expect(post(false)(`${inside.url}/?token=a-token`, {}, signal)).rejects.not.toThrow('a-token');
    for (const host of METADATA) await expect(post(true)(`http://${host}/latest`, {}, signal)).rejects.toThrow(REFUSED);
    expect(asked.slice(before)).toStrictEqual([]);
    await expect(post(true)(`${inside.url}/?to=http%3A%2F%2F169.254.169.254%2F`, {}, signal)).rejects.toThrow('answered 302');
    await expect(post(true)('file:///etc/passwd', {}, signal)).rejects.toThrow();
  });

  it('is no address that a notification of a registry names', async () => {
    const before = asked.length;
    const { body: hook } = await daemon.api<HookSecretResource>('POST', '/api/v1/hooks', {
      registry: 'docker.io',
      registryKind: 'dockerhub',
    });
    const callback_url = `${inside.url}/callback`;
    const payload = { callback_url, push_data: { tag: '1', pushed_at: 1 }, repository: { repo_name: 'me/app', repo_url: callback_url } };
    const answer = await fetch(hook.urlWithSecret, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payload),
    });
    const text = await answer.text();
    await decided(daemon, { status: answer.status, events: (JSON.parse(text) as { events: string[] }).events, text });
    expect(asked.slice(before)).toStrictEqual([]);
  });

  it('is no registry of a cloud’s metadata that a Dockerfile builds on', async () => {
    const taskFile = 'version: v1.1.0\nsteps:\n  - build: -t app:1 .\n';
    await defineTask(daemon, {
      name: 'from-metadata',
      step: { contextPath: 'https://169.254.169.254/app.git#main', encodedTaskContent: Buffer.from(taskFile).toString('base64') },
    });
    const { body } = await waitFor(async () => {
      const deps = await daemon.api<{ problems: { task: string; message: string }[] }>('GET', '/api/v1/deps?task=from-metadata');
      return deps.body.problems.length > 0 ? deps : undefined;
    }, 30_000);
    expect(body.problems[0]?.message).toMatch(REFUSED);
  });
});

describe('threat 4: triggers that may ask their own machine', () => {
  let daemon: TestDaemon;
  let git: GitServer;
  beforeAll(async () => {
    git = await startGitServer();
    await git.repository('app', async (work) => void (await work.commit('one')));
    daemon = await startDaemon({ env: { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true' } });
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    await git[Symbol.asyncDispose]();
  });

  it('go where no redirect leads them: not to metadata, and not with the token to another server', async () => {
    const before = asked.length;
    const task = await follow(daemon, `${inside.url}/away/me/app.git`);
    expect(await problemOf(daemon, task)).not.toContain('canary');
    const made = await daemon.api('POST', `/api/v1/tasks/${task}/hooks`, { atForge: true });
    expect([made.status, JSON.stringify(made.body)]).toStrictEqual([
      expect.toSatisfy((status) => status >= 400),
      expect.not.stringContaining('canary'),
    ]);
    expect(JSON.stringify(made.body)).not.toContain('a-token-for-the-forge');
    expect(asked.length).toBeGreaterThan(before);
  });

  it('look for no fork where they may not, though a payload says that it is there', async () => {
    const url = `${git.url}/smart/app.git`;
    const task = await follow(daemon, url, 'Generic');
    await daemon.api('POST', `/api/v1/tasks/${task}/check`);
    const hook = await hookOf(daemon, task);
    for (const host of METADATA.slice(0, 2)) {
      const pullRequest = {
        number: 1,
        action: 'opened',
        headSha: 'c'.repeat(40),
        headBranch: 'x',
        baseBranch: 'main',
        headUrl: `http://${host}/me/app.git`,
      };
      const body = JSON.stringify({ pullRequest });
      const time = String(Math.floor(Date.now() / 1000));
      const signature = `sha256=${createHmac('sha256', hook.secret).update(`${time}.${body}`).digest('hex')}`;
      const headers = { 'content-type': 'application/json', 'x-slipway-timestamp': time, 'x-slipway-signature': signature };
      const answer = await fetch(hook.url, { method: 'POST', headers, body });
      const text = await answer.text();
      const told = await decided(daemon, { status: answer.status, events: (JSON.parse(text) as { events: string[] }).events, text });
      expect([host, told.flatMap(({ decisions }: TriggerEventDetail) => decisions.map(({ code }) => code))]).toStrictEqual([
        host,
        ['unreachable'],
      ]);
    }
  });
});
