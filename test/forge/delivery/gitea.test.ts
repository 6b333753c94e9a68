import { describe, expect, it } from 'vitest';
import { changed, type Json, READ, read, set, ZERO } from '../recorded.ts';
import { fixture } from '../sign.ts';

describe('Gitea, Forgejo and Gogs', () => {
  it('reads pushes', async () => {
    expect(await read('Gitea', { body: fixture('gitea/push') })).toMatchObject({
      ...READ,
      repositoryId: '6',
      happenings: [
        { kind: 'push', repository: { forge: 'Gitea', url: 'http://git.example.org/quayside/harbour.git' }, ref: 'refs/heads/main' },
      ],
    });
    expect(await read('Gitea', { body: fixture('gitea/gogs-push') })).toMatchObject({
      repositoryId: '61',
      happenings: [{ ref: 'refs/heads/master' }],
    });
  });

  it('takes the push of a tag and leaves its twin aside', async () => {
    expect(await read('Gitea', { body: fixture('gitea/create-tag'), event: 'create' })).toMatchObject({ kind: 'ignored' });
    const body = changed('gitea/push', (push) => set(push, { ref: 'refs/tags/v1', before: ZERO }));
    expect(await read('Gitea', { body })).toMatchObject({ happenings: [{ kind: 'tag', ref: 'refs/tags/v1' }] });
  });

  it('takes the push of the test button for a ping', async () => {
    const body = changed('gitea/push', (push) => set(push, { before: push['after'] }));
    expect(await read('Gitea', { body })).toEqual({ kind: 'ping' });
  });

  it('reads pull requests in its own words', async () => {
    expect(await read('Gitea', { body: fixture('gitea/pull-request-synchronized'), event: 'pull_request' })).toMatchObject({
      happenings: [
        { kind: 'pull-request', number: '1', action: 'synchronized', headBranch: 'feature', headRef: 'refs/pull/1/head', fork: false },
      ],
    });
    expect(await read('Gitea', { body: fixture('gitea/forgejo-pull-request-edited'), event: 'pull_request' })).toMatchObject({
      happenings: [{ action: 'other' }],
    });
    const retargeted = changed('gitea/forgejo-pull-request-edited', (pull) => set(pull, { changes: { ref: { from: 'dev' } } }));
    expect(await read('Gitea', { body: retargeted, event: 'pull_request' })).toMatchObject({ happenings: [{ action: 'retargeted' }] });
    expect(await read('Gitea', { body: fixture('gitea/push'), event: 'pull_request_approved' })).toMatchObject({ kind: 'ignored' });
  });

  it('tells forks by the ids of the repositories', async () => {
    const fork = changed('gitea/pull-request-synchronized', (payload) => set(payload['pull_request']?.['head'] as Json, { repo_id: 7 }));
    expect(await read('Gitea', { body: fork, event: 'pull_request' })).toMatchObject({ happenings: [{ fork: true }] });
    const gone = changed('gitea/pull-request-synchronized', (payload) => set(payload['pull_request']?.['head'] as Json, { repo: null }));
    expect(await read('Gitea', { body: gone, event: 'pull_request' })).toMatchObject({ happenings: [{ fork: true }] });
  });
});
