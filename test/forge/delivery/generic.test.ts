import { describe, expect, it } from 'vitest';
import { changed, type Json, READ, read, set, ZERO } from '../recorded.ts';
import { fixture } from '../sign.ts';

describe('the generic hook', () => {
  const repository = { forge: 'Generic', url: 'https://git.example.org/team/app.git' };

  it('reads a push, several, and a pull request', async () => {
    expect(await read('Generic', { body: fixture('generic/push') })).toMatchObject({
      ...READ,
      repositoryId: '17',
      happenings: [
        { kind: 'push', repository: { ...repository, id: '17', fullName: 'team/app', defaultBranch: 'main' }, forced: false, actor: 'ann' },
      ],
    });
    expect(await read('Generic', { body: fixture('generic/changes') })).toMatchObject({
      happenings: [
        { kind: 'push', repository, ref: 'refs/heads/main' },
        { kind: 'tag', ref: 'refs/tags/v1', before: ZERO },
        { kind: 'push', ref: 'refs/heads/old', after: ZERO },
      ],
    });
    expect(await read('Generic', { body: fixture('generic/pull-request') })).toMatchObject({
      happenings: [
        { kind: 'pull-request', repository, number: '5', action: 'opened', fork: true, headRef: 'refs/pull/5/head', actor: 'ann' },
      ],
    });
  });

  it('needs little: a ref and its commit, or nothing at all', async () => {
    const configured = { forge: 'Generic', url: 'https://git.example.org/team/configured.git' };
    const body = JSON.stringify({ ref: 'refs/heads/main', after: 'AB'.repeat(20) });
    expect(await read('Generic', { body })).toEqual({
      ...READ,
      happenings: [{ kind: 'push', repository: configured, ref: 'refs/heads/main', before: ZERO, after: 'ab'.repeat(20) }],
    });
    expect(await read('Generic', { body: '{}' })).toEqual({ ...READ, happenings: [{ kind: 'repository', repository: configured }] });
    expect(await read('Generic', { body: '{"event":"ping"}' })).toEqual({ kind: 'ping' });
    expect(await read('Generic', { body: '{"event":"deploy"}' })).toMatchObject({ kind: 'ignored' });
  });

  it('takes pull requests for forks unless it is told otherwise', async () => {
    for (const fork of [undefined, null, true]) {
      const body = changed('generic/pull-request', (payload) => set(payload['pullRequest'] as Json, { fork }));
      expect(await read('Generic', { body })).toMatchObject({ happenings: [{ fork: true }] });
    }
    const own = changed('generic/pull-request', (payload) => set(payload['pullRequest'] as Json, { fork: false }));
    expect(await read('Generic', { body: own })).toMatchObject({ happenings: [{ fork: false }] });
  });

  it.each([
    ['{"colour":"blue"}', 'the body has a field "colour"'],
    ['{"Ref":"refs/heads/main"}', 'did you mean "ref"?'],
    ['{"pullRequest":{"number":"x"}}', 'pullRequest.number: expected a whole number'],
    ['{"changes":[{"ref":"refs/heads/main","afte":"x"}]}', 'changes[0] has a field "afte"'],
    [JSON.stringify({ ref: 'refs/heads/main', after: 'ab'.repeat(20), forced: 'yes' }), 'forced: expected true or false'],
    ['{"repository":{"url":"https://git.example.org/x.git","name":"x"}}', 'repository has a field "name"'],
    ['{"actor":7}', 'actor: expected text'],
  ])('refuses %s', async (body, because) => {
    expect(await read('Generic', { body })).toMatchObject({ kind: 'refused', status: 400, because: expect.stringContaining(because) });
  });
});
