import { describe, expect, it } from 'vitest';
import type { RunHold } from '../../../src/model/run-hold.ts';
import { commitStatusOf, type SourceRun } from '../../../src/trigger/status/run-status.ts';
import { commitOf } from './outbox-rig.ts';

const start = '2030-01-01T00:00:00.000Z';
const lasting = (seconds: number) => ({ startTime: start, finishTime: new Date(Date.parse(start) + seconds * 1000).toISOString() });
const trigger = {
  name: 'commits',
  status: 'Enabled',
  sourceTriggerEvents: ['commit'],
  sourceRepository: { sourceControlType: 'Github', repositoryUrl: 'https://github.com/Acme/Shop.git' },
  branches: [],
  tags: [],
  paths: { include: [], exclude: [] },
  skipCi: false,
  latestOnly: false,
  forks: 'approve',
  commitStatus: true,
} as const;
const cause = {
  kind: 'source',
  event: 'commit',
  trigger: 'commits',
  repositoryUrl: 'https://github.com/Acme/Shop.git',
  commit: commitOf(1),
  provider: 'Github',
} as const;
const statusOf = (run: Partial<SourceRun['run']>, changes: Partial<SourceRun['cause']> = {}) =>
  commitStatusOf(
    { task: 'shop', cause: { ...cause, ...changes }, run: { id: 'ra001', status: 'Queued', ...run } },
    trigger,
    'https://s.example.com',
  );

describe('the words of a status', () => {
  const held = (hold: RunHold) => ({ status: 'Queued', hold }) as const;
  it.each([
    [{ status: 'Queued' }, 'queued', 'Queued'],
    [held({ because: 'waits for further base images' }), 'queued', 'Queued: waits for further base images'],
    [held({ because: 'a fork', approval: { commit: commitOf(1) } }), 'queued', 'Waits for approval'],
    [{ status: 'Started' }, 'running', 'Running'],
    [{ status: 'Running', ...lasting(0) }, 'running', 'Running'],
    [{ status: 'Succeeded', ...lasting(59.4) }, 'succeeded', 'Succeeded in 59 s'],
    [{ status: 'Succeeded', ...lasting(59.6) }, 'succeeded', 'Succeeded in 1 m 0 s'],
    [{ status: 'Failed', ...lasting(72) }, 'failed', 'Failed after 1 m 12 s'],
    [{ status: 'Failed' }, 'failed', 'Failed'],
    [{ status: 'Timeout', ...lasting(3599.6) }, 'failed', 'Timed out after 1 h 0 m'],
    [{ status: 'Timeout' }, 'failed', 'Timed out'],
    [{ status: 'Canceled', ...lasting(3) }, 'canceled', 'Canceled'],
    [{ status: 'Error', ...lasting(3) }, 'error', 'Broke off: not a fault of the commit'],
  ] as const)('of %o', (run, state, description) => {
    expect(statusOf(run)).toMatchObject({ state, description });
  });

  it('are at most 140 characters', () => {
    expect(statusOf(held({ because: 'x'.repeat(500) })).description.length).toBeLessThanOrEqual(140);
  });
});

it('is one for each commit and task, however its repository is spelled', () => {
  const key = (url: string, task = 'shop') =>
    commitStatusOf(
      { task, cause, run: { id: 'ra001', status: 'Queued' } },
      { ...trigger, sourceRepository: { sourceControlType: 'Github', repositoryUrl: url } },
      'https://s.example.com',
    ).key;
  expect(key('git@github.com:acme/shop.git')).toBe(key('https://github.com/Acme/Shop'));
  expect(key('https://github.com/acme/shop', 'other')).not.toBe(key('https://github.com/acme/shop'));
});

it('names the branch of a push and the tag of a tag, but not the target of a pull request', () => {
  expect(statusOf({}, { branch: 'main' }).branch).toBe('main');
  expect(statusOf({}, { event: 'tag', tag: 'v1' }).branch).toBe('v1');
  const pull = statusOf({}, { event: 'pullrequest', branch: 'main', pullRequest: '5' });
  expect([pull.branch, pull.pullRequest]).toEqual([undefined, '5']);
});
