import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createContextFetcher } from '../../src/archive/context-fetcher.ts';
import { createGitSource } from '../../src/git/git-source.ts';
import type { AnalysedTask } from '../../src/model/ports/task-analyser.ts';
import type { TaskRecord, TaskStepDefinition } from '../../src/model/task-definition.ts';
import { createTaskAnalyser, type TaskAnalyserParts } from '../../src/service/analyse-task.ts';
import { noContextParts } from '../support/context-parts.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { useOwnTmpdir } from '../support/own-tmpdir.ts';

const open = { allowPrivate: true, allowLoopback: true };
const temporary = useOwnTmpdir();
let server: GitServer;
beforeAll(async () => {
  server = await startGitServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function repository(name: string, files: Readonly<Record<string, string>>, on: GitServer = server): Promise<string> {
  await on.repository(name, async (work) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(work.directory, path)), { recursive: true });
      await writeFile(join(work.directory, path), text);
    }
    await work.commit('one');
  });
  return `${on.url}/smart/${name}.git`;
}

const TASK = { arguments: [], imageNames: [], isPushEnabled: true, noCache: false, dockerFilePath: 'Dockerfile' } as const;

async function analyse(step: TaskStepDefinition, parts: Partial<TaskAnalyserParts> = {}): Promise<AnalysedTask> {
  const analyser = createTaskAnalyser({
    git: createGitSource({ addresses: open }),
    fetcher: createContextFetcher({ addresses: open }),
    registryOf: async () => noContextParts().registry,
    contextToken: async () => undefined,
    openUpload: () => Promise.reject(new Error('no uploads')),
    registry: 'registry.example',
    extended: false,
    addresses: open,
    ...parts,
  });
  const record: TaskRecord = {
    definition: {
      name: 'app',
      status: 'Enabled',
      platform: { os: 'linux', architecture: 'amd64' },
      agentConfiguration: { cpu: 1 },
      timeout: 3600,
      step,
      credentials: [],
      agentPoolName: 'default',
      priority: 0,
      policy: { privileged: false, hostMounts: false, dockerSocket: false },
    },
    ...{ id: 't1', version: 1, createdAt: '2030-01-01T00:00:00.000Z', updatedAt: '2030-01-01T00:00:00.000Z' },
  };
  const found = await analyser(record, new AbortController().signal);
  expect(await temporary.entries('slipway-context-')).toEqual([]);
  return found;
}

const image = (repositoryName: string, tag: string, registry = 'docker.io') => ({ registry, repository: repositoryName, tag });

describe('Dockerfile tasks', () => {
  it('finds base images by role, and what is pushed', async () => {
    const contextPath = await repository('docker', {
      'app/Dockerfile':
        'ARG V=20\nFROM --platform=$BUILDPLATFORM golang:1.22 AS build\nRUN --mount=from=busybox:1,target=/b true\nFROM node:${V}-slim\nCOPY --from=build /a /a\nCOPY --from=registry.example:5000/tools@sha256:' +
        `${'a'.repeat(64)} /t /t\n`,
    });
    const imageNames = ['app:{{.Run.ID}}', 'app:latest', 'other.example/app:v1'];
    const found = await analyse({
      type: 'Docker',
      contextPath: `${contextPath}#main:app`,
      ...TASK,
      imageNames,
      arguments: [{ name: 'V', value: '22', isSecret: false }],
    });
    expect(found.error).toBeUndefined();
    expect(found.dependencies).toEqual([
      { step: 'build', platform: 'linux/amd64', image: image('library/node', '22-slim'), written: 'node:22-slim', role: 'runtime' },
      { step: 'build', platform: 'linux/amd64', image: image('library/golang', '1.22'), written: 'golang:1.22', role: 'buildtime' },
      { step: 'build', platform: 'linux/amd64', image: image('library/busybox', '1'), written: 'busybox:1', role: 'buildtime' },
      {
        ...{ step: 'build', platform: 'linux/amd64', image: image('tools', '', 'registry.example:5000') },
        ...{ written: `registry.example:5000/tools@sha256:${'a'.repeat(64)}`, role: 'buildtime' },
      },
    ]);
    expect(found.outputs).toEqual([
      image('app', '', 'registry.example'),
      image('app', 'latest', 'registry.example'),
      image('app', 'v1', 'other.example'),
    ]);
    expect(found.steps).toEqual(['build']);
  });

  it('reads a private repository with the token of the task, and gives it to nobody else', async () => {
    const authorization = `Basic ${Buffer.from('dummy:s3cret').toString('base64')}`;
    await using locked = await startGitServer({ authorization });
    const other = await repository('other', { Dockerfile: 'FROM alpine:3\n' });
    const contextPath = await repository(
      'private',
      { 'task.yaml': `version: v1.1.0\nsteps:\n  - id: far\n    build: -t x ${other}\n` },
      locked,
    );
    const step = { type: 'FileTask', contextPath, taskFilePath: 'task.yaml', values: [] } as const;
    const seen = server.requests.length;
    const found = await analyse(step, { contextToken: async () => 's3cret' });
    expect(found.error).toBeUndefined();
    expect(found.dependencies.map(({ written }) => written)).toEqual(['alpine:3']);
    expect(server.requests.slice(seen).length).toBeGreaterThan(0);
    expect(server.requests.slice(seen).every((request) => request.authorization === undefined)).toBe(true);
  });
});

describe('task files', () => {
  it('leaves out what earlier steps build, and goes on after a step that cannot be read', async () => {
    const contextPath = await repository('steps', {
      'task.yaml': `version: v1.1.0
steps:
  - id: base
    build: -t {{.Run.Registry}}/base:1 -f base.Dockerfile .
  - id: app
    build: -t {{.Run.Registry}}/app:{{.Run.Date}} -f app.Dockerfile .
  - id: made
    build: -t made -f generated/Dockerfile .
  - id: push
    push: ['{{.Run.Registry}}/base:1', '{{.Run.Registry}}/app:{{.Run.Date}}', '{{.Run.Registry}}/by-{{.Run.ID}}:1']
`,
      'base.Dockerfile': 'FROM alpine:3\n',
      'app.Dockerfile': 'FROM registry.example/base:1\nCOPY --from=node:20 a b\n',
    });
    const found = await analyse({ type: 'FileTask', contextPath, taskFilePath: 'task.yaml', values: [] });
    expect(found.dependencies.map(({ step, written, role }) => `${step} ${written} ${role}`)).toEqual([
      'base alpine:3 runtime',
      'app node:20 buildtime',
    ]);
    expect(found.outputs).toEqual([image('base', '1', 'registry.example'), image('app', '', 'registry.example')]);
    expect(found.steps).toEqual(['base', 'app', 'made']);
    expect(found.error).toBe('step made: there is no Dockerfile at `generated/Dockerfile`');
    expect(found.transient).toBe(false);
  });

  it('takes the text that a definition holds', async () => {
    const contextPath = await repository('encoded', { Dockerfile: 'FROM scratch\n' });
    const text = 'steps:\n  - build: -t {{.Run.Registry}}/{{.Values.name}} .\n  - push: ["{{.Run.Registry}}/{{.Values.name}}"]\n';
    const encodedTaskContent = Buffer.from(text).toString('base64');
    const encodedValuesContent = Buffer.from('name: thing:2').toString('base64');
    const found = await analyse({ type: 'EncodedTask', contextPath, encodedTaskContent, encodedValuesContent, values: [] });
    expect(found).toMatchObject({ dependencies: [], outputs: [image('thing', '2', 'registry.example')] });
  });
});

describe('what cannot be read', () => {
  it.each([
    ['a file that is not there', { 'other.yaml': '' }, 'the context has no file task.yaml'],
    ['a file with errors', { 'task.yaml': 'steps:\n  - bild: x\n' }, 'This step does nothing'],
  ])('tells of %s', async (name, files, message) => {
    const contextPath = await repository(name.replaceAll(' ', '-'), files);
    const found = await analyse({ type: 'FileTask', contextPath, taskFilePath: 'task.yaml', values: [] });
    expect(found.error).toContain(message);
    expect(found.transient).not.toBe(true);
    expect(found.dependencies).toEqual([]);
  });

  it('is tried again when a server does not answer, and not when the context can never be', async () => {
    const gone = await analyse({ type: 'Docker', contextPath: `${server.url}/smart/none.git`, ...TASK });
    expect(gone).toMatchObject({ transient: true, dependencies: [] });
    const local = await analyse({ type: 'Docker', contextPath: '/etc', ...TASK });
    expect(local).toMatchObject({ transient: false, error: expect.stringContaining('cannot be a path') });
  });
});
