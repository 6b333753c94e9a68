import { expect, test } from 'vitest';
import type { TriggerDecisionResource, TriggerEventDetail } from '../../../src/api/event-schema.ts';
import type { TaskExplanation } from '../../../src/api/explain-schema.ts';
import type { HookSecretResource } from '../../../src/api/hook-schema.ts';
import type { RunResource } from '../../../src/api/run-schema.ts';
import { eventTable, eventText, happeningText } from '../../../src/cli/tables/event-text.ts';
import { runExplanationText, taskExplanationText } from '../../../src/cli/tables/explain-text.ts';
import { hookText } from '../../../src/cli/tables/hook-text.ts';
import { causeText, runText } from '../../../src/cli/tables/run-table.ts';
import { createPaint } from '../../../src/cli/terminal/paint.ts';
import { collected } from '../collected-stream.ts';

const PLACE = { stream: collected(), paint: createPaint(false), now: new Date('2026-11-23T12:00:00Z') };
const AT = '2026-11-23T11:57:00Z';
const URL = 'https://git.example/web.git';
const [ZERO, OLD, NEW] = ['0'.repeat(40), '1'.repeat(40), '2'.repeat(40)];
const repository = { forge: 'Gitea' as const, url: URL };
const image = { registry: 'docker.io', repository: 'library/node', tag: '20' };

test.each<[string, Parameters<typeof happeningText>[0]]>([
  [`branch main of ${URL}: 1111111 to 2222222`, { kind: 'push', repository, ref: 'refs/heads/main', before: OLD, after: NEW }],
  [
    `branch main of ${URL}: 1111111 to 2222222 (forced)`,
    { kind: 'push', repository, ref: 'refs/heads/main', before: OLD, after: NEW, forced: true },
  ],
  [`tag v1 of ${URL}: new at 2222222`, { kind: 'tag', repository, ref: 'refs/tags/v1', before: ZERO, after: NEW }],
  [`branch old of ${URL}: deleted`, { kind: 'push', repository, ref: 'refs/heads/old', before: OLD, after: ZERO }],
  [
    `pull request 5 opened: fix at 2222222 into main of ${URL} (fork)`,
    { kind: 'pull-request', repository, number: '5', action: 'opened', headSha: NEW, headBranch: 'fix', baseBranch: 'main', fork: true },
  ],
  [
    `pull request 5 otherwise changed: fix at 2222222 into main of ${URL}`,
    { kind: 'pull-request', repository, number: '5', action: 'other', headSha: NEW, headBranch: 'fix', baseBranch: 'main', fork: false },
  ],
  [`something in ${URL}`, { kind: 'repository', repository }],
  ['docker.io/library/node:20 was pushed by ra001', { kind: 'image', image, run: 'ra001' }],
  [
    'docker.io/library/node:20 is sha256:bbbbbbbbbbbb, was sha256:aaaaaaaaaaaa',
    { kind: 'image-changed', image, indexDigest: `sha256:${'b'.repeat(64)}`, platforms: {}, previous: `sha256:${'a'.repeat(64)}` },
  ],
  [
    'timer t1 of web at 2026-11-23T03:00:00Z (late)',
    { kind: 'timer', task: 'web', taskId: '1', trigger: 't1', occurrence: '2026-11-23T03:00:00Z', late: true },
  ],
  ['ra001 of web ended: Succeeded', { kind: 'run-ended', run: 'ra001', task: 'web', status: 'Succeeded' }],
  ['web asked for by token ci', { kind: 'manual', task: 'web', by: 'token ci' }],
])('%s', (text, happening) => expect(happeningText(happening)).toBe(text));

const DECISION: TriggerDecisionResource = {
  ...{ eventId: 'e17', at: AT, task: 'web', trigger: 'git', outcome: 'skipped', code: 'branch-filter' },
  because: 'the branch next matches none of main, release/*',
};
const EVENT: TriggerEventDetail = {
  ...{ eventId: 'e17', number: 17, dedupKey: 'hook:a:b:0', origin: 'webhook', receivedAt: AT, status: 'settled', attempts: 1 },
  happening: { kind: 'push', repository, ref: 'refs/heads/next', before: OLD, after: NEW, actor: '\x1b[31mmallory' },
  decisions: [DECISION],
};

test('an event with its decisions; what came with it cannot steer a terminal', () => {
  const text = eventText(EVENT, PLACE);
  expect(text).toMatch(/^What +branch next of/m);
  expect(text).toMatch(/ web +git +skipped +branch-filter +the branch next matches none of main, release\/\*$/m);
  expect(text).not.toContain('\x1b[31m');
  expect(eventText({ ...EVENT, decisions: [] }, PLACE)).toContain('It concerned no task.');
  expect(eventTable([{ ...EVENT, status: 'failed', error: 'gone' }], PLACE)).toMatch(/e17 .*webhook +failed .*gone$/m);
});

test('a run is explained by the chain of its causes', () => {
  const text = runExplanationText(
    {
      ...{ runId: 'ra002', task: 'web', status: 'Queued', trigger: 'Image Update', createTime: AT, held: 'waits for further base images' },
      chain: [
        { kind: 'image-update', summary: 'base:1 has a new digest', trigger: 'base', eventId: 'e18', at: AT, runId: 'ra001', task: 'base' },
        { kind: 'source', summary: 'commit 2222222 on main', eventId: 'e17', at: AT },
      ],
      decisions: [
        { ...DECISION, eventId: 'e18', outcome: 'run', code: 'fired', because: 'another digest than the last build', runId: 'ra002' },
      ],
    },
    PLACE,
  );
  expect(text).toMatch(/^Held +waits for further base images$/m);
  expect(text).toMatch(/^Because\nbase:1 has a new digest \(trigger base, e18, .*\)\n {2}↳ commit 2222222 on main \(e17, .*\)\n/m);
  expect(text).toMatch(/e18 +git +run +ra002 +fired +another digest/);
});

test('an approved run is explained with who approved it, when and at which head', () => {
  const run = { runId: 'ra002', task: 'web', status: 'Running', trigger: 'Pull Request', createTime: AT, chain: [], decisions: [] };
  expect(runExplanationText({ ...run, problem: 'the commit status was not taken' }, PLACE)).toMatch(
    /^Problem +the commit status was not taken$/m,
  );
  const text = runExplanationText({ ...run, approval: { at: AT, by: 'token me', commit: NEW } }, PLACE);
  expect(text).toMatch(/^Approved +by token me 2026-11-23 \d\d:\d\d \(.*\) at head 222222222222$/m);
});

test('a task is explained by its triggers and what came of events', () => {
  const explanation: TaskExplanation = {
    ...{ task: 'web', status: 'Disabled' },
    triggers: [
      {
        name: 'git',
        kind: 'source',
        status: 'Enabled',
        follows: `commits of ${URL}`,
        next: '2026-11-23T12:05:00Z',
        problem: 'no access',
        watched: [],
        last: DECISION,
      },
    ],
    decisions: [DECISION],
    undecided: [{ eventId: 'e19', kind: 'push', at: AT, status: 'failed', attempts: 3, error: 'crashed' }],
  };
  const text = taskExplanationText(explanation, PLACE);
  expect(text).toContain('Disabled: nothing but a person starts it');
  expect(text).toMatch(/git +source +Enabled +commits of .*\(in 5m\).*skipped: the branch next.*no access/);
  expect(text).toMatch(/e19 +push .*failed +crashed/);
  const nothing = taskExplanationText({ ...explanation, triggers: [], decisions: [], undecided: [] }, PLACE);
  expect(nothing).toContain('Nothing starts it by itself.\n\nNothing was decided on for it yet.');
});

const HOOK: HookSecretResource = {
  ...{ id: 'abc', url: 'https://ci.example/hooks/abc', tasks: ['web'], createdAt: AT, createdBy: 'token me', secret: 's3cret' },
  source: { kind: 'git', forge: 'Gitea', repositoryUrl: URL },
  urlWithSecret: 'https://ci.example/hooks/abc/s3cret',
  instructions: [
    { text: 'Open the settings.' },
    { text: 'Payload URL:', value: 'https://ci.example/hooks/abc' },
    { text: 'A program:', value: '#!/bin/sh\necho' },
  ],
};

test('a webhook with how to set it up', () => {
  expect(hookText(HOOK, false, PLACE)).toMatch(
    /Secret +s3cret\n(?:.*\n)*How to set it up:\n1\. Open the settings\.\n2\. Payload URL:\n {3}https:\/\/ci.*\n3\. A program:\n {3}#!\/bin\/sh\n {3}echo\n$/,
  );
  const azure = { ...HOOK, source: { ...HOOK.source, forge: 'VisualStudioTeamService' } } as HookSecretResource;
  expect(hookText(azure, false, PLACE)).toContain(`${URL} (Azure DevOps)\n`);
  expect(hookText(HOOK, true, PLACE)).toContain('Set the new secret there:');
  expect(hookText({ ...HOOK, atForge: 'created' }, false, PLACE)).toMatch(/\nIt was created at the forge\.\n$/);
});

test('causes as phrases', () => {
  const source = { kind: 'source', trigger: 'git', repositoryUrl: URL, commit: NEW, provider: 'gitea' } as const;
  expect(
    [
      { ...source, event: 'commit' as const, branch: 'main' },
      { ...source, event: 'tag' as const, tag: 'v1' },
      { ...source, event: 'pullrequest' as const, pullRequest: '5' },
      { kind: 'image-update' as const, trigger: 'b', images: [{ ...image, digest: 'sha256:a' }], run: 'ra001', task: 'base' },
      { kind: 'timer' as const, trigger: 't1', occurrence: AT, late: true },
    ].map(causeText),
  ).toEqual([
    `commit 2222222 on main of ${URL}`,
    `tag v1 at 2222222 of ${URL}`,
    `pull request 5 at 2222222 of ${URL}`,
    'update of library/node:20 by ra001 of base',
    `timer t1 at ${AT} (late)`,
  ]);
});

test('a held run says until when, and how it goes on', () => {
  const run = {
    ...{ runId: 'ra001', runType: 'AutoRun', task: 'web', status: 'Queued', createTime: AT, startTime: null, finishTime: null },
    ...{
      platform: { os: 'linux', architecture: 'amd64' },
      agentPoolName: 'default',
      step: { type: 'Docker' },
      trust: 'untrusted',
      attempt: 0,
    },
    ...{ causes: [], outputImages: [], steps: [], baseImages: [], isArchiveEnabled: false, background: true },
    hold: { because: 'waits for an approval', runs: ['ra000'], until: '2026-11-23T12:00:30Z', approval: { commit: NEW } },
    approval: { at: AT, by: 'token me', commit: NEW },
  } as unknown as RunResource;
  const text = runText(run, PLACE);
  expect(text).toMatch(/^Held +waits for an approval; until .*\(in 30s\); after ra000; `task approve ra001` lets it run$/m);
  expect(text).toMatch(/^Approved +by token me .* at head 222222222222$/m);
  expect(text).toMatch(/^Background +yes/m);
  expect(text).not.toMatch(/^Pushes/m);
  expect(runText({ ...run, noPush: true }, PLACE)).toMatch(/^Pushes +left out, because the run is untrusted$/m);
  expect(runText({ ...run, noPush: true, trust: 'trusted' }, PLACE)).toMatch(/^Pushes +left out, as it was asked for$/m);
});
