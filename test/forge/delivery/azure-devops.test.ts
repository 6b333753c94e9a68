import { describe, expect, it } from 'vitest';
import { changed, type Json, read, set, ZERO } from '../recorded.ts';
import { fixture } from '../sign.ts';

describe('Azure DevOps', () => {
  const repository = {
    forge: 'VisualStudioTeamService',
    id: '9e40bd7f-dc7e-4097-8368-da53777a1dfc',
    url: 'https://dev.azure.com/quayside/DefaultCollection/_git/harbour',
    fullName: 'harbour',
    defaultBranch: 'master',
  };
  const deliveryId = 'fff852ab-3795-441e-8c84-9b9b9f63dffb.5b9f3c61-2d0e-4a7b-8a55-0c1d2e3f4a5b.41';

  it('reads every ref of a push', async () => {
    const first = {
      kind: 'push',
      repository,
      ref: 'refs/heads/master',
      before: '63d21bf86e79f05fa6b0b98943ea51da4d12afff',
      after: '3b4c42b85c1cbea560f991c36be36dc382e9d329',
      actor: 'ann@example.org',
    };
    expect(await read('VisualStudioTeamService', { body: fixture('azure-devops/push') })).toEqual({
      kind: 'happenings',
      deliveryId,
      repositoryId: repository.id,
      happenings: [first],
    });
    expect(await read('VisualStudioTeamService', { body: fixture('azure-devops/push-three-refs') })).toMatchObject({
      happenings: [first, { kind: 'tag', ref: 'refs/tags/v2', before: ZERO }, { kind: 'push', ref: 'refs/heads/old', after: ZERO }],
    });
  });

  it('looks at the repository of the hook when the resource is minimal or absent', async () => {
    const look = {
      kind: 'repository',
      repository: { forge: 'VisualStudioTeamService', url: 'https://git.example.org/team/configured.git' },
    };
    expect(await read('VisualStudioTeamService', { body: fixture('azure-devops/push-minimal') })).toEqual({
      kind: 'happenings',
      deliveryId,
      happenings: [look],
    });
    for (const name of ['azure-devops/push', 'azure-devops/pull-request-created']) {
      const body = changed(name, (event) => set(event, { resource: undefined }));
      expect(await read('VisualStudioTeamService', { body })).toMatchObject({ happenings: [look] });
    }
    const unmerged = changed('azure-devops/pull-request-created', (event) =>
      set(event['resource'] as Json, { lastMergeSourceCommit: null }),
    );
    expect(await read('VisualStudioTeamService', { body: unmerged })).toMatchObject({ happenings: [{ kind: 'repository' }] });
  });

  it('reads pull requests', async () => {
    const created = await read('VisualStudioTeamService', { body: fixture('azure-devops/pull-request-created') });
    expect(created).toMatchObject({
      happenings: [
        {
          kind: 'pull-request',
          number: '1',
          action: 'opened',
          headSha: '81c654e23c5fc099eb9861776c7d54c65e124071',
          headBranch: 'mytopic',
          headRef: 'refs/heads/mytopic',
          baseBranch: 'master',
          baseSha: '593eb224d7cbc1204585a1e7c94f6301f17a2701',
          fork: false,
          actor: 'ann@example.org',
        },
      ],
    });
    const fork = changed('azure-devops/pull-request-created', (event) =>
      set(event['resource'] as Json, {
        forkSource: { name: 'refs/heads/mytopic', repository: { id: 'x', remoteUrl: 'https://ann@dev.azure.com/ann/p/_git/r' } },
      }),
    );
    const forked = await read('VisualStudioTeamService', { body: fork });
    expect(forked).toMatchObject({ happenings: [{ fork: true, headUrl: 'https://dev.azure.com/ann/p/_git/r' }] });
    expect(forked).not.toHaveProperty('happenings.0.headRef');
  });

  it.each([
    ['git.pullrequest.updated', 'active', 'synchronized'],
    ['git.pullrequest.updated', 'completed', 'closed'],
    ['git.pullrequest.updated', 'abandoned', 'closed'],
    ['git.pullrequest.merged', 'active', 'other'],
    ['git.pullrequest.merged', 'completed', 'closed'],
  ])('takes %s of status %s for %s, of nobody known', async (eventType, status, action) => {
    const body = changed('azure-devops/pull-request-updated', (event) => {
      set(event, { eventType });
      set(event['resource'] as Json, { status });
    });
    const answer = await read('VisualStudioTeamService', { body });
    expect(answer).toMatchObject({ happenings: [{ action }] });
    // The payload names only the one who created it.
    expect(answer).not.toHaveProperty('happenings.0.actor');
  });

  it('takes the sample of the test button for a ping, and ignores work items', async () => {
    const test = changed('azure-devops/push', (event) => set(event, { subscriptionId: '00000000-0000-0000-0000-000000000000' }));
    expect(await read('VisualStudioTeamService', { body: test })).toEqual({ kind: 'ping' });
    expect(await read('VisualStudioTeamService', { body: '{"eventType":"workitem.created"}' })).toMatchObject({ kind: 'ignored' });
  });

  it('tells subscriptions to one event apart, and one delivery from nothing by its bytes', async () => {
    const other = changed('azure-devops/push', (event) => set(event, { subscriptionId: 'b', notificationId: 1 }));
    expect(await read('VisualStudioTeamService', { body: other })).toMatchObject({ deliveryId: expect.stringMatching(/\.b\.1$/) });
    const none = changed('azure-devops/push', (event) => set(event, { id: undefined }));
    expect(await read('VisualStudioTeamService', { body: none })).toMatchObject({ deliveryId: expect.stringMatching(/^sha256-/) });
  });
});
