import { expect, it } from 'vitest';
import type { TokenRecord } from '../../src/model/security.ts';
import type { StoreUnderTest } from './store.ts';

const AT = '2030-01-02T03:04:05.000Z';

/** Tokens, secrets, audit, settings, idempotency keys. */
export function describeLedgers(use: () => StoreUnderTest): void {
  describeTokens(use);
  describeSecrets(use);
  describeAudit(use);
  describeIdempotency(use);
  it('settings keep JSON values', async () => {
    const { settings } = use().store;
    expect(await settings.get('queue')).toBeUndefined();
    for (const value of [{ paused: true, since: AT }, null, 'text', 7, [1]]) {
      await settings.set('queue', value);
      expect(await settings.get('queue')).toEqual(value);
    }
    await settings.set('queue', undefined);
    expect(await settings.get('queue')).toBeUndefined();
  });
}

function token(id: string, parts: Partial<TokenRecord> = {}): TokenRecord & { readonly hash: Uint8Array } {
  return { id, name: `name of ${id}`, role: 'runner', createdAt: AT, createdBy: 'socket uid 0', hash: Buffer.alloc(32, id), ...parts };
}

function describeTokens(use: () => StoreUnderTest): void {
  it('tokens are found by hash until they are revoked', async () => {
    const { store, clock } = use();
    const { tokens } = store;
    const scoped = token('a', { scopes: ['run:read'], tasks: ['app-*'], expiresAt: '2031-01-01T00:00:00.000Z' });
    const { hash, ...record } = scoped;
    expect(await tokens.insert(scoped)).toEqual({ ok: true, value: record });
    expect(await tokens.insert(token('a', { name: 'other' }))).toEqual({ ok: false, because: 'exists' });
    expect(await tokens.insert({ ...token('b'), hash })).toEqual({ ok: false, because: 'exists' });
    await tokens.insert(token('b'));
    expect(await tokens.byHash(hash)).toEqual(record);
    expect(await tokens.byHash(Buffer.alloc(32, 'x'))).toBeUndefined();
    expect(await tokens.revoke('a')).toBe('done');
    await clock.advance(1000);
    expect(await tokens.revoke('a')).toBe('done');
    expect(await tokens.revoke('nobody')).toBe('missing');
    expect(await tokens.byHash(hash)).toBeUndefined();
    expect((await tokens.list()).map(({ id, revokedAt }) => [id, revokedAt])).toEqual([
      ['a', AT],
      ['b', undefined],
    ]);
  });

  it('the last use of a token is the latest that was told', async () => {
    const { tokens } = use().store;
    await tokens.insert(token('a'));
    await tokens.touch([
      { id: 'a', at: '2030-02-01T00:00:00.000Z' },
      { id: 'nobody', at: AT },
    ]);
    await tokens.touch([{ id: 'a', at: AT }]);
    expect((await tokens.list())[0]?.lastUsedAt).toBe('2030-02-01T00:00:00.000Z');
  });
}

function describeSecrets(use: () => StoreUnderTest): void {
  it('secrets are replaced whole and listed without their values', async () => {
    const { secrets } = use().store;
    const times = { createdAt: AT, updatedAt: AT, updatedBy: 'token ci' };
    await secrets.put({ name: 'b', sealed: Buffer.from('first'), description: 'one', tasks: [], ...times });
    await secrets.put({ name: 'a', sealed: Buffer.from('other'), description: '', tasks: [], ...times });
    await secrets.put({ name: 'b', sealed: Buffer.from('second'), description: 'two', tasks: ['app-*'], ...times });
    const stored = await secrets.get('b');
    expect(Buffer.from(stored?.sealed ?? []).toString()).toBe('second');
    expect(await secrets.get('nobody')).toBeUndefined();
    const list = await secrets.list();
    expect(list).toEqual([
      { name: 'a', description: '', tasks: [], ...times },
      { name: 'b', description: 'two', tasks: ['app-*'], ...times },
    ]);
    expect(await secrets.delete('b')).toBe('done');
    expect(await secrets.delete('b')).toBe('missing');
    expect(await secrets.get('b')).toBeUndefined();
  });
}

function describeAudit(use: () => StoreUnderTest): void {
  it('audit entries are numbered and listed newest first by what is asked', async () => {
    const { store, clock } = use();
    const { audit } = store;
    const common = { from: 'unix', outcome: 'done', details: { version: 2 } } as const;
    await audit.append({ action: 'task.create', principal: 'ann', target: 'app', ...common });
    await clock.advance(1000);
    await audit.append({ action: 'task.update', principal: 'bob', target: 'app', ...common });
    await audit.append({ action: 'auth.refused', principal: 'ann', target: 'web', ...common, outcome: 'refused' });
    const all = await audit.list({ limit: 9 });
    expect(all.map(({ seq }) => seq)).toEqual([3, 2, 1]);
    expect(all.at(-1)).toEqual({ seq: 1, at: AT, action: 'task.create', principal: 'ann', target: 'app', ...common });
    const seqs = async (query: Partial<Parameters<typeof audit.list>[0]>): Promise<readonly number[]> =>
      (await audit.list({ limit: 9, ...query })).map(({ seq }) => seq);
    expect(await seqs({ limit: 2 })).toEqual([3, 2]);
    expect(await seqs({ before: 2 })).toEqual([1]);
    expect(await seqs({ action: 'task.update' })).toEqual([2]);
    expect(await seqs({ principal: 'ann' })).toEqual([3, 1]);
    expect(await seqs({ target: 'app', principal: 'ann' })).toEqual([1]);
    expect(await seqs({ since: '2030-01-02T03:04:06Z' })).toEqual([3, 2]);
  });
}

function describeIdempotency(use: () => StoreUnderTest): void {
  const key = { principal: 'ann', key: 'k1' };
  const answer = { status: 201, body: '{"runId":"ra001"}', headers: { location: '/api/v1/runs/ra001' } };

  it('a key is taken by one of many, and replays its answer', async () => {
    const { idempotency } = use().store;
    const begin = (parts: Partial<typeof key> = {}, fingerprint = 'f1') =>
      idempotency.begin({ ...key, ...parts, fingerprint, staleMs: 60_000 });
    const kinds = (await Promise.all(Array.from({ length: 20 }, () => begin()))).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'new')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'running')).toHaveLength(19);
    expect(await begin({}, 'f2')).toEqual({ kind: 'mismatch' });
    expect(await begin({ principal: 'bob' })).toEqual({ kind: 'new' });
    await idempotency.complete(key, answer);
    await idempotency.abandon(key);
    await idempotency.complete(key, { ...answer, status: 500 });
    expect(await begin()).toEqual({ kind: 'replay', ...answer });
    expect(await begin({}, 'f2')).toEqual({ kind: 'mismatch' });
  });

  it('a key is free again when it is abandoned, stale, pruned or a day old', async () => {
    const { store, clock } = use();
    const { idempotency } = store;
    const begin = async (fingerprint = 'f1'): Promise<string> => (await idempotency.begin({ ...key, fingerprint, staleMs: 60_000 })).kind;
    expect(await begin()).toBe('new');
    await idempotency.abandon(key);
    expect(await begin()).toBe('new');
    await clock.advance(59_999);
    expect(await begin()).toBe('running');
    await clock.advance(1);
    expect(await begin()).toBe('new');
    expect(await begin()).toBe('running');
    await idempotency.complete(key, answer);
    await clock.advance(23 * 3_600_000);
    expect(await begin()).toBe('replay');
    expect(await idempotency.prune('2030-01-02T00:00:00Z')).toBe(0);
    await clock.advance(3_600_000);
    expect(await begin('f2')).toBe('new');
    expect(await idempotency.prune('2040-01-01T00:00:00Z')).toBe(1);
    expect(await begin('f3')).toBe('new');
  });
}
