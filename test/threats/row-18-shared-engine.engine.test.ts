import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HookSecretResource } from '../../src/api/hook-schema.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type GitServer, type GitWork, startGitServer } from '../support/git-server.ts';
import { docker, publishBusybox } from '../support/registry-images.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { decided, defineTask, deliver, hookOf, pullRequest } from './forge-rig.ts';
import { begin, type EndedRun, ended, runToEnd } from './threat-rig.ts';

/** What trusted tasks and forked pull requests share is the engine. */
let server: GitServer;
let registry: TestRegistry;
let daemon: TestDaemon;
let work: GitWork & AsyncDisposable;
let hook: HookSecretResource;
let url: string;
let base: string;
let busybox: string;
let tag: string;
let cache: string;
let secretImage: string;

const taskFile = (): string => `version: v1.1.0
steps:
  - id: image
    build: -t ${tag} --cache-to=type=registry,ref=${cache} .
  - id: test
    cmd: ${tag} /tool
    when: [image]
  - id: derived
    build: -f Dockerfile.derived .
    when: [image]
  - id: push
    push: ["${tag}"]
    when: [test, derived]
`;
/** New each time: what earlier tests left in the engine's caches says nothing. */
const DEPS = `deps-${randomBytes(6).toString('hex')}`;
/** Two stages side by side: what the second makes depends on nothing of the first. */
const dockerfile = (who: string, first = ''): string => `FROM ${busybox} AS first
RUN echo ${who} > /who${first === '' ? '' : ` && true\n${first}`}
FROM ${busybox} AS deps
RUN --mount=type=cache,id=${DEPS},target=/cache cat /cache/* | tr '\\n' ' ' > /deps; echo kept-by-${who} > /cache/${who}
FROM ${busybox}
COPY --from=deps /deps /deps
COPY --from=first /who /who
RUN printf '#!/bin/sh\\necho tool of %s, deps: %s\\n' "$(cat /who)" "$(cat /deps)" > /tool && chmod +x /tool
`;

beforeAll(async () => {
  [server, registry] = await Promise.all([startGitServer(), startRegistry()]);
  busybox = await publishBusybox(registry.host);
  tag = `${registry.host}/team/tool:latest`;
  cache = `${registry.host}/team/cache:main`;
  await server.repository('app', async (tree) => {
    await writeFile(join(tree.directory, 'acb.yaml'), taskFile());
    await writeFile(join(tree.directory, 'Dockerfile'), dockerfile('owner'));
    await writeFile(join(tree.directory, 'Dockerfile.derived'), `FROM ${tag}\nRUN echo ${DEPS}: derived from $(/tool)\n`);
    base = await tree.commit('one');
  });
  work = await server.workTree('app');
  url = `${server.url}/smart/app.git`;
  daemon = await startDaemon({ env: { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true' } });
  const sourceRepository = { sourceControlType: 'Github', repositoryUrl: url };
  const events = { sourceTriggerEvents: ['commit', 'pullrequest'], forks: 'run', pollInterval: 0, commitStatus: false };
  await defineTask(daemon, {
    name: 'app',
    step: { contextPath: `${url}#main`, taskFilePath: 'acb.yaml' },
    trigger: { sourceTriggers: [{ name: 'git', ...events, sourceRepository }] },
  });
  await daemon.api('POST', '/api/v1/tasks/app/check');
  hook = await hookOf(daemon, 'app');
  // An image that a trusted run left in the engine, and that no registry gives to strangers.
  secretImage = `${registry.host}/private/app:1`;
  const container = await docker('create', 'busybox:local', 'true');
  await docker('commit', '-c', 'LABEL secret=private-source-code', container, secretImage);
  await docker('rm', container);
}, 60_000);
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await work[Symbol.asyncDispose]();
  for (const image of [tag, cache, secretImage]) await docker('rmi', '-f', image).catch(() => undefined);
  await Promise.all([server[Symbol.asyncDispose](), registry[Symbol.asyncDispose]()]);
});

/** A pull request of a stranger. Resolves with its run's id. */
async function proposed(files: Readonly<Record<string, string>>): Promise<string> {
  await work.git('reset', '-q', '--hard', base);
  for (const [name, text] of Object.entries(files)) await writeFile(join(work.directory, name), text);
  const head = await work.commit(`change ${Object.keys(files).join(' ')} ${Math.random()}`);
  await work.git('push', '-q', '--force', 'origin', 'HEAD:refs/pull/1/head');
  const told = await decided(daemon, await deliver(hook, { event: 'pull_request', payload: pullRequest({ url, head, base }) }));
  const [decision] = told.flatMap(({ decisions }) => decisions);
  expect(decision).toMatchObject({ code: 'fired' });
  return decision?.runId ?? '';
}
interface ToldRun extends EndedRun {
  /** Its events and how it ended. */
  readonly told: string;
}
async function fork(files: Readonly<Record<string, string>>): Promise<ToldRun> {
  return told(await ended(daemon, await proposed(files)));
}
async function told({ run, log }: EndedRun): Promise<ToldRun> {
  const { body } = await daemon.api('GET', `/api/v1/runs/${run.runId}/events?top=1000`);
  return { run, log, told: JSON.stringify([run, body]) };
}
const trusted = () => runToEnd(daemon, { type: 'TaskRunRequest', task: 'app' });
const use = () =>
  runToEnd(daemon, {
    type: 'EncodedTaskRunRequest',
    encodedTaskContent: Buffer.from(`version: v1.1.0\nsteps:\n  - cmd: ${tag} /tool\n`).toString('base64'),
  });
const tagsIn = async (repository: string): Promise<number> => (await fetch(`http://${registry.host}/v2/${repository}/tags/list`)).status;
const idIn = async (name: string): Promise<string> => {
  const accept = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = await fetch(`http://${registry.host}/v2/team/tool/manifests/${name}`, { headers: { accept } });
  return ((await manifest.json()) as { config: { digest: string } }).config.digest;
};
const ownImages = async (): Promise<string> => docker('images', '-q', '--filter', 'reference=slipway.invalid/*/*/*/*/*');

describe('threat 18: a fork on the engine of the team', () => {
  it('builds, uses and derives its own image, and leaves nothing: no tag, no cache, nothing in a registry', async () => {
    const { run, log, told } = await fork({ Dockerfile: dockerfile('fork') });
    expect([run.status, run.trust, log]).toStrictEqual(['Succeeded', 'untrusted', expect.any(String)]);
    expect(log).toContain('tool of fork, deps:');
    expect(log).toMatch(/derived from tool of fork/);
    expect(told).toContain(`cache not pushed (--no-push): ${cache}`);
    expect(told).toContain(`not pushed (--no-push): ${tag}`);
    expect([await tagsIn('team/tool'), await tagsIn('team/cache')]).toStrictEqual([404, 404]);
    await expect(docker('image', 'inspect', tag)).rejects.toThrow('No such image');
    await expect(docker('image', 'inspect', cache)).rejects.toThrow('No such image');
    expect(await ownImages()).toBe('');
  });

  it('poisons no cache: trusted builds have mounts of their own, and layers go by their content', async () => {
    const ids = [DEPS, `../${DEPS}`, `/${DEPS}`, `../../../${DEPS}`];
    const poison = ids.map((id) => `RUN --mount=type=cache,id=${id},target=/cache echo poison > /cache/poison`).join('\n');
    const poisoned = await fork({ Dockerfile: dockerfile('owner', poison) });
    expect([poisoned.run.status, poisoned.told]).toStrictEqual(['Succeeded', expect.any(String)]);
    const { run, log } = await trusted();
    expect([run.status, run.trust]).toStrictEqual(['Succeeded', 'trusted']);
    expect(log).toMatch(/tool of owner, deps: *\n/);
    expect(log).not.toMatch(/poison|kept-by-fork/);
    expect([await tagsIn('team/tool'), await tagsIn('team/cache')]).toStrictEqual([200, 200]);
  });

  it('gives its image to no other task', async () => {
    await fork({ Dockerfile: dockerfile('fork') });
    const { run, log } = await use();
    expect([run.status, log]).toStrictEqual(['Succeeded', expect.stringContaining('tool of owner')]);
    expect(log).not.toContain('tool of fork');
  });

  it('swaps nothing between the build and the push of a trusted run', async () => {
    const file = taskFile().replace('when: [test, derived]', 'when: [test, derived, pause]');
    const pause = `  - id: pause\n    cmd: busybox:local sh -c 'until [ -e /workspace/go ]; do sleep 0.1; done'\n    when: [image]\n    timeout: 60\n`;
    const values = { type: 'EncodedTaskRunRequest', sourceLocation: `${url}#main` };
    const text = file.replace('  - id: push', `${pause}  - id: push`);
    const id = await begin(daemon, { ...values, encodedTaskContent: Buffer.from(text).toString('base64') });
    const holder = await container(id, 'pause');
    expect((await fork({ Dockerfile: dockerfile('fork') })).run.status).toBe('Succeeded');
    // Another trusted run does what forks no longer can.
    await docker('tag', 'busybox:local', tag);
    await docker('exec', holder, 'touch', '/workspace/go');
    const { run, told: said } = await told(await ended(daemon, id));
    expect(run.status).toBe('Succeeded');
    expect(said).toContain(`${tag} had been given to another image since this run built it`);
    expect(await idIn('latest')).toBe(await docker('image', 'inspect', '-f', '{{.Id}}', tag));
    expect(await docker('run', '--rm', tag, '/tool')).toContain('tool of owner');
  });

  it.each([
    ['FROM', (image: string) => `FROM ${image}\n`],
    ['COPY --from', (image: string) => `FROM scratch\nCOPY --from=${image} /bin/busybox /\n`],
    ['a mount', (image: string) => `FROM ${busybox}\nRUN --mount=from=${image},target=/x ls /x\n`],
    ['quotes in a flag', (image: string) => `FROM scratch\nCOPY --"from"=${image} /bin/busybox /\n`],
    ['a here-document', (image: string) => `FROM ${busybox}\nRUN <<EOF\nCOPY --from=${image} /bin/busybox /\nEOF\n`],
    ['a stage that is not needed', (image: string) => `FROM ${image} AS secret\nFROM ${busybox}\n`],
  ])('reads no image that only lies in the engine, by %s', async (_, text) => {
    const { run, told } = await fork({ Dockerfile: text(secretImage) });
    expect(run.status).toBe('Failed');
    expect(told).toMatch(/untrusted run (cannot use the image|does not build Dockerfile)/);
  });

  it('reads none by a frontend of its own, or by the task file of the base', async () => {
    const { run, told } = await fork({ Dockerfile: `# syntax=${secretImage}\nFROM ${busybox}\n` });
    expect([run.status, told]).toStrictEqual(['Failed', expect.stringContaining('`# syntax=` is not possible')]);
    // The machine's own, which no registry has.
    const local = await fork({ Dockerfile: 'FROM busybox:local\n' });
    expect([local.run.status, local.told]).toStrictEqual([
      expect.stringMatching(/Failed|Error/),
      expect.stringContaining('untrustedLocalImages'),
    ]);
  });
});

async function container(run: string, step: string): Promise<string> {
  const { daemonId } = (await daemon.api<{ daemonId: string }>('GET', '/api/v1/version')).body;
  const filters = ['--filter', `label=dev.slipway.run=${run}x${daemonId}`, '--filter', `label=dev.slipway.step=${step}`];
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const id = await docker('ps', '-q', ...filters);
    if (id !== '') return id;
  }
  throw new Error(`the step ${step} of ${run} did not start`);
}
