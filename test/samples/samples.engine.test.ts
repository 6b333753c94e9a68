import { mkdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunEvent } from '../../src/model/run-event.ts';
import { runTask } from '../cli/task-process.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { leftovers } from '../support/leftovers.ts';
import { type LocalRegistry, startLocalRegistry } from '../support/local-registry.ts';
import { removeImages } from '../support/remove-images.ts';
import { DEPLOY_KEY, type SampleRun, sampleRuns } from './sample-runs.ts';

let registry: LocalRegistry;
let mirror: LocalRegistry;
let git: GitServer;
let commit: string;
/** Tags that the samples left in the engine. */
const made: string[] = [];

beforeAll(async () => {
  [registry, mirror, git] = await Promise.all([startLocalRegistry(), startLocalRegistry(), startGitServer()]);
  await git.repository('sample', async (work) => {
    await mkdir(`${work.directory}/app`);
    await writeFile(`${work.directory}/app/Dockerfile`, 'ARG BASE\nFROM ${BASE}\nCMD ["echo", "built from git"]\n');
    commit = await work.commit('An app');
  });
});

afterAll(async () => {
  await removeImages(made);
  await Promise.all([registry?.stop(), mirror?.stop(), git?.[Symbol.asyncDispose]()]);
});

/** Standard output of the steps that a sample is about. */
const OUTPUT: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  '01-quickstart': { test: /hello from the service[\s\S]*the service answers as it should$/ },
  '02-parallel': { report: /^all three are done$/, lint: /^checking style$/ },
  '03-when': { publish: /^42$/ },
  '04-retries': { flaky: /^worked at attempt 3$/ },
  '05-network': { visit: /^it works$/ },
  '06-secrets': { 'use-a-file': new RegExp(`^${DEPLOY_KEY.length}\n\\*\\*\\*$`) },
  '09-git-context': { run: /^built from git$/ },
  '10-values': { 'greet-0': /^Hello, Ada$/, 'greet-2': /^Hello, Barbara$/, details: /^run \w+ on linux\/\w+ at \d{8}-\d{6}z$/ },
  '11-matrix': { 'test-plain': /^this flavour is white$/, 'test-dark': /^this flavour is black$/ },
};
/** Repositories of the images that a sample pushes, in order. */
const PUSHED: Readonly<Record<string, readonly string[]>> = {
  '01-quickstart': ['quickstart-service', 'quickstart-client'],
  '07-cache': ['sample-cache'],
  '08-multi-registry': ['sample-multi', 'sample-multi'],
  '11-matrix': ['sample-matrix', 'sample-matrix', 'sample-matrix'],
};

test.each(sampleRuns({ registry: '', mirror: '', repository: '' }).map(({ name }) => name))('%s runs', async (name) => {
  const sample = sampleRuns({
    registry: registry.host,
    mirror: mirror.host,
    repository: `${git.url}/smart/sample.git#main:app`,
  }).find((each) => each.name === name) as SampleRun;
  const { code, stdout, stderr } = await runTask(['run', '--output', 'json', ...sample.args], { env: sample.env });
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  const events = eventsOf(stdout);
  made.push(...events.flatMap((event) => (event.type === 'image-built' ? event.tags : [])));
  for (const [step, pattern] of Object.entries(OUTPUT[name] ?? {})) expect(outputOf(events, step)).toMatch(pattern);
  const last = events.at(-1);
  if (last?.type !== 'run-finished') throw new Error(`the last event is ${last?.type}`);
  expect(last.status).toBe('Succeeded');
  expect(last.images.map(({ reference }) => repositoryOf(reference).name)).toEqual(PUSHED[name] ?? []);
  for (const image of last.images) expect(await manifestStatus(image.reference, image.digest)).toBe(200);
  expect(await leftovers(last.run)).toEqual([]);
  expect(`${stdout}${stderr}`).not.toContain(DEPLOY_KEY);
  await checkOwnPoint(name, events);
});

/** What a sample shows beyond output and pushes. */
async function checkOwnPoint(name: string, events: readonly RunEvent[]): Promise<void> {
  const last = events.at(-1);
  if (last?.type !== 'run-finished') throw new Error('not finished');
  switch (name) {
    case '02-parallel':
      expect(events.findIndex(({ type }) => type === 'step-finished')).toBeGreaterThan(
        events.findLastIndex((event) => event.type === 'step-started' && event.step !== 'report' && event.step !== 'lint'),
      );
      return;
    case '03-when':
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'step-finished', step: 'spell-check', status: 'succeeded', ignored: true }),
      );
      return;
    case '07-cache':
      expect(await manifestStatus(`${registry.host}/sample-cache`, 'cache_quickrun_build')).toBe(200);
      return;
    case '08-multi-registry':
      expect(new Set(last.images.map(({ reference }) => repositoryOf(reference).host))).toEqual(new Set([registry.host, mirror.host]));
      expect(new Set(last.images.map(({ digest }) => digest)).size).toBe(1);
      return;
    case '09-git-context':
      expect(last.dependencies).toMatchObject([{ git: { 'git-head-revision': commit } }]);
      return;
  }
}

function eventsOf(stdout: string): RunEvent[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);
}

function outputOf(events: readonly RunEvent[], step: string): string {
  return events
    .flatMap((event) => (event.type === 'step-output' && event.step === step && event.stream === 'stdout' ? [event.text] : []))
    .join('\n');
}

function repositoryOf(reference: string): { readonly host: string; readonly name: string } {
  const slash = reference.indexOf('/');
  return { host: reference.slice(0, slash), name: reference.slice(slash + 1).replace(/:[^:]*$/, '') };
}

/** Asks the registry itself. */
async function manifestStatus(reference: string, digest: string): Promise<number> {
  const { host, name } = repositoryOf(reference);
  const accept = [
    'application/vnd.docker.distribution.manifest.v2+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
  ].join(', ');
  const response = await fetch(`http://${host}/v2/${name}/manifests/${digest}`, { method: 'HEAD', headers: { accept } });
  return response.status;
}
