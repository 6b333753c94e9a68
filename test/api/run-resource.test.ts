import { describe, expect, it } from 'vitest';
import { runResourceOf, runSummaryOf, summaryOf } from '../../src/api/run-resource.ts';
import { runResource, runSummaryResource } from '../../src/api/run-schema.ts';
import type { Cause, RunRecord, RunRequest } from '../../src/model/run-record.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

const REQUEST: RunRequest = {
  task: 'app',
  runType: 'QuickBuild',
  step: {
    ...{ type: 'Docker', dockerFilePath: 'Dockerfile', imageNames: ['app:1'], isPushEnabled: true, noCache: false },
    contextPath: 'https://user:t0ken@git.example/app.git#main',
    contextAccessToken: { sealed: 'c2VhbGVk' },
    arguments: [
      { name: 'A', value: 'plain', isSecret: false },
      { name: 'B', value: { secret: 'NAME' }, isSecret: true },
      { name: 'C', value: { sealed: 'c2VhbGVk' }, isSecret: true },
    ],
  },
  ...{ platform: { os: 'linux', architecture: 'amd64' }, cpu: 2, timeout: 3600, registry: 'registry.example' },
  credentials: [{ loginServer: 'registry.example', userName: 'me', password: { sealed: 'c2VhbGVk' } }],
  policy: { privileged: false, hostMounts: false, dockerSocket: false },
  ...{ trust: 'trusted', agentPoolName: 'default', priority: 0, variables: {} },
  causes: [{ kind: 'manual', principal: 'token a', from: '127.0.0.1' }],
  ...{ extended: false, noPush: false, keepGoing: false, env: ['SECRET_LOOKING=x'] },
};

const RECORD: RunRecord = {
  ...{ id: 'ra001', number: 1, request: REQUEST, status: 'Succeeded', attempt: 1, agent: 'agent1', crashes: 0, archived: false },
  ...{ createTime: '2026-01-01T00:00:00.000Z', lastUpdatedTime: '2026-01-01T00:00:09.000Z' },
  ...{ startTime: '2026-01-01T00:00:01.000Z', finishTime: '2026-01-01T00:00:09.000Z' },
  steps: [{ id: 'build', kind: 'build', needs: [], status: 'succeeded', attempts: 2, durationMs: 5, exitCode: 0, container: 'abc' }],
  images: [
    { step: 'push', reference: 'registry.example/app:1', digest: DIGEST },
    { step: 'push', reference: 'node', digest: DIGEST },
    { step: 'push', reference: 'Not A Reference', digest: DIGEST },
  ],
  ...{ built: [], baseImages: [], dependencies: [], lastEvent: 4 },
};

/** ARM's list, of the run's `properties`. */
const FIELDS_OF_ACR = [
  ...['runId', 'status', 'lastUpdatedTime', 'runType', 'createTime', 'startTime', 'finishTime', 'task', 'provisioningState'],
  ...['isArchiveEnabled', 'agentPoolName', 'platform', 'agentConfiguration', 'sourceRegistryAuth', 'customRegistries', 'runErrorMessage'],
  ...['updateTriggerToken', 'logArtifact', 'outputImages', 'imageUpdateTrigger', 'sourceTrigger', 'timerTrigger'],
];

function causedBy(...causes: readonly Cause[]): RunRecord {
  return { ...RECORD, request: { ...REQUEST, causes } };
}

describe('a run in answers', () => {
  it('says why pushes are left out', () => {
    const why = (changes: Partial<RunRequest>) => runResourceOf({ ...RECORD, request: { ...REQUEST, ...changes } }).noPushBecause;
    expect([why({}), why({ noPush: true }), why({ noPush: true, trust: 'untrusted' })]).toEqual([undefined, 'requested', 'untrusted']);
  });

  it('names the tag that it is for, and none that another task was run for', () => {
    const tag = { kind: 'source', event: 'tag', trigger: 'git', repositoryUrl: 'https://git.example/app.git', tag: 'v1.0' } as const;
    const pushed: Cause = { ...tag, commit: 'a'.repeat(40), provider: 'Generic' };
    const again: Cause = { kind: 'rerun', principal: 'token a', run: 'ra000' };
    const after: Cause = { kind: 'after', task: 'other', run: 'ra000' };
    const tagOf = (...causes: readonly Cause[]) => runSummaryOf(summaryOf(causedBy(...causes))).gitTag;
    expect([tagOf(pushed), tagOf(again, pushed), tagOf(after, pushed), tagOf(again)]).toEqual(['v1.0', 'v1.0', undefined, undefined]);
    expect(runResource.parse(runResourceOf(causedBy(pushed)))).toMatchObject({ gitTag: 'v1.0' });
  });

  it('has every field of ACR, and is what its schema says', () => {
    const resource = runResourceOf(RECORD, { log: { bytes: 5, droppedBytes: 0, sealed: true } });
    expect(Object.keys(resource)).toStrictEqual(expect.arrayContaining(FIELDS_OF_ACR));
    expect(runResource.parse(resource)).toStrictEqual(resource);
    const summary = runSummaryOf(summaryOf(RECORD));
    expect(runSummaryResource.parse(summary)).toStrictEqual(summary);
    expect(resource.steps[0]).toMatchObject({ attempts: 2, exitCode: 0, container: 'abc' });
  });

  it('names pushed images in parts', () => {
    expect(runResourceOf(RECORD).outputImages).toStrictEqual([
      { registry: 'registry.example', repository: 'app', tag: '1', digest: DIGEST },
      { registry: 'docker.io', repository: 'library/node', tag: '', digest: DIGEST },
      { registry: '', repository: 'Not A Reference', tag: '', digest: DIGEST },
    ]);
  });

  it('holds no secret: neither sealed values, nor what stands in a URL, nor the environment', () => {
    const text = JSON.stringify(runResourceOf(RECORD));
    for (const secret of ['c2VhbGVk', 't0ken', 'SECRET_LOOKING']) expect(text).not.toContain(secret);
    expect(runResourceOf(RECORD).step).toMatchObject({
      contextPath: 'https://…@git.example/app.git#main',
      arguments: [{ value: 'plain' }, { value: { secret: 'NAME' } }, { value: { stored: true } }],
    });
  });

  it('tells what a queued run waits for', () => {
    const waiting = { run: 'ra001', position: 2, reason: 'group-full', because: 'waits for ra000', queuedMs: 7 } as const;
    expect(runResourceOf({ ...RECORD, status: 'Queued' }, { waiting }).waiting).toStrictEqual({
      ...{ position: 2, reason: 'group-full', because: 'waits for ra000', queuedMs: 7 },
    });
  });

  it('has ACR’s trigger of the nearest cause, and the word of its Trigger column', () => {
    const source: Cause = {
      ...{ kind: 'source', event: 'pullrequest', trigger: 'pr', repositoryUrl: 'https://t0ken@git.example/a.git' },
      ...{ branch: 'main', commit: 'c0ffee', pullRequest: '7', provider: 'Github', eventId: 'e1' },
    };
    expect(runResourceOf(causedBy(source))).toMatchObject({
      trigger: 'Pull Request',
      sourceTrigger: {
        ...{ id: 'e1', eventType: 'pullrequest', commitId: 'c0ffee', pullRequestId: '7', branchName: 'main', providerType: 'Github' },
        repositoryUrl: 'https://…@git.example/a.git',
      },
      timerTrigger: null,
    });
    const timer: Cause = { kind: 'timer', trigger: 't1', occurrence: '2026-01-01T00:00:00Z' };
    expect(runResourceOf(causedBy(timer))).toMatchObject({
      trigger: 'Timer',
      timerTrigger: { timerTriggerName: 't1', scheduleOccurrence: '2026-01-01T00:00:00Z' },
    });
    const images = [{ registry: 'docker.io', repository: 'library/node', tag: '24', digest: DIGEST }];
    expect(runResourceOf(causedBy({ kind: 'image-update', trigger: 'base', images }, source))).toMatchObject({
      trigger: 'Image Update',
      imageUpdateTrigger: { id: 'base', timestamp: RECORD.createTime, images },
      sourceTrigger: null,
    });
  });
});
