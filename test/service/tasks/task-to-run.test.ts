import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EngineError } from '../../../src/model/engine-error.ts';
import type { Cause } from '../../../src/model/run-record.ts';
import type { TaskDefinition } from '../../../src/model/task-definition.ts';
import { expandGroup } from '../../../src/service/tasks/concurrency-group.ts';
import { makeQuickRun } from '../../../src/service/tasks/quick-run.ts';
import { standardTaskDefaults } from '../../../src/service/tasks/task-defaults.ts';
import { makeRunRequest } from '../../../src/service/tasks/task-to-run.ts';

const DEFAULTS = { ...standardTaskDefaults('x64'), registry: 'registry.example' };
const MANUAL: Cause = { kind: 'manual', principal: 'token ci', from: '127.0.0.1' };
const COMMIT: Cause = {
  kind: 'source',
  event: 'commit',
  trigger: 'default',
  repositoryUrl: 'https://git.example/web',
  branch: 'feature/${task}',
  commit: 'c'.repeat(40),
  provider: 'generic',
};
const PULL: Cause = { ...COMMIT, event: 'pullrequest', pullRequest: '17' };
const BY_HAND = { causes: [MANUAL] };

const WEB: TaskDefinition = {
  name: 'web',
  status: 'Disabled',
  platform: { os: 'linux', architecture: 'arm64' },
  agentConfiguration: { cpu: 4 },
  timeout: 1200,
  step: {
    type: 'Docker',
    contextPath: 'https://git.example/web.git#main',
    contextAccessToken: { secret: 'GIT' },
    dockerFilePath: 'Dockerfile',
    imageNames: ['web:{{.Run.ID}}'],
    isPushEnabled: true,
    noCache: false,
    arguments: [
      { name: 'A', value: '1', isSecret: false },
      { name: 'S', value: { sealed: 'c2VhbGVk' }, isSecret: true },
    ],
  },
  credentials: [{ loginServer: 'registry.example', userName: 'u', password: { secret: 'P' } }],
  agentPoolName: 'big',
  priority: 5,
  maxParallelRuns: 2,
  concurrency: { group: '${task}-${branch}-${commit}-${pullRequest}', limit: 1, onConflict: 'cancel-running' },
  policy: { privileged: true, hostMounts: false, dockerSocket: true },
};
const ENCODED: TaskDefinition = {
  ...WEB,
  step: { type: 'EncodedTask', encodedTaskContent: 'c3RlcHM6IFtdCg==', values: [{ name: 'V', value: 'x', isSecret: false }] },
};

function refused(work: () => unknown): readonly (string | undefined)[] {
  try {
    work();
  } catch (error) {
    if (error instanceof EngineError) return error.diagnostics.map(({ field }) => field);
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a run of a task', () => {
  test('is what the task says, also of a disabled one', () => {
    const { request, secrets } = makeRunRequest(WEB, {}, BY_HAND, DEFAULTS);
    expect(secrets).toEqual({});
    expect(request).toEqual({
      task: 'web',
      runType: 'QuickBuild',
      step: WEB.step,
      platform: WEB.platform,
      cpu: 4,
      timeout: 1200,
      registry: 'registry.example',
      credentials: WEB.credentials,
      policy: WEB.policy,
      trust: 'trusted',
      agentPoolName: 'big',
      priority: 5,
      maxParallelRuns: 2,
      concurrency: { group: 'web-main--', limit: 1, onConflict: 'cancel-running' },
      variables: { TriggeredBy: 'Manual' },
      causes: [MANUAL],
      extended: false,
      noPush: false,
      keepGoing: false,
      env: [],
    });
  });

  test('has named things of the request before those of the task', () => {
    const { request, secrets } = makeRunRequest(
      WEB,
      {
        arguments: [
          { name: 'S', isSecret: true, value: 'hidden' },
          { name: 'A', value: '2' },
          { name: 'N', isSecret: true, value: { secret: 'NPM' } },
        ],
        target: 'test',
        file: 'Dockerfile.test',
        timeout: 600,
        platform: { architecture: 'amd64' },
        noPush: true,
        priority: -1,
        concurrency: { group: 'one' },
      },
      BY_HAND,
      DEFAULTS,
    );
    expect(request).toMatchObject({
      timeout: 600,
      platform: { os: 'linux', architecture: 'amd64' },
      noPush: true,
      priority: -1,
      concurrency: { group: 'one', limit: 1, onConflict: 'queue' },
      step: {
        target: 'test',
        dockerFilePath: 'Dockerfile.test',
        arguments: [
          { name: 'A', value: '2', isSecret: false },
          { name: 'S', value: { sealed: 'run' }, isSecret: true },
          { name: 'N', value: { secret: 'NPM' }, isSecret: true },
        ],
      },
    });
    expect(secrets).toEqual({ 'argument:S': 'hidden' });
    expect(JSON.stringify(request)).not.toContain('hidden');
  });

  test('is for the commit of its cause only where it has the context of its task', () => {
    const source = {
      contextPath: `https://git.example/web.git#${COMMIT.commit}:app`,
      pinnedCommit: COMMIT.commit,
      pinnedRef: 'refs/heads/main',
    };
    const { request } = makeRunRequest(WEB, {}, { causes: [COMMIT], source }, DEFAULTS);
    expect(request).toMatchObject({
      ...{ pinnedCommit: COMMIT.commit, pinnedRef: 'refs/heads/main', policy: WEB.policy },
      step: { contextPath: source.contextPath, contextAccessToken: { secret: 'GIT' } },
    });
    expect(makeRunRequest(WEB, {}, { causes: [COMMIT] }, DEFAULTS).request.pinnedCommit).toBeUndefined();
  });

  test('has the variables of its nearest cause only: those behind it are of other repositories', () => {
    const update: Cause = { kind: 'image-update', trigger: 'default', images: [], run: 'ra001', task: 'base' };
    const { request } = makeRunRequest(
      WEB,
      {},
      { causes: [update, COMMIT], background: true, baseImages: [{ reference: 'node', use: 'node:20.1' }] },
      DEFAULTS,
    );
    expect(request).toMatchObject({ background: true, baseImages: [{ reference: 'node', use: 'node:20.1' }], runType: 'AutoBuild' });
    expect(request.variables).toEqual({ TriggeredBy: 'Image Update' });
    expect(request.concurrency?.group).toBe('web-main--');
  });

  test('has special rights only for what the task runs, unless an admin asks', () => {
    const upload = { contextPath: `upload:${'a'.repeat(64)}` };
    const none = { privileged: false, hostMounts: false, dockerSocket: false };
    expect(makeRunRequest(WEB, upload, BY_HAND, DEFAULTS).request.policy).toEqual(none);
    expect(makeRunRequest(WEB, { file: 'Other' }, BY_HAND, DEFAULTS).request.policy).toEqual(none);
    expect(makeRunRequest(ENCODED, { values: [{ name: 'V', value: 'y' }] }, BY_HAND, DEFAULTS).request.policy).toEqual(none);
    expect(makeRunRequest(WEB, { env: ['BASH_ENV=/x'] }, BY_HAND, DEFAULTS).request.policy).toEqual(none);
    expect(makeRunRequest(WEB, { target: 'x' }, BY_HAND, DEFAULTS).request.policy).toEqual(WEB.policy);
    expect(makeRunRequest(WEB, upload, { ...BY_HAND, keepPolicy: true }, DEFAULTS).request.policy).toEqual(WEB.policy);
  });

  test.each([
    ['https://git.example/web.git#other', true],
    ['https://git.example.evil/web.git', false],
    ['http://git.example/web.git', false],
    [`upload:${'a'.repeat(64)}`, false],
    ['oci://git.example/web:1', false],
  ])('from %s has the token of the context: %s', (contextPath, kept) => {
    const { step } = makeRunRequest(WEB, { contextPath }, BY_HAND, DEFAULTS).request;
    expect(step.contextAccessToken !== undefined).toBe(kept);
  });

  test('of a pull request has no secret, no credential and no right, from birth', () => {
    const { request } = makeRunRequest(WEB, { noPush: false }, { causes: [PULL], keepPolicy: true }, DEFAULTS);
    expect(request).toMatchObject({
      trust: 'untrusted',
      credentials: [],
      noPush: true,
      policy: { privileged: false, dockerSocket: false },
    });
    expect(request.step).not.toHaveProperty('contextAccessToken');
    expect(request.step).toMatchObject({ arguments: [{ name: 'A' }] });
    expect(JSON.stringify(request)).not.toMatch(/"(secret|sealed)"/);
    const caused = { causes: [{ kind: 'after' as const, task: 'base', run: 'ra001' }, PULL] };
    expect(makeRunRequest(WEB, {}, caused, DEFAULTS).request.trust).toBe('untrusted');
  });

  test('of a commit has what it is called as data', () => {
    const { request } = makeRunRequest(WEB, {}, { causes: [COMMIT] }, DEFAULTS);
    expect(request).toMatchObject({
      runType: 'AutoBuild',
      trust: 'trusted',
      variables: { Commit: COMMIT.commit, Branch: 'feature/${task}', Repository: 'https://git.example/web', TriggeredBy: 'Commit' },
      concurrency: { group: `web-feature/\${task}-${COMMIT.commit}-` },
    });
    expect(makeRunRequest(ENCODED, {}, { causes: [COMMIT] }, DEFAULTS).request.runType).toBe('AutoRun');
  });

  test('is refused with the fields that cannot be', () => {
    const at = 'overrideTaskStepProperties';
    expect(refused(() => makeRunRequest(WEB, { values: [{ name: 'V', value: '' }], timeout: 1 }, BY_HAND, DEFAULTS))).toEqual([
      'timeout',
      `${at}.values`,
    ]);
    expect(refused(() => makeRunRequest(ENCODED, { file: 'x', target: 'y', arguments: [] }, BY_HAND, DEFAULTS))).toEqual(
      ['file', 'target', 'arguments'].map((name) => `${at}.${name}`),
    );
    expect(refused(() => makeRunRequest(WEB, { contextPath: '/etc', file: '/etc/passwd' }, BY_HAND, DEFAULTS))).toEqual([
      `${at}.contextPath`,
      `${at}.file`,
    ]);
    expect(
      refused(() => makeRunRequest(WEB, { arguments: [{ name: 'NEW', isSecret: true, value: { stored: true } }] }, BY_HAND, DEFAULTS)),
    ).toEqual(['argument:NEW']);
  });
});

describe('a quick run', () => {
  test('is a build, a task file of the context, or one that comes along', () => {
    const build = makeQuickRun(
      {
        type: 'DockerBuildRequest',
        sourceLocation: 'https://git.example/web.git',
        contextAccessToken: { plain: 'hidden-token' },
        imageNames: ['web'],
        credentials: [{ loginServer: 'r.example', userName: { plain: 'hidden-u' }, password: { plain: 'hidden-p' } }],
      },
      BY_HAND,
      DEFAULTS,
    );
    expect(build.request).toMatchObject({
      runType: 'QuickBuild',
      cpu: 2,
      timeout: 3600,
      step: { type: 'Docker', dockerFilePath: 'Dockerfile', isPushEnabled: true, contextAccessToken: { sealed: 'run' } },
      credentials: [{ loginServer: 'r.example', userName: { sealed: 'run' }, password: { sealed: 'run' } }],
      policy: { privileged: false, hostMounts: false, dockerSocket: false },
    });
    expect(build.request).not.toHaveProperty('task');
    expect(build.secrets).toEqual({
      contextAccessToken: 'hidden-token',
      'userName:r.example': 'hidden-u',
      'password:r.example': 'hidden-p',
    });
    const file = makeQuickRun({ type: 'FileTaskRunRequest', sourceLocation: 'oci://r.example/ctx:1' }, BY_HAND, DEFAULTS);
    expect(file.request).toMatchObject({ runType: 'QuickRun', step: { type: 'FileTask', taskFilePath: 'acb.yaml' } });
    const inline = makeQuickRun(
      { type: 'EncodedTaskRunRequest', sourceLocation: '/dev/null', encodedTaskContent: 'c3RlcHM6IFtdCg==' },
      BY_HAND,
      DEFAULTS,
    );
    expect(inline.request.step).toEqual({ type: 'EncodedTask', encodedTaskContent: 'c3RlcHM6IFtdCg==', values: [] });
  });

  test('is refused under the names of the request', () => {
    expect(refused(() => makeQuickRun({ type: 'DockerBuildRequest', dockerFilePath: '../x', timeout: 5 }, BY_HAND, DEFAULTS))).toEqual([
      'timeout',
      'sourceLocation',
      'dockerFilePath',
    ]);
    expect(refused(() => makeQuickRun({ type: 'FileTaskRunRequest', sourceLocation: '.', target: 'x' }, BY_HAND, DEFAULTS))).toEqual([
      'target',
      'sourceLocation',
    ]);
  });
});

test('a group is expanded once: what a branch is called is never looked at again', () => {
  const names = fc.record({ task: fc.string(), branch: fc.string(), commit: fc.string(), pullRequest: fc.string() });
  fc.assert(
    fc.property(names, (values) => {
      expect(expandGroup('a${branch}b${task}c', values)).toBe(`a${values.branch}b${values.task}c`.slice(0, 512));
    }),
  );
  expect(expandGroup('${branch}', { task: 't', branch: '$&${task}$1', commit: '', pullRequest: '' })).toBe('$&${task}$1');
});
