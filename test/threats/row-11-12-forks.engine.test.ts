import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HookSecretResource } from '../../src/api/hook-schema.ts';
import type { RunResource } from '../../src/api/run-schema.ts';
import { runProcess } from '../../src/util/process.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type GitServer, type GitWork, startGitServer } from '../support/git-server.ts';
import { publishBusybox } from '../support/registry-images.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { waitFor } from '../support/wait-for.ts';
import { decided, defineTask, deliver, hookOf, pullRequest, push, runsOf } from './forge-rig.ts';
import { ended, filesWith } from './threat-rig.ts';

const canary = (name: string): string => `${name}-${randomBytes(12).toString('hex')}`;
const SECRETS = {
  value: canary('value'),
  named: canary('named'),
  password: canary('password'),
  context: canary('context'),
  source: canary('source'),
};
/** As a step would say them that wants to get by the mask. */
const FORMS = Object.values(SECRETS).flatMap((secret) => [
  secret,
  secret.split('').reverse().join(''),
  Buffer.from(secret).toString('base64').slice(0, -3),
  Buffer.from(`dummy:${secret}`).toString('base64').slice(0, -3),
]);
const found = (text: string): readonly string[] => FORMS.filter((form) => text.includes(form));

/** Tells all that a container has: environments, mounts, small files, each line reversed so that no mask knows it. */
const PROBE = [
  'echo probe of $1',
  "(env; cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'; cat /proc/mounts; find / -xdev -type f -size -64k ! -name probe.sh -exec cat {} +;",
  "ls -la / /run /var/run /root /root/.docker; find / -name '*.sock' -exec echo socket {} \\;) 2>/dev/null | rev",
  'echo end of probe',
  '',
].join('\n');

const taskFile = (registry: string, busybox: string): string => `version: v1.1.0
steps:
  - id: probe
    cmd: ${busybox} sh probe.sh {{ .Values.said | default "none" | quote }}
    env: ["TOKEN={{ .Values.token | default "no-value" }}"]
  - id: image
    build: -t ${registry}/team/app:{{.Run.ID}} .
    when: [probe]
  - id: push
    push: ["${registry}/team/app:{{.Run.ID}}"]
    when: [image]
`;
const EVIL = `version: v1.1.0
secrets:
  - id: named
    keyvault: secret://named
steps:
  - id: taken-over
    cmd: busybox:local echo task file of the fork
    privileged: true
    volumes: ["/var/run/docker.sock:/var/run/docker.sock"]
`;

let server: GitServer;
let registry: TestRegistry;
let daemon: TestDaemon;
let work: GitWork & AsyncDisposable;
let url: string;
let base: string;
let busybox: string;
let hook: HookSecretResource;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  [server, registry] = await Promise.all([startGitServer(), startRegistry()]);
  // What an untrusted run uses comes from a registry, whatever lies in the engine.
  busybox = await publishBusybox(registry.host);
  await server.repository('app', async (tree) => {
    await writeFile(join(tree.directory, 'acb.yaml'), taskFile(registry.host, busybox));
    await writeFile(join(tree.directory, 'probe.sh'), PROBE);
    await writeFile(join(tree.directory, 'Dockerfile'), 'FROM scratch\nCOPY probe.sh /\n');
    base = await tree.commit('one');
  });
  work = await server.workTree('app');
  url = `${server.url}/smart/app.git`;
  daemon = await startDaemon({ env: { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true' } });
  await daemon.api('PUT', '/api/v1/secrets/named', { value: SECRETS.named });
  await defineTask(daemon, {
    name: 'app',
    step: {
      contextPath: `${url}#main`,
      taskFilePath: 'acb.yaml',
      contextAccessToken: { plain: SECRETS.context },
      values: [
        { name: 'token', value: { plain: SECRETS.value }, isSecret: true },
        { name: 'said', value: 'a-plain-value' },
      ],
    },
    credentials: [{ loginServer: registry.host, userName: 'robot', password: { plain: SECRETS.password } }],
    policy: { privileged: true, hostMounts: true, dockerSocket: true },
    trigger: {
      sourceTriggers: [
        {
          ...{ name: 'git', sourceTriggerEvents: ['commit', 'pullrequest'], pollInterval: 0, commitStatus: false },
          sourceRepository: {
            ...{ sourceControlType: 'Github', repositoryUrl: url },
            sourceControlAuthProperties: { token: { plain: SECRETS.source } },
          },
        },
      ],
    },
  });
  for (const [name, body] of Object.entries({
    viewer: { role: 'viewer' },
    runner: { role: 'runner' },
    elsewhere: { role: 'editor', tasks: ['other-*'] },
    editor: { role: 'editor', tasks: ['app'] },
  })) {
    tokens[name] = (await daemon.api<{ token: string }>('POST', '/api/v1/tokens', { name, ...body })).body.token;
  }
  await daemon.api('POST', '/api/v1/tasks/app/check');
  hook = await hookOf(daemon, 'app');
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await work[Symbol.asyncDispose]();
  await Promise.all([server[Symbol.asyncDispose](), registry[Symbol.asyncDispose]()]);
});

/** A commit of a stranger: the server has it under the ref of the pull request, and no branch has it. */
async function proposed(message: string): Promise<string> {
  await writeFile(join(work.directory, 'acb.yaml'), EVIL);
  await writeFile(join(work.directory, 'Dockerfile'), `FROM ${busybox}\nCOPY . /context\nRUN ${PROBE.trim().split('\n').join('; ')}\n`);
  await writeFile(join(work.directory, 'change'), message);
  const commit = await work.commit(message);
  await work.git('push', '-q', '--force', 'origin', 'HEAD:refs/pull/1/head');
  return commit;
}

const tell = async (head: string, parts: Partial<Parameters<typeof pullRequest>[0]> = {}) =>
  (await decided(daemon, await deliver(hook, { event: 'pull_request', payload: pullRequest({ url, head, base, ...parts }) }))).flatMap(
    ({ decisions }) => decisions,
  );
const approve = (id: string, body: object | undefined, token?: string) =>
  daemon.api<RunResource & { readonly detail?: string }>('POST', `/api/v1/runs/${id}/approve`, body, token === undefined ? {} : { token });

/** What the engine said of the containers of the daemon. */
let inspections = '';
const docker = async (...args: string[]): Promise<string> =>
  (await runProcess({ file: 'docker', args, env: { PATH: process.env['PATH'] ?? '' } })).stdout.toString();

async function inspectedUntil<Value>(end: Promise<Value>): Promise<Value> {
  const { daemonId } = (await daemon.api<{ daemonId: string }>('GET', '/api/v1/version')).body;
  let over = false;
  const look = async (): Promise<void> => {
    while (!over) {
      const ids = (await docker('ps', '-aq', '--filter', `label=dev.slipway.owner=daemon/${daemonId}`))
        .split('\n')
        .filter((id) => id !== '');
      if (ids.length > 0) inspections += await docker('inspect', ...ids);
    }
  };
  const looking = look();
  try {
    return await end;
  } finally {
    over = true;
    await looking;
  }
}

/** All that the API says of runs, tasks, events, hooks, and what was done. */
async function everythingShown(): Promise<string> {
  const runs = await runsOf(daemon, 'app');
  const paths = [
    ...runs.flatMap(({ runId }) => [`runs/${runId}`, `runs/${runId}/log`, `runs/${runId}/events?top=1000`, `runs/${runId}/explain`]),
    ...['tasks/app', 'tasks/app/explain', 'tasks/app/credentials', 'trigger-events?top=1000', 'hooks', 'deps', 'audit?top=1000', 'queue'],
  ];
  const answers = await Promise.all(paths.map((path) => daemon.api('GET', `/api/v1/${path}`)));
  expect(answers.filter(({ status }) => status !== 200)).toStrictEqual([]);
  return answers.map(({ body }) => (typeof body === 'string' ? body : JSON.stringify(body))).join('\n');
}

describe('threat 11: a pull request from a fork', () => {
  let first: string;
  let waiting: string;

  it('waits for the word of who may give it, about the commit that it is at', async () => {
    first = await proposed('looks harmless');
    const [decision] = await tell(first);
    expect(decision).toMatchObject({ task: 'app', outcome: 'run', code: 'fired' });
    waiting = decision?.runId ?? '';
    expect((await daemon.api('GET', `/api/v1/runs/${waiting}`)).body).toMatchObject({
      ...{ status: 'Queued', trust: 'untrusted', commit: first, branch: 'pull/1', noPush: true },
      hold: { approval: { commit: first } },
    });
    expect((await approve(waiting, { commit: first }, tokens['viewer'])).status).toBe(403);
    expect((await approve(waiting, { commit: first }, tokens['runner'])).status).toBe(403);
    expect((await approve(waiting, { commit: first }, tokens['elsewhere'])).status).toBe(404);
    expect((await approve(waiting, { commit: base }, tokens['editor'])).status).toBe(409);
    expect((await runsOf(daemon, 'app'))[0]).toMatchObject({ status: 'Queued' });
  });

  it('cannot exchange its commit between the look and the word', async () => {
    const second = await proposed('and now for something else');
    // The forge has not told of it yet.
    for (const body of [{ commit: first }, {}, undefined]) {
      const refused = await approve(waiting, body, tokens['editor']);
      expect([refused.status, refused.body.detail]).toStrictEqual([409, expect.stringContaining(`is at ${second.slice(0, 12)} now`)]);
    }
    expect(await tell(second, { action: 'synchronize' })).toMatchObject([{ code: 'fired' }]);
    expect((await daemon.api('GET', `/api/v1/runs/${waiting}`)).body).toMatchObject({ status: 'Canceled' });
    expect((await approve(waiting, { commit: first }, tokens['editor'])).status).toBe(409);
    const [run] = await runsOf(daemon, 'app');
    waiting = run?.runId ?? '';
    // What was approved is run, whatever is pushed from then on.
    expect((await approve(waiting, { commit: second }, tokens['editor'])).status).toBe(200);
    const third = await proposed('too late');
    const { run: done, log } = await inspectedUntil(ended(daemon, waiting));
    expect([done.commit, done.trust]).toStrictEqual([second, 'untrusted']);
    expect(third).not.toBe(second);
    // Its task file is that of the base, its scripts and its Dockerfile are its own; nothing of it is pushed.
    expect(log).not.toContain('task file of the fork');
    expect([...log.matchAll(/probe of (\S*)/g)].map(([, said]) => said)).toContain('a-plain-value');
    expect(log).toContain('end of probe');
    expect(log).toContain('eulav-on=NEKOT');
    expect(log).not.toMatch(/kcos\.rekcod|\.docker\/config|tekcos \/.*kcos/);
    expect((await fetch(`http://${registry.host}/v2/team/app/tags/list`)).status).toBe(404);
  });

  it('is never seen with a secret or a login: not by its code, nowhere in what is shown, not in files', async () => {
    expect(found(await everythingShown())).toStrictEqual([]);
    expect(found(daemon.stderr + daemon.stdout)).toStrictEqual([]);
    await waitFor(async () => ((await readdir(join(daemon.data, 'work'))).length === 0 ? true : undefined));
    expect(await filesWith(daemon.data, FORMS)).toStrictEqual([]);
    expect(inspections).toContain('probe.sh');
    expect(found(inspections)).toStrictEqual([]);
  });

  it('gains nothing by being asked for again', async () => {
    const again = await daemon.api<RunResource>('POST', `/api/v1/runs/${waiting}/rerun`, {});
    if (again.status !== 201) expect(again.status).toBe(409);
    else {
      expect(again.body).toMatchObject({ trust: 'untrusted', noPush: true });
      await daemon.api('POST', `/api/v1/runs/${again.body.runId}/cancel`);
    }
  });

  it('is told apart from a commit of the team, which has all this', async () => {
    await work.git('reset', '-q', '--hard', base);
    const after = await work.commit('of the team');
    await work.git('push', '-q', 'origin', 'HEAD:main');
    const told = await decided(daemon, await deliver(hook, { event: 'push', payload: push({ url, before: base, after }) }));
    expect(told).toMatchObject([{ decisions: [{ code: 'fired' }] }]);
    const { run, log } = await ended(daemon, told[0]?.decisions[0]?.runId ?? '');
    expect([run.status, run.trust]).toStrictEqual(['Succeeded', 'trusted']);
    expect(found(log)).toStrictEqual([SECRETS.value.split('').reverse().join('')]);
    expect((await fetch(`http://${registry.host}/v2/team/app/tags/list`)).status).toBe(200);
  });
});

describe('threat 12: whose word a delivery is', () => {
  const outcome = async (payload: object, event: 'push' | 'pull_request' = 'pull_request', secret?: string) => {
    const before = (await runsOf(daemon, 'app')).length;
    const answer = await deliver(hook, { event, payload, ...(secret === undefined ? {} : { secret }) });
    if (answer.status !== 202) return { status: answer.status, text: answer.text, runs: (await runsOf(daemon, 'app')).length - before };
    await decided(daemon, answer);
    const runs = await runsOf(daemon, 'app');
    for (const { runId } of runs.filter(({ status }) => status === 'Queued')) await daemon.api('POST', `/api/v1/runs/${runId}/cancel`);
    return { status: answer.status, text: answer.text, runs: runs.length - before, newest: runs[0] };
  };

  it('is that of the repository with its id, whatever is called like it, and whatever it is called now', async () => {
    const head = await proposed('spoofed');
    const other = await outcome(pullRequest({ url, head, base, ids: { repository: 8 } }));
    expect(other).toMatchObject({ status: 200, text: expect.stringContaining('other-repository'), runs: 0 });
    expect(await outcome(push({ url, before: base, after: head, id: 8 }), 'push')).toMatchObject({ status: 200, runs: 0 });
    const renamed = pullRequest({ url: 'https://github.com/me/renamed.git', head, base });
    expect(await outcome(renamed)).toMatchObject({ status: 202, runs: 1, newest: { commit: head, trust: 'untrusted' } });
  });

  it('is nobody’s name: a fork is told by numbers and branches, not by what it says of itself', async () => {
    const team = { login: 'ann', headBranch: 'main' };
    const lies = [{ ids: { head: 7 } }, { ids: { head: 66, base: 66 } }, { ids: { head: null } }, {}];
    for (const lie of lies) {
      const head = await proposed(`lie ${JSON.stringify(lie)}`);
      const told = await outcome({ ...pullRequest({ url, head, base, ...team, ...lie }), fork: false });
      expect([lie, told]).toMatchObject([lie, { status: 202, runs: 1, newest: { trust: 'untrusted', commit: head } }]);
    }
  });

  it('is nothing that the source does not bear out', async () => {
    const gone = 'd'.repeat(40);
    for (const head of [gone, base]) expect(await outcome(pullRequest({ url, head, base }))).toMatchObject({ status: 202, runs: 0 });
    expect(await outcome(push({ url, before: gone, after: gone }), 'push')).toMatchObject({ status: 202, runs: 0 });
    // The secret of another hook.
    expect(await outcome(pullRequest({ url, head: base, base }), 'pull_request', 'x'.repeat(43))).toMatchObject({ status: 401, runs: 0 });
  });

  it('speaks for no repository of others, whatever it calls its own', async () => {
    await defineTask(daemon, {
      name: 'mine',
      step: { contextPath: `${server.url}/smart/mine.git#main`, taskFilePath: 'acb.yaml' },
      trigger: {
        sourceTriggers: [{ name: 'git', pollInterval: 0, commitStatus: false, sourceRepository: { sourceControlType: 'Github' } }],
      },
    });
    const mine = await hookOf(daemon, 'mine');
    expect(mine.id).not.toBe(hook.id);
    const before = (await runsOf(daemon, 'app')).length;
    const head = (await work.git('rev-parse', 'origin/main')).trim();
    const after = await work.commit('of the team, too');
    await work.git('push', '-q', '--force', 'origin', 'HEAD:main');
    const told = await deliver(mine, { event: 'push', payload: push({ url, before: head, after, id: 99 }) });
    expect(told).toMatchObject({ status: 200, text: expect.stringContaining('other-repository') });
    // Once its own repository has an id, that of others with the same one is taken for it.
    const own = `${server.url}/smart/mine.git`;
    await decided(daemon, await deliver(mine, { event: 'push', payload: push({ url: own, before: head, after, id: 99 }) }));
    const events = await decided(daemon, await deliver(mine, { event: 'push', payload: push({ url, before: head, after, id: 99 }) }));
    expect(events.flatMap(({ decisions }) => decisions.map(({ task }) => task))).not.toContain('app');
    expect((await runsOf(daemon, 'app')).length).toBe(before);
  });
});

it('threats 11 and 12: leave no run and no secret in what the daemon says', async () => {
  await waitFor(async () => {
    const { body } = await daemon.api<{ items: unknown[] }>('GET', '/api/v1/runs?status=Queued,Started,Running');
    return body.items.length === 0 ? true : undefined;
  }, 60_000);
  expect(found(daemon.stderr)).toStrictEqual([]);
  expect(daemon.stderr).not.toContain('a defect');
});
