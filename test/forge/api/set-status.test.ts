import { describe, expect, it } from 'vitest';
import type { CommitStatus } from '../../../src/model/ports/status-store.ts';
import { API_KINDS, type ApiKind, COMMIT, forgeRig, TOKEN } from './forge-rig.ts';

const STATES: readonly CommitStatus['state'][] = ['queued', 'running', 'succeeded', 'failed', 'error', 'canceled'];

const WORDS: Readonly<Record<ApiKind, readonly string[]>> = {
  Github: ['pending', 'pending', 'success', 'failure', 'error', 'error'],
  GitLab: ['pending', 'running', 'success', 'failed', 'failed', 'canceled'],
  Gitea: ['pending', 'pending', 'success', 'failure', 'error', 'error'],
  Bitbucket: ['INPROGRESS', 'INPROGRESS', 'SUCCESSFUL', 'FAILED', 'FAILED', 'STOPPED'],
  VisualStudioTeamService: ['pending', 'pending', 'succeeded', 'failed', 'error', 'error'],
};

describe.each(API_KINDS)('the commit status of %s', (kind) => {
  it.each(STATES.map((state, at) => [state, WORDS[kind][at]] as const))('says %s as %s', async (state, word) => {
    await using rig = await forgeRig(kind);
    await rig.forge.setStatus(rig.status({ state }), rig.access);
    expect(rig.state.statuses.map(({ body }) => body['state'])).toEqual([word]);
    expect(rig.state.statuses[0]?.place).toContain(COMMIT);
    expect(JSON.stringify(rig.state.statuses)).toContain('https://slipway.example.com/runs/ra001');
    expect(JSON.stringify(rig.state.statuses)).not.toContain(TOKEN);
  });

  it('fits what is too long into the bounds of the API', async () => {
    await using rig = await forgeRig(kind);
    const long = { context: `slipway/${'t'.repeat(63)}`, description: 'ä🚢'.repeat(200), branch: 'b'.repeat(200) };
    await rig.forge.setStatus(rig.status(long), rig.access);
    expect(rig.state.statuses).toHaveLength(1);
    expect(String(rig.state.statuses[0]?.body['description'])).toMatch(/…$/u);
  });

  it('takes the same state again as told', async () => {
    await using rig = await forgeRig(kind);
    for (const state of ['queued', 'queued', 'running', 'running', 'queued', 'succeeded'] as const) {
      await rig.forge.setStatus(rig.status({ state }), rig.access);
    }
    expect(rig.state.statuses.at(-1)?.body['state']).toBe(WORDS[kind][2]);
  });
});

describe('GitLab', () => {
  it('tells the project that a merge request comes from', async () => {
    await using rig = await forgeRig('GitLab');
    await rig.forge.setStatus(rig.status({ pullRequest: '5', branch: 'main' }), rig.access);
    expect(rig.state.statuses.map(({ place, body }) => [place, body['ref']])).toEqual([[`77 ${COMMIT}`, 'topic']]);
  });

  it('names the branch, and the project by its number where that is known', async () => {
    await using rig = await forgeRig('GitLab');
    await rig.forge.setStatus(rig.status({ repositoryId: '42' }), rig.access);
    expect(rig.fake.asked.map(({ path }) => path)).toEqual([`/api/v4/projects/42/statuses/${COMMIT}`]);
    expect(rig.state.statuses[0]?.body['ref']).toBe('main');
  });
});

describe('Bitbucket', () => {
  it('tells long contexts apart by a key of at most 40 characters, and keeps the key of a task', async () => {
    await using rig = await forgeRig('Bitbucket');
    const task = 'a-task-with-a-name-longer-than-the-key-of-a-status';
    for (const state of ['running', 'succeeded'] as const) {
      await rig.forge.setStatus(rig.status({ context: `slipway/${task}1`, state }), rig.access);
    }
    await rig.forge.setStatus(rig.status({ context: `slipway/${task}2` }), rig.access);
    const keys = rig.state.statuses.map(({ body }) => body['key']);
    expect(new Set(keys).size).toBe(2);
    expect(rig.state.statuses.map(({ body }) => body['name'])).toEqual([`slipway/${task}1`, `slipway/${task}2`]);
  });
});

describe('Azure DevOps', () => {
  it('tells the commit and, for the policies of branches, the pull request', async () => {
    await using rig = await forgeRig('VisualStudioTeamService');
    await rig.forge.setStatus(rig.status({ pullRequest: '12' }), rig.access);
    expect(rig.state.statuses.map(({ place }) => place)).toEqual([`commits ${COMMIT}`, 'pullRequests 12']);
    expect(rig.state.statuses[1]?.body['context']).toEqual({ name: 'build-shop', genre: 'slipway' });
  });
});
