import { describe, expect, it } from 'vitest';
import { changed, type Json, READ, read, set, ZERO } from '../recorded.ts';
import { fixture } from '../sign.ts';

describe('Bitbucket Cloud', () => {
  const repository = {
    forge: 'Bitbucket',
    id: '{fd3cd70f-42d6-42f3-8cdc-4ebeaf8f13b7}',
    url: 'https://bitbucket.org/quayside/harbour.git',
    fullName: 'quayside/harbour',
  };
  const after = 'c00c74fb10d2c9d8f35abf8496f2a5532eef688e';
  const actor = '557058:4e18273f-06df-47d6-82b5-0790c7e644f8';

  it('reads every change of a push', async () => {
    const first = {
      kind: 'push',
      repository,
      ref: 'refs/heads/master',
      before: '4c5b46416ac84ca1c5a02df5568e6e708f7a930d',
      after,
      forced: false,
      actor,
    };
    expect(await read('Bitbucket', { body: fixture('bitbucket/push'), event: 'repo:push' })).toEqual({
      ...READ,
      repositoryId: repository.id,
      happenings: [first],
    });
    const several = changed('bitbucket/push', (payload) => {
      const changes = payload['push']?.['changes'] as unknown as unknown[];
      const created = (JSON.parse(fixture('bitbucket/push-branch-create')) as Json)['push']?.['changes']?.[0];
      const deleted = (JSON.parse(fixture('bitbucket/push-tag-delete')) as Json)['push']?.['changes']?.[0];
      const annotated = { new: { type: 'annotated_tag', name: 'v2', target: { hash: after } }, old: null };
      changes.push(
        created as Json,
        deleted as Json,
        { new: null, old: null } as Json,
        { new: { type: 'bookmark', name: 'x' } } as Json,
        annotated as Json,
      );
    });
    expect(await read('Bitbucket', { body: several, event: 'repo:push' })).toMatchObject({
      happenings: [
        first,
        { kind: 'push', ref: 'refs/heads/develop', before: ZERO, after },
        { kind: 'tag', ref: 'refs/tags/feature/x', before: after, after: ZERO },
        { kind: 'tag', ref: 'refs/tags/v2', before: ZERO, after },
      ],
    });
  });

  it('ignores a push of nothing', async () => {
    const body = changed('bitbucket/push', (payload) => set(payload['push'] as Json, { changes: [] }));
    expect(await read('Bitbucket', { body, event: 'repo:push' })).toMatchObject({ kind: 'ignored' });
  });

  it('reads pull requests with abbreviated commits', async () => {
    expect(await read('Bitbucket', { body: fixture('bitbucket/pull-request-created'), event: 'pullrequest:created' })).toEqual({
      ...READ,
      repositoryId: repository.id,
      happenings: [
        {
          kind: 'pull-request',
          repository,
          number: '1',
          action: 'opened',
          headSha: '9c3777b353ca',
          headBranch: 'develop',
          headRef: 'refs/heads/develop',
          headUrl: 'https://bitbucket.org/quayside/harbour.git',
          baseBranch: 'master',
          baseSha: '6a48d1f3b871',
          fork: false,
          actor,
        },
      ],
    });
  });

  it.each([
    ['pullrequest:updated', 'synchronized'],
    ['pullrequest:fulfilled', 'closed'],
    ['pullrequest:rejected', 'closed'],
  ])('takes %s for %s', async (event, action) => {
    expect(await read('Bitbucket', { body: fixture('bitbucket/pull-request-fulfilled'), event })).toMatchObject({
      happenings: [{ action }],
    });
  });

  it('tells forks by uuid; a fork has no ref here', async () => {
    for (const from of [{ uuid: '{other}' }, null]) {
      const body = changed('bitbucket/pull-request-created', (payload) => {
        const source = payload['pullrequest']?.['source'] as Json;
        if (from === null) set(source, { repository: null });
        else set(source['repository'] as Json, from);
      });
      const answer = await read('Bitbucket', { body, event: 'pullrequest:created' });
      expect(answer).toMatchObject({ happenings: [{ fork: true }] });
      expect(answer).not.toHaveProperty('happenings.0.headRef');
    }
  });

  it('ignores other events', async () => {
    for (const event of ['pullrequest:approved', 'repo:fork', 'repo:refs_changed', '']) {
      expect(await read('Bitbucket', { body: '{}', event })).toMatchObject({ kind: 'ignored' });
    }
    expect(await read('Bitbucket', { body: '{"test":true}', event: 'diagnostics:ping' })).toEqual({ kind: 'ping' });
  });
});
