import { describe, expect, it } from 'vitest';
import { changed, type Json, READ, read, set, ZERO } from '../recorded.ts';
import { fixture } from '../sign.ts';

describe('GitLab', () => {
  const repository = {
    forge: 'GitLab',
    id: '8376270',
    url: 'https://gitlab.com/quayside/harbour.git',
    fullName: 'quayside/harbour',
    defaultBranch: 'master',
  };

  it('reads pushes of branches and tags', async () => {
    const after = '9d272c08fc58c8365124f6c945647d756d4a86f9';
    expect(await read('GitLab', { body: fixture('gitlab/push'), event: 'Push Hook' })).toEqual({
      ...READ,
      repositoryId: '8376270',
      happenings: [
        {
          kind: 'push',
          repository,
          ref: 'refs/heads/master',
          before: 'd8c54a6f493e89939801856dc5bff6658c626af9',
          after,
          actor: 'quayside',
        },
      ],
    });
    // `after` is the tag's own object there, `checkout_sha` its commit.
    expect(await read('GitLab', { body: fixture('gitlab/tag-push'), event: 'Tag Push Hook' })).toMatchObject({
      happenings: [{ kind: 'tag', ref: 'refs/tags/v1.0.0', before: ZERO, after }],
    });
    expect(await read('GitLab', { body: fixture('gitlab/tag-delete'), event: 'Tag Push Hook' })).toMatchObject({
      happenings: [{ kind: 'tag', ref: 'refs/tags/v1.0.0', before: after, after: ZERO }],
    });
  });

  it('reads merge requests', async () => {
    expect(await read('GitLab', { body: fixture('gitlab/merge-request-open'), event: 'Merge Request Hook' })).toEqual({
      ...READ,
      repositoryId: '8376270',
      happenings: [
        {
          kind: 'pull-request',
          repository,
          number: '1',
          action: 'opened',
          headSha: 'be1e57ef5c25acbb0596c994eb372fd78d2ddcef',
          headBranch: 'feature',
          headRef: 'refs/merge-requests/1/head',
          headUrl: 'https://gitlab.com/quayside/harbour.git',
          baseBranch: 'master',
          fork: false,
          actor: 'quayside',
        },
      ],
    });
  });

  it('takes an update for new commits only when the old revision is told', async () => {
    expect(await read('GitLab', { body: fixture('gitlab/merge-request-update-commits') })).toMatchObject({
      happenings: [{ action: 'synchronized' }],
    });
    expect(await read('GitLab', { body: fixture('gitlab/merge-request-update-title') })).toMatchObject({
      happenings: [{ action: 'other' }],
    });
    const retargeted = changed('gitlab/merge-request-update-title', (merge) =>
      set(merge, { changes: { target_branch: { previous: 'a', current: 'b' } } }),
    );
    expect(await read('GitLab', { body: retargeted })).toMatchObject({ happenings: [{ action: 'retargeted' }] });
  });

  it.each([
    ['reopen', 'reopened'],
    ['close', 'closed'],
    ['merge', 'closed'],
    ['approved', 'other'],
    [undefined, 'other'],
  ])('takes action %s for %s', async (action, expected) => {
    const body = changed('gitlab/merge-request-open', (merge) => set(merge['object_attributes'] as Json, { action }));
    expect(await read('GitLab', { body })).toMatchObject({ happenings: [{ action: expected }] });
  });

  it('tells forks by the ids of the projects', async () => {
    const fork = (values: object) =>
      read('GitLab', { body: changed('gitlab/merge-request-open', (merge) => set(merge['object_attributes'] as Json, values)) });
    expect(await fork({ source_project_id: 5 })).toMatchObject({ happenings: [{ fork: true }] });
    expect(await fork({ source_project_id: null, source: null })).toMatchObject({ happenings: [{ fork: true }] });
    expect(await fork({ source_project_id: null, target_project_id: null })).toMatchObject({ happenings: [{ fork: true }] });
  });

  it('reads system hooks by their body, and looks when many refs changed', async () => {
    const system = changed('gitlab/push', (push) => set(push, { object_kind: undefined }));
    expect(await read('GitLab', { body: system, event: 'System Hook' })).toMatchObject({ happenings: [{ kind: 'push' }] });
    const update = changed('gitlab/push', (push) =>
      set(push, { object_kind: undefined, event_name: 'repository_update', refs: ['refs/heads/a'] }),
    );
    expect(await read('GitLab', { body: update, event: 'System Hook' })).toMatchObject({
      happenings: [{ kind: 'repository', repository }],
    });
    expect(await read('GitLab', { body: '{"event_name":"user_create"}', event: 'System Hook' })).toMatchObject({ kind: 'ignored' });
    expect(await read('GitLab', { body: '{"object_kind":"pipeline"}', event: 'Pipeline Hook' })).toMatchObject({ kind: 'ignored' });
  });

  it('does not take the event UUID, which recursive webhooks share, for the name of the delivery', async () => {
    const headers = { 'idempotency-key': '', 'x-gitlab-event-uuid': 'shared' };
    const push = await read('GitLab', { body: fixture('gitlab/push'), headers });
    const tag = await read('GitLab', { body: fixture('gitlab/tag-push'), headers });
    expect(push).toMatchObject({ deliveryId: expect.stringMatching(/^sha256-[0-9a-f]{64}$/) });
    expect(push).toEqual(await read('GitLab', { body: fixture('gitlab/push'), headers: { ...headers, 'x-gitlab-event-uuid': 'other' } }));
    expect(Object(tag).deliveryId).not.toBe(Object(push).deliveryId);
  });
});
