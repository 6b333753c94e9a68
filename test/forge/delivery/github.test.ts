import { describe, expect, it } from 'vitest';
import { changed, type Json, READ, read, set, ZERO } from '../recorded.ts';
import { DELIVERY_ID, fixture } from '../sign.ts';

describe('GitHub', () => {
  const repository = {
    forge: 'Github',
    id: '6336695',
    url: 'https://github.com/quayside/harbour.git',
    fullName: 'quayside/harbour',
    defaultBranch: 'master',
  };
  const commit = 'c4b5404d1bcbd24e91742418a6e2843142c058a5';

  it('reads a push', async () => {
    expect(await read('Github', { body: fixture('github/push') })).toEqual({
      kind: 'happenings',
      deliveryId: DELIVERY_ID,
      repositoryId: '6336695',
      happenings: [
        {
          kind: 'push',
          repository,
          ref: 'refs/heads/master',
          before: expect.stringMatching(/^[0-9a-f]{40}$/),
          after: commit,
          forced: true,
          actor: 'quayside',
        },
      ],
    });
  });

  it('reads tags: a light one, and the commit of an annotated one', async () => {
    expect(await read('Github', { body: fixture('github/push-tag') })).toMatchObject({
      happenings: [{ kind: 'tag', ref: 'refs/tags/simple-tag', before: ZERO, after: commit }],
    });
    expect(await read('Github', { body: fixture('github/push-annotated-tag') })).toMatchObject({
      happenings: [{ kind: 'tag', ref: 'refs/tags/v1.2.0', before: ZERO, after: 'ee2bbc02b2fcbf760a3ff4de13d51f34301873c6' }],
    });
  });

  it('tells a deleted ref by its zero id, of either length', async () => {
    expect(await read('Github', { body: fixture('github/push-delete') })).toMatchObject({
      happenings: [{ kind: 'push', ref: 'refs/heads/old', before: commit, after: ZERO }],
    });
    const long = changed('github/push-delete', (push) => set(push, { after: '0'.repeat(64), before: 'ab'.repeat(32) }));
    expect(await read('Github', { body: long })).toMatchObject({ happenings: [{ after: '0'.repeat(64), before: 'ab'.repeat(32) }] });
  });

  it('answers pings, and ignores what starts nothing', async () => {
    expect(await read('Github', { body: fixture('github/ping'), event: 'ping' })).toEqual({ kind: 'ping' });
    for (const event of ['create', 'delete', 'issues', 'workflow_run', '', 'x'.repeat(500), '\u001b[31m']) {
      const answer = await read('Github', { body: fixture('github/create'), event });
      expect(answer).toMatchObject({ kind: 'ignored', because: expect.stringMatching(/^[ -~]{1,120}$/) });
    }
  });

  it('reads a pull request', async () => {
    expect(await read('Github', { body: fixture('github/pull-request-opened'), event: 'pull_request' })).toEqual({
      ...READ,
      repositoryId: '6336695',
      happenings: [
        {
          kind: 'pull-request',
          repository,
          number: '2',
          action: 'opened',
          headSha: '13607874f324068227c30390a3c2cb4adebb2fbb',
          headBranch: 'changes',
          headRef: 'refs/pull/2/head',
          headUrl: 'https://github.com/quayside/harbour.git',
          baseBranch: 'master',
          baseSha: 'a7dbeaa78aa53ec165c2c0fbf91c82258baf0181',
          fork: false,
          actor: 'quayside',
        },
      ],
    });
    expect(await read('Github', { body: fixture('github/pull-request-synchronize'), event: 'pull_request' })).toMatchObject({
      happenings: [{ action: 'synchronized' }],
    });
  });

  it.each([
    ['opened', undefined, 'opened'],
    ['reopened', undefined, 'reopened'],
    ['synchronize', undefined, 'synchronized'],
    ['closed', undefined, 'closed'],
    ['edited', { base: { ref: { from: 'dev' }, sha: { from: ZERO } } }, 'retargeted'],
    ['edited', { title: { from: 'x' } }, 'other'],
    ['edited', undefined, 'other'],
    ['synchronized', undefined, 'other'],
    ['labeled', undefined, 'other'],
    ['constructor', undefined, 'other'],
  ])('takes action %s with %j for %s', async (action, changes, expected) => {
    const body = changed('github/pull-request-opened', (pull) => set(pull, { action, changes }));
    expect(await read('Github', { body, event: 'pull_request' })).toMatchObject({ happenings: [{ action: expected }] });
  });

  it('tells forks by id, not by name; a deleted fork is one', async () => {
    const fork = async (edit: (head: Json) => void) => {
      const body = changed('github/pull-request-opened', (payload) => edit(payload['pull_request']?.['head'] as Json));
      const answer = await read('Github', { body, event: 'pull_request' });
      return answer.kind === 'happenings' && answer.happenings[0]?.kind === 'pull-request' ? answer.happenings[0] : answer;
    };
    // A fork that has taken the name of the repository.
    expect(await fork((head) => set(head['repo'] as Json, { id: 99 }))).toMatchObject({ fork: true });
    // The repository itself, renamed meanwhile.
    expect(await fork((head) => set(head['repo'] as Json, { full_name: 'other/name' }))).toMatchObject({ fork: false });
    const gone = await fork((head) => set(head, { repo: null }));
    expect(gone).toMatchObject({ fork: true });
    expect(gone).not.toHaveProperty('headUrl');
    expect(await fork((head) => set(head['repo'] as Json, { id: null }))).toMatchObject({ fork: true });
  });

  it('takes the actor from the sender, never from a commit', async () => {
    const spoofed = changed('github/push', (push) => {
      set(push['head_commit']?.['author'] as Json, { name: 'root', username: 'root', email: 'root@example.org' });
      set(push['pusher'] as Json, { name: 'root' });
    });
    expect(await read('Github', { body: spoofed })).toMatchObject({ happenings: [{ actor: 'quayside' }] });
    const nobody = await read('Github', { body: changed('github/push', (push) => set(push, { sender: null })) });
    expect(nobody).not.toHaveProperty('happenings.0.actor');
    // Cut short, one name could become another.
    const long = await read('Github', {
      body: changed('github/push', (push) => set(push['sender'] as Json, { login: `ann${'x'.repeat(300)}` })),
    });
    expect(long).not.toHaveProperty('happenings.0.actor');
  });
});
