import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN, openServices, principal, refusal, type ServiceParts } from '../parts.ts';

const CANARY = 'canary-7e1f-value';
let parts: ServiceParts;

beforeEach(async () => {
  parts = await openServices();
});

afterEach(() => parts[Symbol.asyncDispose]());

describe('secrets', () => {
  test('reach runs that may use them, and nobody else', async () => {
    await parts.secrets.set(ADMIN, { name: 'NPM', value: CANARY, tasks: ['web-*'] });
    const use = { task: 'web-1', trust: 'trusted', run: 'ra001' } as const;
    expect(await parts.secrets.resolveNamed(['NPM', 'NPM'], use)).toEqual({ NPM: CANARY });
    expect((await refusal(parts.secrets.resolveNamed(['NPM'], { ...use, trust: 'untrusted' }))).code).toBe('policy-refused');
    expect((await refusal(parts.secrets.resolveNamed(['NPM'], { ...use, task: 'api' }))).code).toBe('policy-refused');
    expect((await refusal(parts.secrets.resolveNamed(['NPM'], { ...use, task: undefined }))).message).toContain('runs without a task');
    expect((await refusal(parts.secrets.resolveNamed(['GONE'], use))).code).toBe('secret-unavailable');
    expect(JSON.stringify(await parts.secrets.list(ADMIN))).not.toContain(CANARY);
    expect(Object.keys((await parts.secrets.list(ADMIN))[0] ?? {})).not.toContain('sealed');
  });

  test('an untrusted run is refused before the store is asked', async () => {
    const error = await refusal(parts.secrets.resolveNamed(['NEVER_SET'], { trust: 'untrusted', run: 'ra001' }));
    expect(error.message).toBe('a run of untrusted code gets no secrets');
  });

  test('stand in the database sealed, also in its audit (threat 9)', async () => {
    await parts.secrets.set(ADMIN, { name: 'NPM', value: CANARY, description: 'token of the registry' });
    await parts.tasks.create(ADMIN, {
      name: 'web',
      step: {
        contextPath: 'https://git.example/web.git',
        contextAccessToken: { plain: `${CANARY}-context` },
        arguments: [{ name: 'A', isSecret: true, value: `${CANARY}-argument` }],
      },
      credentials: [{ loginServer: 'registry.example', userName: { plain: `${CANARY}-user` }, password: { plain: `${CANARY}-password` } }],
    });
    await parts.secrets.resolveNamed(['NPM'], { trust: 'trusted', run: 'ra001' });
    await parts.store.close();
    const dump = await Promise.all(
      ['slipway.db', 'slipway.db-wal'].map((file) => readFile(join(parts.directory, file)).catch(() => Buffer.alloc(0))),
    );
    const bytes = Buffer.concat(dump);
    expect(bytes.includes('token of the registry')).toBe(true);
    expect(bytes.includes('canary')).toBe(false);
    for (const shift of [0, 1, 2]) expect(bytes.includes(Buffer.from(CANARY.slice(shift, shift + 9)).toString('base64'))).toBe(false);
    parts = await openServices();
  });

  test('moved to another row do not open', async () => {
    await parts.secrets.set(ADMIN, { name: 'A', value: 'value-of-a' });
    const row = await parts.store.secrets.get('A');
    if (row === undefined) throw new Error('no row');
    await parts.store.secrets.put({ ...row, name: 'B' });
    const error = await refusal(parts.secrets.resolveNamed(['B'], { trust: 'trusted', run: 'ra001' }));
    expect(error.code).toBe('secret-unavailable');
    expect(`${error.message}${error.help}`).not.toContain('value-of-a');
  });

  test('keep their tasks and description when only the value is set again', async () => {
    const first = await parts.secrets.set(ADMIN, { name: 'A', value: 'first', description: 'x', tasks: ['web'] });
    await parts.clock.advance(1000);
    const second = await parts.secrets.set(principal('editor'), { name: 'A', value: 'second' });
    expect(second).toEqual({ ...first, updatedAt: parts.clock.now().toISOString(), updatedBy: 'token editor' });
  });

  test.each([
    ['name', { name: '../x' }],
    ['name', { name: '' }],
    ['value', { value: 'abc' }],
    ['value', { value: 'x'.repeat(65_537) }],
    ['tasks', { tasks: ['A B'] }],
  ])('with a bad %s are refused without the value', async (field, bad) => {
    const error = await refusal(parts.secrets.set(ADMIN, { name: 'A', value: CANARY, ...bad }));
    expect(error).toMatchObject({ code: 'invalid-request', message: expect.stringContaining(`\`${field}\``) });
    expect(`${error.message}${error.help}`).not.toMatch(/canary|xxxxx/);
  });

  test('are the business of editors for all tasks', async () => {
    for (const who of [principal('viewer'), principal('runner'), principal('admin', { tasks: ['*'] })]) {
      expect((await refusal(parts.secrets.set(who, { name: 'A', value: 'value' }))).code).toBe('forbidden');
      expect((await refusal(parts.secrets.list(who))).code).toBe('forbidden');
      expect((await refusal(parts.secrets.delete(who, 'A'))).code).toBe('forbidden');
    }
  });

  test('say what a task lacks', async () => {
    await parts.secrets.set(ADMIN, { name: 'A', value: 'value', tasks: ['web'] });
    expect(await parts.secrets.problemsOf(['A'], 'web')).toEqual([]);
    expect(await parts.secrets.problemsOf(['A', 'B'], 'api')).toEqual([
      'the secret "A" is for the tasks web, not for "api"',
      'there is no secret "B"',
    ]);
    await parts.secrets.delete(ADMIN, 'A');
    expect((await refusal(parts.secrets.delete(ADMIN, 'A'))).code).toBe('not-found');
  });
});
