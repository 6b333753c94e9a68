import { expect, test } from 'vitest';
import type { TaskResource } from '../../../src/api/task-schema.ts';
import { taskBody, taskPatch } from '../../../src/api/task-schema.ts';
import { FlagError } from '../../../src/cli/remote/flag-error.ts';
import { taskBodyOf, taskPatchOf } from '../../../src/cli/remote/task-body.ts';
import type { TaskDefinitionFlags } from '../../../src/cli/remote/task-flags.ts';
import { unsetPath } from '../../../src/cli/remote/unset-fields.ts';
import { folderWith } from '../task-process.ts';
import { remoteIo } from './remote-io.ts';

const NONE: TaskDefinitionFlags = {
  ...{ branch: [], image: [], arg: [], secretArg: [], label: [], set: [], setSecret: [], tag: [] },
  ...{ tag: [], includePath: [], excludePath: [], track: [], schedule: [], after: [] },
};
const GIT = 'https://github.com/me/web.git';

const DOCKER: TaskResource = {
  name: 'web',
  id: '1',
  version: 3,
  creationDate: '2026-11-23T10:00:00.000Z',
  lastUpdatedTime: '2026-11-23T10:00:00.000Z',
  status: 'Enabled',
  platform: { os: 'linux', architecture: 'amd64' },
  agentConfiguration: { cpu: 2 },
  timeout: 3600,
  step: {
    type: 'Docker',
    contextPath: `${GIT}#main:app`,
    dockerFilePath: 'Dockerfile',
    imageNames: ['web:1'],
    isPushEnabled: true,
    noCache: false,
    arguments: [],
  },
  credentials: [],
  agentPoolName: 'default',
  priority: 0,
  policy: { privileged: false, hostMounts: false, dockerSocket: false },
  trigger: { sourceTriggers: [], timerTriggers: [], afterTriggers: [] },
};

async function create(flags: Partial<TaskDefinitionFlags>, place: Parameters<typeof remoteIo>[0] = {}) {
  const body = await taskBodyOf('web', { ...NONE, ...flags }, remoteIo(place).io);
  // What the API takes, or the test fails.
  taskBody.parse(body);
  return body;
}

async function patch(flags: Partial<TaskDefinitionFlags>, unset: readonly string[] = [], current = DOCKER) {
  const body = await taskPatchOf(current, { ...NONE, ...flags }, unset, remoteIo({ environment: { PW: 'hush-hush' } }).io);
  taskPatch.parse(body);
  return body;
}

test('a context alone is a Dockerfile of it', async () => {
  const body = await create({ context: GIT, branch: ['main'], image: ['web:{{.Run.ID}}'], arg: ['A=1'], timeout: 90_500, cpu: 4 });
  expect(body).toEqual({
    name: 'web',
    timeout: 91,
    agentConfiguration: { cpu: 4 },
    step: {
      type: 'Docker',
      contextPath: `${GIT}#main`,
      imageNames: ['web:{{.Run.ID}}'],
      isPushEnabled: true,
      noCache: false,
      arguments: [{ name: 'A', value: '1', isSecret: false }],
    },
  });
});

test('the ending of the file decides, as in ACR', async () => {
  expect((await create({ context: GIT, file: 'ci/build.yaml' })).step).toMatchObject({ type: 'FileTask', taskFilePath: 'ci/build.yaml' });
  expect((await create({ context: GIT, file: 'Dockerfile.dev' })).step).toMatchObject({ type: 'Docker', dockerFilePath: 'Dockerfile.dev' });
});

test('without a context the task file is read here', async () => {
  const directory = folderWith({ 'task.yaml': 'steps:\n  - cmd: busybox echo\n', 'values.yaml': 'a: 1\n' });
  const { step } = await create({ file: 'task.yaml', values: 'values.yaml' }, { directory });
  expect(step).toMatchObject({ type: 'EncodedTask', encodedValuesContent: Buffer.from('a: 1\n').toString('base64') });
  const piped = await create({ file: '-', context: '/dev/null' }, { stdin: 'steps: []\n' });
  expect(piped.step.encodedTaskContent).toBe(Buffer.from('steps: []\n').toString('base64'));
  const made = await create({ cmd: 'busybox echo hi' });
  expect(Buffer.from(made.step.encodedTaskContent ?? '', 'base64').toString()).toContain('busybox echo hi');
});

test('secrets are named, read from the environment, or read from a file', async () => {
  const directory = folderWith({ token: 'from a file\n' });
  const body = await create(
    { context: GIT, gitAccessToken: 'secret:GH', secretArg: ['A=env:PW', 'B=file:token', 'C=secret:NPM', 'D=plain text'] },
    { directory, environment: { PW: 'from env' } },
  );
  expect(body.step.contextAccessToken).toEqual({ secret: 'GH' });
  expect(body.step.arguments).toEqual([
    { name: 'A', value: { plain: 'from env' }, isSecret: true },
    { name: 'B', value: { plain: 'from a file' }, isSecret: true },
    { name: 'C', value: { secret: 'NPM' }, isSecret: true },
    { name: 'D', value: { plain: 'plain text' }, isSecret: true },
  ]);
});

test.each([
  [{}, 'neither a context nor a task file'],
  [{ context: '.' }, 'cannot fetch that'],
  [{ context: GIT, gitAccessToken: 'ghp_visible' }, 'source that is not known'],
  [{ context: GIT, cmd: 'a', file: 'b' }, 'exclude each other'],
  [{ context: GIT, set: [{ name: 'a', value: '1' }] }, '--set cannot be: the task builds a Dockerfile'],
  [{ cmd: 'busybox', image: ['a'] }, '--image cannot be: the task has a task file'],
  [{ cmd: 'busybox', branch: ['main'], context: 'https://host/a.tgz' }, '`--branch` needs a git URL'],
  [{ branch: ['main'], context: 'https://github.com/me/web.git#dev:sub' }, '`--context` names the branch dev, and `--branch` names main'],
  [{ context: GIT, concurrencyLimit: 2 }, 'need a `--concurrency-group`'],
  [{ context: GIT, arg: ['UNKNOWN_VARIABLE'] }, 'has no variable UNKNOWN_VARIABLE'],
])('%o is refused', async (flags, message) => {
  const error: unknown = await create(flags).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(FlagError);
  expect((error as FlagError).message).toContain(message);
});

test('an update holds what was named and nothing else', async () => {
  expect(await patch({ timeout: 600_000 })).toEqual({ timeout: 600 });
  expect(await patch({ push: false, image: ['web:2'] })).toEqual({ step: { isPushEnabled: false, imageNames: ['web:2'] } });
  expect(await patch({ branch: ['next'] })).toEqual({ step: { contextPath: `${GIT}#next:app` } });
  expect(await patch({ context: '/dev/null', cmd: 'busybox true' })).toMatchObject({ step: { type: 'EncodedTask', contextPath: null } });
  expect(await patch({ secretArg: ['TOKEN=env:PW'] })).toEqual({
    step: { arguments: { set: [{ name: 'TOKEN', value: { plain: 'hush-hush' }, isSecret: true }] } },
  });
  expect(await patch({}, ['step.target', 'tags.team'])).toEqual({ unset: ['step.target', 'tags.team'] });
});

test('a limit alone keeps the group that is there', async () => {
  const grouped = { ...DOCKER, concurrency: { group: 'deploy', limit: 1, onConflict: 'skip' as const } };
  expect(await patch({ concurrencyLimit: 3 }, [], grouped)).toEqual({ concurrency: { group: 'deploy', limit: 3, onConflict: 'skip' } });
});

test('an update of nothing is a mistake', async () => {
  await expect(patch({})).rejects.toThrow('nothing is to be changed');
});

test('fields are unset by the names of their flags', () => {
  expect(['context', 'arg', 'arg.A.B', 'credential.ghcr.io', 'timeout.x', 'nothing', 'tag.'].map(unsetPath)).toEqual([
    'step.contextPath',
    'step.arguments',
    'step.arguments.A.B',
    'credentials.ghcr.io',
    undefined,
    undefined,
    undefined,
  ]);
});
