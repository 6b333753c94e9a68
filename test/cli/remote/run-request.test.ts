import { expect, test } from 'vitest';
import { createRunBody } from '../../../src/api/run-request-schema.ts';
import { type BuildInputFlags, buildRequest } from '../../../src/cli/remote/build-request.ts';
import type { ContextFolder } from '../../../src/cli/remote/context-folder.ts';
import { namedRunRequest, quickRunRequest, type RunInputFlags } from '../../../src/cli/remote/run-request.ts';
import { folderWith } from '../task-process.ts';
import { remoteIo } from './remote-io.ts';

const COMMON = {
  registryCredential: [],
  insecureRegistry: [],
  trustedRealm: [],
  push: true,
  keepGoing: false,
  dockerSocket: true,
  dryRun: false,
  watch: false,
  quiet: false,
  format: true,
  wait: true,
  logs: true,
  archive: false,
  credential: [],
  set: [],
  run: [],
};
const RUN: RunInputFlags = {
  ...COMMON,
  setSecret: [],
  env: [],
  secret: [],
  secretMap: [],
  allowExecSecrets: false,
  extended: false,
  arg: [],
  secretArg: [],
};
const BUILD: BuildInputFlags = {
  ...COMMON,
  push: false,
  tag: [],
  buildArg: [],
  secretBuildArg: [],
  cache: true,
  pull: false,
  label: [],
  secret: [],
  ssh: [],
  addHost: [],
  cacheFrom: [],
  cacheTo: [],
};
const SHA = 'a'.repeat(64);
const GIT = 'https://github.com/me/web.git#main';

function place(files: Readonly<Record<string, string>>, options: Parameters<typeof remoteIo>[0] = {}) {
  const directory = folderWith(files);
  const sent: ContextFolder[] = [];
  const { io } = remoteIo({ directory, ...options });
  const send = async (folder: ContextFolder): Promise<string> => {
    sent.push(folder);
    return `upload:${SHA}`;
  };
  return { io, send, sent, directory };
}

async function quick(files: Readonly<Record<string, string>>, context: string, flags: Partial<RunInputFlags> = {}, stdin?: string) {
  const at = place(files, stdin === undefined ? {} : { stdin });
  const body = await quickRunRequest(context, { ...RUN, ...flags }, at);
  createRunBody.parse(body);
  return { body, ...at };
}

const textOf = (body: object): string =>
  Buffer.from('encodedTaskContent' in body ? String(body.encodedTaskContent) : '', 'base64').toString();

test('a folder is sent with its task file, whatever .dockerignore says', async () => {
  const { body, sent, directory } = await quick({ 'acr-task.yaml': 'steps: []', 'v.yaml': 'a: 1' }, '.', { values: 'v.yaml' });
  expect(body).toMatchObject({
    type: 'FileTaskRunRequest',
    sourceLocation: `upload:${SHA}`,
    taskFilePath: 'acr-task.yaml',
    valuesFilePath: 'v.yaml',
  });
  expect(sent).toEqual([{ directory, keep: ['acr-task.yaml', 'v.yaml'], extras: [] }]);
});

test('a task file named as the context has its folder for one', async () => {
  const { body, sent, directory } = await quick({ 'ci/build.yaml': 'steps: []' }, 'ci/build.yaml');
  expect(body).toMatchObject({ type: 'FileTaskRunRequest', taskFilePath: 'build.yaml' });
  expect(sent[0]?.directory).toBe(`${directory}/ci`);
});

test('a task file from elsewhere comes with the request', async () => {
  const files = { 'task.yaml': 'steps: [elsewhere]', 'src/a': '' };
  const outside = await quick(files, 'src', { file: 'task.yaml' });
  expect(outside.body).toMatchObject({ type: 'EncodedTaskRunRequest', sourceLocation: `upload:${SHA}` });
  expect(textOf(outside.body)).toBe('steps: [elsewhere]');
  const piped = await quick(files, '/dev/null', { file: '-' }, 'steps: [piped]');
  expect(textOf(piped.body)).toBe('steps: [piped]');
  expect([piped.sent, 'sourceLocation' in piped.body]).toEqual([[], false]);
  expect(textOf((await quick(files, '/dev/null', { cmd: 'busybox true' })).body)).toContain('busybox true');
});

test('what the daemon can fetch is not sent', async () => {
  const { body, sent } = await quick({}, GIT, {
    file: 'ci/task.yaml',
    timeout: 61_000,
    queueTimeout: 5000,
    push: false,
    platform: 'linux/arm/v7',
  });
  expect(body).toMatchObject({
    type: 'FileTaskRunRequest',
    sourceLocation: GIT,
    taskFilePath: 'ci/task.yaml',
    timeout: 61,
    queueTimeout: 5,
    noPush: true,
    platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
  });
  expect(sent).toEqual([]);
});

test('a task of the daemon takes a folder, arguments and values for one run', async () => {
  const at = place({ 'src/Dockerfile': '' });
  const flags = {
    ...RUN,
    arg: ['A=1'],
    set: [{ name: 'tag', value: '2' }],
    target: 'test',
    file: 'Dockerfile',
    updateTriggerToken: 't-17',
  };
  const body = await namedRunRequest('web', 'src', flags, at);
  createRunBody.parse(body);
  expect(body).toMatchObject({
    type: 'TaskRunRequest',
    task: 'web',
    overrideTaskStepProperties: {
      contextPath: `upload:${SHA}`,
      file: 'Dockerfile',
      target: 'test',
      updateTriggerToken: 't-17',
      arguments: [{ name: 'A', value: '1', isSecret: false }],
      values: [{ name: 'tag', value: '2', isSecret: false }],
    },
  });
  expect(at.sent).toEqual([{ directory: `${at.directory}/src`, keep: ['Dockerfile'], extras: [] }]);
  expect(await namedRunRequest('web', undefined, RUN, at)).not.toHaveProperty('overrideTaskStepProperties');
  await expect(namedRunRequest('web', undefined, { ...RUN, cmd: 'busybox' }, at)).rejects.toThrow('--cmd cannot be changed');
});

test('a build sends its context, and a Dockerfile from outside beside it', async () => {
  const at = place({ 'app/a': '', 'app/Dockerfile': '', 'docker/Dockerfile': 'FROM scratch\n' }, { environment: { TOKEN: 'shh-quiet' } });
  const inside = await buildRequest('app', { ...BUILD, tag: ['web:1'], secretBuildArg: ['TOKEN'], cache: false, push: true }, at);
  createRunBody.parse(inside);
  expect(inside).toMatchObject({
    type: 'DockerBuildRequest',
    sourceLocation: `upload:${SHA}`,
    dockerFilePath: 'Dockerfile',
    imageNames: ['web:1'],
    isPushEnabled: true,
    noCache: true,
    arguments: [{ name: 'TOKEN', value: { plain: 'shh-quiet' }, isSecret: true }],
  });
  const outside = await buildRequest('app', { ...BUILD, file: 'docker/Dockerfile' }, at);
  expect(outside).toMatchObject({ dockerFilePath: '.slipway.Dockerfile', isPushEnabled: false });
  expect(at.sent[1]?.extras[0]).toMatchObject({ path: '.slipway.Dockerfile', content: Buffer.from('FROM scratch\n') });
});

test('logins of flags go along', async () => {
  const credential = JSON.stringify({
    registry: 'ghcr.io',
    username: 'me',
    userNameProviderType: 'opaque',
    password: 'pw-1234',
    passwordProviderType: 'opaque',
  });
  const { body } = await quick({ 'task.yaml': '' }, '.', { credential: [credential] });
  expect(body).toMatchObject({ credentials: [{ loginServer: 'ghcr.io', userName: 'me', password: { plain: 'pw-1234' } }] });
});

test.each([
  ['nowhere', {}, 'there is no folder nowhere'],
  ['.', {}, 'there is no task file'],
  ['-', {}, 'context from standard input'],
  ['.', { cmd: 'a', file: 'b' }, 'exclude each other'],
  ['.', { target: 'x' }, '--target only changes a run of a task'],
  ['.', { updateTriggerToken: 'x' }, '--update-trigger-token only changes a run of a task'],
])('%s with %o is refused', async (context, flags, message) => {
  await expect(quick({}, context, flags)).rejects.toThrow(message);
});
