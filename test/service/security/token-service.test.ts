import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Principal } from '../../../src/model/security.ts';
import { createTokenService } from '../../../src/service/security/token-service.ts';
import { ADMIN, openServices, principal, refusal, type ServiceParts } from '../parts.ts';

let parts: ServiceParts;

beforeEach(async () => {
  parts = await openServices();
});

afterEach(() => parts[Symbol.asyncDispose]());

async function login(token: string): Promise<Principal> {
  const who = await parts.tokens.authenticate(token, '10.0.0.9');
  if (who === undefined) throw new Error('the token is not known');
  return who;
}

describe('tokens', () => {
  test('are shown once, and are who they were made to be', async () => {
    const { token, record } = await parts.tokens.create(ADMIN, { name: 'ci', role: 'runner', scopes: ['run:create'], tasks: ['web-*'] });
    expect(token).toMatch(/^slw_[A-Za-z0-9_-]{43}$/);
    expect(await login(token)).toEqual({
      name: 'token ci',
      tokenId: record.id,
      role: 'runner',
      scopes: ['run:create'],
      tasks: ['web-*'],
      from: '10.0.0.9',
    });
    expect(JSON.stringify(await parts.tokens.list(ADMIN))).not.toContain(token);
  });

  test('of a copy of the database are of no use (threat 14)', async () => {
    const { token } = await parts.tokens.create(ADMIN, { name: 'ci', role: 'admin' });
    await login(token);
    await parts.store.close();
    const dump = Buffer.concat(
      await Promise.all(['slipway.db', 'slipway.db-wal'].map((file) => readFile(join(parts.directory, file)).catch(() => Buffer.alloc(0)))),
    );
    expect(dump.length).toBeGreaterThan(0);
    const bytes = Buffer.from(token.slice('slw_'.length), 'base64url');
    for (const needle of [token, token.slice(4), bytes, bytes.toString('hex'), bytes.toString('base64')])
      expect(dump.includes(needle)).toBe(false);
    expect(dump.toString('latin1')).not.toMatch(/slw_[A-Za-z0-9_-]{8}/);
    parts = await openServices();
  });

  test.each(['', 'slw_', `slw_${'a'.repeat(43)}`, `slw_${'a'.repeat(1_000_000)}`, 'slw_\u0000', 'Bearer x'])(
    'that are none are nobody (%#)',
    async (token) => {
      expect(await parts.tokens.authenticate(token, 'x')).toBeUndefined();
    },
  );

  test('end when they expire', async () => {
    const expiresAt = new Date(parts.clock.now().getTime() + 60_000).toISOString();
    const { token } = await parts.tokens.create(ADMIN, { name: 'short', role: 'viewer', expiresAt });
    await login(token);
    await parts.clock.advance(60_000);
    expect(await parts.tokens.authenticate(token, 'x')).toBeUndefined();
  });

  test('end when they are revoked', async () => {
    const { token, record } = await parts.tokens.create(ADMIN, { name: 'ci', role: 'viewer' });
    await parts.tokens.revoke(ADMIN, record.id);
    expect(await parts.tokens.authenticate(token, 'x')).toBeUndefined();
    expect((await refusal(parts.tokens.revoke(ADMIN, 'nothing'))).code).toBe('not-found');
  });

  test('remember when they were last used, in one write for many uses', async () => {
    const { token, record } = await parts.tokens.create(ADMIN, { name: 'ci', role: 'viewer' });
    let writes = 0;
    const counting = createTokenService({
      ...parts,
      tokens: {
        ...parts.store.tokens,
        touch: (uses) => {
          writes += 1;
          return parts.store.tokens.touch(uses);
        },
      },
    });
    for (let use = 0; use < 5; use += 1) await counting.authenticate(token, 'x');
    expect(writes).toBe(0);
    await counting.close();
    expect(writes).toBe(1);
    expect((await parts.tokens.list(ADMIN)).find(({ id }) => id === record.id)?.lastUsedAt).toBe(parts.clock.now().toISOString());
  });

  test.each([
    ['name', { name: '' }],
    ['name', { name: 'a\nb' }],
    ['tasks', { tasks: [] }],
    ['tasks', { tasks: ['a/../b'] }],
    ['scopes', { scopes: [] }],
    ['expiresAt', { expiresAt: '2001-01-01T00:00:00Z' }],
    ['expiresAt', { expiresAt: 'tomorrow' }],
  ])('with a bad %s are refused by its name', async (field, bad) => {
    const error = await refusal(parts.tokens.create(ADMIN, { name: 'x', role: 'viewer', ...bad }));
    expect(error).toMatchObject({ code: 'invalid-request', message: expect.stringContaining(`\`${field}\``) });
  });

  test('cannot make tokens that can do more, or live longer', async () => {
    const scopes = ['token:write', 'run:read'] as const;
    const expiresAt = new Date(parts.clock.now().getTime() + 3_600_000).toISOString();
    const who = await login((await parts.tokens.create(ADMIN, { name: 'narrow', role: 'admin', scopes, expiresAt })).token);
    expect((await refusal(parts.tokens.create(who, { name: 'x', role: 'admin' }))).code).toBe('forbidden');
    expect((await refusal(parts.tokens.create(who, { name: 'x', role: 'runner' }))).message).toContain('run:create');
    const later = new Date(parts.clock.now().getTime() + 7_200_000).toISOString();
    expect((await refusal(parts.tokens.create(who, { name: 'x', role: 'admin', scopes, expiresAt: later }))).code).toBe('forbidden');
    expect((await parts.tokens.create(who, { name: 'x', role: 'admin', scopes })).record.expiresAt).toBe(expiresAt);
    for (const role of ['viewer', 'runner', 'editor'] as const) {
      expect((await refusal(parts.tokens.create(principal(role), { name: 'x', role: 'viewer' }))).code).toBe('forbidden');
    }
  });

  test('the first admin token is made once, and again when none is left', async () => {
    const first = await parts.tokens.ensureAdminToken();
    expect(await parts.tokens.ensureAdminToken()).toBeUndefined();
    const who = await login(first ?? '');
    expect(who).toMatchObject({ role: 'admin', name: 'token admin' });
    await parts.tokens.create(who, { name: 'small', role: 'admin', tasks: ['a'] });
    await parts.tokens.revoke(who, who.tokenId ?? '');
    expect(await parts.tokens.ensureAdminToken()).toMatch(/^slw_/);
  });

  test('leave entries in the audit that hold no token', async () => {
    const { token, record } = await parts.tokens.create(ADMIN, { name: `copy of slw_${'x'.repeat(43)}`, role: 'viewer' });
    await parts.tokens.revoke(ADMIN, record.id);
    const entries = await parts.audit.list({ limit: 10 });
    expect(entries.map(({ action, target }) => [action, target])).toEqual([
      ['token.revoke', record.id],
      ['token.create', record.id],
    ]);
    expect(JSON.stringify(entries)).not.toMatch(/slw_x|slw_[A-Za-z0-9]{5}/);
    expect(JSON.stringify(entries)).not.toContain(token);
  });
});
