import { describe, expect, it } from 'vitest';
import { changed, type Json, read, set, ZERO } from '../recorded.ts';
import { fixture } from '../sign.ts';

describe('bounds and hostile values', () => {
  const push = (values: object) => read('Generic', { body: JSON.stringify({ ref: 'refs/heads/main', after: 'ab'.repeat(20), ...values }) });

  it('looks instead of telling more than a thousand refs', async () => {
    const change = (index: number) => ({ ref: `refs/heads/b${index}`, after: 'ab'.repeat(20) });
    const many = (count: number) =>
      read('Generic', { body: JSON.stringify({ changes: Array.from({ length: count }, (_, index) => change(index)) }) });
    expect(Object(await many(1000)).happenings).toHaveLength(1000);
    expect(await many(1001)).toMatchObject({ happenings: [{ kind: 'repository' }] });
    const refs = Array.from({ length: 1001 }, () => ({ name: 'refs/heads/a', oldObjectId: ZERO, newObjectId: ZERO }));
    const azure = changed('azure-devops/push', (event) => set(event['resource'] as Json, { refUpdates: refs }));
    expect(await read('VisualStudioTeamService', { body: azure })).toMatchObject({ happenings: [{ kind: 'repository' }] });
    const bitbucket = changed('bitbucket/push', (event) =>
      set(event['push'] as Json, { changes: Array.from({ length: 1001 }, () => null) }),
    );
    expect(await read('Bitbucket', { body: bitbucket, event: 'repo:push' })).toMatchObject({ happenings: [{ kind: 'repository' }] });
  });

  it.each(['$(touch${IFS}x)', '`id`', "';id", '${{x}}', '{{.Run.DELIVERY_ID}}', '%0a', 'ö', 'a&&b', '--upload-pack=x'])(
    'passes on the branch %j as it is',
    async (branch) => {
      expect(await push({ ref: `refs/heads/${branch}` })).toMatchObject({ happenings: [{ ref: `refs/heads/${branch}` }] });
    },
  );

  it.each([
    'main',
    'heads/main',
    'refs/heads/',
    'refs/heads/a b',
    'refs/heads/a\nb',
    'refs/heads/a\u0000b',
    'refs/heads/\u001b[31m',
    'refs/heads/a..b',
    'refs/heads/../../x',
    'refs/heads/.hidden',
    'refs/heads/a.lock',
    'refs/heads/a:b',
    'refs/heads/a?',
    'refs/heads/a*',
    'refs/heads/a[b',
    'refs/heads/a~1',
    'refs/heads/a^',
    'refs/heads/a\\b',
    'refs/heads/a@{1}',
    'refs/heads//a',
    'refs/heads/a.',
    'refs/heads/\ud800',
    `refs/heads/${'x'.repeat(1024)}`,
    5,
    null,
    ['refs/heads/main'],
    {},
  ])('refuses the ref %j', async (ref) => {
    const changes = [{ ref, after: 'ab'.repeat(20) }];
    expect(await push({ changes })).toEqual({
      kind: 'refused',
      status: 400,
      because: expect.stringMatching(/^changes\[0\]\.ref: expected [ -~]+$/),
    });
  });

  it.each(['ab', 'g'.repeat(40), 'ab'.repeat(21), '', 0, null, `${'ab'.repeat(20)}\n`])('refuses the object id %j', async (after) => {
    expect(await push({ after })).toMatchObject({ status: 400, because: expect.stringContaining('after: expected an object id') });
  });

  it('leaves other refs than branches and tags alone', async () => {
    for (const ref of ['refs/notes/commits', 'refs/changes/01/1/1', 'refs/pull/5/merge'])
      expect(await push({ ref })).toMatchObject({ kind: 'ignored' });
  });

  it('takes credentials, queries and fragments from URLs, and HTTP(S) only', async () => {
    expect(await push({ repository: 'https://ann:token@git.example.org/r.git?x=1#y' })).toMatchObject({
      happenings: [{ repository: { url: 'https://git.example.org/r.git' } }],
    });
    for (const url of [
      'ssh://git@host/r',
      'git@host:r',
      'file:///etc',
      'javascript:alert(1)',
      'ext::sh',
      '/srv/r',
      'https://',
      `https://h/${'x'.repeat(2048)}`,
      'https://h/\n',
    ]) {
      expect(await push({ repository: url }), url).toMatchObject({ kind: 'refused', status: 400 });
      expect(await push({ repository: { url } }), url).toMatchObject({ kind: 'refused', status: 400 });
    }
  });

  it('reads only own fields', async () => {
    const body = `{"__proto__":{"ref":"refs/heads/main","after":"${'ab'.repeat(20)}"},"constructor":{"prototype":{"ref":"x"}}}`;
    expect(await read('Generic', { body })).toMatchObject({ status: 400, because: expect.stringContaining('"__proto__"') });
    const inherited = `{"repository":{"__proto__":{"url":"https://git.example.org/x.git"}}}`;
    expect(await read('Generic', { body: inherited })).toMatchObject({ status: 400 });
    expect(Object.prototype).not.toHaveProperty('ref');
  });

  it('needs the stable id of a repository', async () => {
    for (const id of [undefined, null, '', 1.5, -1, 2 ** 60, 'a b', 'x'.repeat(129), [1], { a: 1 }, true]) {
      const body = changed('github/push', (payload) => set(payload['repository'] as Json, { id }));
      expect(await read('Github', { body })).toMatchObject({ status: 400, because: expect.stringContaining('repository.id: expected') });
    }
  });

  it('names odd delivery ids by a digest', async () => {
    for (const id of ['a b', 'x'.repeat(161), 'ü', '../..']) {
      const answer = await read('Github', { body: fixture('github/push'), id });
      expect(answer).toMatchObject({ deliveryId: id === '../..' ? id : expect.stringMatching(/^sha256-[0-9a-f]{64}$/) });
      expect(answer).toEqual(await read('Github', { body: fixture('github/push'), id }));
    }
  });
});
