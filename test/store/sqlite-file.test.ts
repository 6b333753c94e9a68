import { mkdtempSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/model/ports/store.ts';
import { MIGRATIONS } from '../../src/store/sqlite/migrations.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { outcome, runRequest } from '../contract/store-values.ts';
import { useOwnTmpdir } from '../support/own-tmpdir.ts';

useOwnTmpdir();
const newPath = (): string => join(mkdtempSync(join(tmpdir(), 'store-')), 'slipway.db');
const filesBeside = (path: string): readonly string[] => readdirSync(join(path, '..')).sort();
const [firstName = ''] = Object.keys(MIGRATIONS).sort();
const FIRST = Object.fromEntries(Object.entries(MIGRATIONS).filter(([name]) => name === firstName));

function schemaOf(path: string): unknown {
  const file = new BetterSqlite(path);
  const schema = file.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all();
  file.close();
  return schema;
}

async function freshSchema(): Promise<unknown> {
  const path = newPath();
  await (await openSqliteStore({ path })).close();
  return schemaOf(path);
}

async function expectRowsOf0002({ runs, tasks, tokens, secrets, audit, settings, idempotency }: Store): Promise<void> {
  expect(await tasks.get('app')).toMatchObject({ version: 1, managedBy: 'tasks.d/app.yaml' });
  expect((await runs.list({ limit: 9 })).map(({ id, status }) => [id, status])).toEqual([
    ['ra003', 'Queued'],
    ['ra002', 'Started'],
    ['ra001', 'Succeeded'],
  ]);
  const ended = await runs.get('ra001');
  expect(ended).toMatchObject({ request: { task: 'app' }, source: { branch: 'main' }, lastEvent: 2, steps: [{ status: 'succeeded' }] });
  expect(ended).not.toHaveProperty('hold');
  expect(ended).not.toHaveProperty('approval');
  expect(await runs.events('ra001', { after: 0, limit: 9 })).toHaveLength(2);
  expect(await runs.list({ image: 'registry.example/app:1', limit: 9 })).toMatchObject([{ id: 'ra001' }]);
  expect(Buffer.from((await runs.sealed('ra001')) ?? []).toString()).toBe('sealed');
  expect(Buffer.from((await runs.checkpointOf('ra002'))?.plan ?? []).toString()).toBe('plan');
  expect(await runs.counts()).toMatchObject({ Queued: 1, Started: 1, Running: 0, Succeeded: 1 });
  expect(await tokens.byHash(Buffer.alloc(32, 'a'))).toMatchObject({ id: 'a' });
  expect(await secrets.list()).toMatchObject([{ name: 'key' }]);
  expect(await audit.list({ limit: 9 })).toMatchObject([{ seq: 1, target: 'app' }]);
  expect(await settings.get('queue')).toEqual({ paused: true });
  expect(await idempotency.begin({ principal: 'ann', key: '1', fingerprint: 'other', staleMs: 1 })).toEqual({ kind: 'mismatch' });
}

/** What is new works for old rows too. */
async function expectUseOf0003({ runs, tasks, events, imageWatch }: Store): Promise<void> {
  const app = await tasks.get('app');
  const image = { registry: 'registry.example', repository: 'app', tag: '1' };
  expect(await imageWatch.pusherOf(image, `sha256:${'a'.repeat(64)}`)).toEqual({ run: 'ra001', task: 'app' });
  expect(await runs.hold('ra003', { because: 'waits for more', until: '2030-01-03T00:00:00.000Z' })).toBe('done');
  expect(await runs.claim('ra003', { agent: 'one', from: 0 })).toBeUndefined();
  expect((await runs.held()).map(({ id }) => id)).toEqual(['ra003']);
  const firing = { taskId: app?.id ?? '', trigger: 'main', keys: ['refs/heads/main 1'], event: 'e1' };
  expect(await runs.fire({ request: runRequest({ task: 'app' }) }, firing)).toMatchObject({ created: true, run: { id: 'ra004' } });
  expect(await runs.finish('ra002', 1, outcome('Failed'))).toBe('done');
  expect(await events.counts()).toEqual({ pending: 0, settled: 0, failed: 0 });
}

describe('SQLite file', () => {
  it('is made with rights for its owner only, and leaves no log behind', async () => {
    const path = newPath();
    const store = await openSqliteStore({ path });
    await store.ping();
    for (const file of filesBeside(path)) expect(statSync(join(path, '..', file)).mode & 0o777).toBe(0o600);
    expect(filesBeside(path)).toContain('slipway.db-wal');
    await store.close();
    await store.close();
    expect(filesBeside(path)).toEqual(['slipway.db']);
  });

  it('of an older version is copied, then brought up to date with what it holds', async () => {
    const path = newPath();
    const old = new BetterSqlite(path);
    old.exec(readFileSync(new URL('./schema-0002.sql', import.meta.url), 'utf8'));
    old.close();
    const before = schemaOf(path);

    const store = await openSqliteStore({ path });
    await expectRowsOf0002(store);
    await expectUseOf0003(store);
    await store.close();
    expect(schemaOf(path)).toEqual(await freshSchema());

    expect(filesBeside(path)).toEqual(['slipway.db', 'slipway.db.before-3']);
    expect(statSync(`${path}.before-3`).mode & 0o777).toBe(0o600);
    expect(schemaOf(`${path}.before-3`)).toEqual(before);
    const copy = new BetterSqlite(`${path}.before-3`);
    expect(copy.prepare('SELECT status FROM runs ORDER BY number').pluck().all()).toEqual(['Succeeded', 'Started', 'Queued']);
    copy.close();
  });

  it('of the first version comes to the same schema', async () => {
    const path = newPath();
    await (await openSqliteStore({ path, migrations: FIRST })).close();
    await (await openSqliteStore({ path })).close();
    expect(schemaOf(path)).toEqual(await freshSchema());
    expect(filesBeside(path)).toEqual(['slipway.db', 'slipway.db.before-2']);
  });

  it('is as it was after a migration that fails half-way, and can be migrated later', async () => {
    const path = newPath();
    await (await openSqliteStore({ path })).close();
    const before = schemaOf(path);
    const broken = {
      ...MIGRATIONS,
      '0006-broken': {
        up: async (db: Parameters<NonNullable<(typeof MIGRATIONS)[string]>['up']>[0]) => {
          await sql`CREATE TABLE halfway (id INTEGER PRIMARY KEY) STRICT`.execute(db);
          await sql`INSERT INTO nowhere VALUES (1)`.execute(db);
        },
      },
    };
    await expect(openSqliteStore({ path, migrations: broken })).rejects.toMatchObject({ code: 'store-failed' });
    await expect(openSqliteStore({ path, migrations: broken })).rejects.toThrow(/nowhere/);
    expect(schemaOf(path)).toEqual(before);
    expect(filesBeside(path)).toEqual(['slipway.db', 'slipway.db.before-6']);
    await (await openSqliteStore({ path })).close();
  });

  it('of a newer version is refused and left alone', async () => {
    const path = newPath();
    await (await openSqliteStore({ path })).close();
    const told = openSqliteStore({ path, migrations: FIRST });
    await expect(told).rejects.toMatchObject({
      code: 'store-failed',
      message: expect.stringMatching(/newer version: it has 0002-run-lists/),
    });
    expect(filesBeside(path)).toEqual(['slipway.db']);
    await (await openSqliteStore({ path })).close();
  });

  it('of another program, with other content or a lost end is refused', async () => {
    const foreign = newPath();
    const other = new BetterSqlite(foreign);
    other.exec('CREATE TABLE theirs (id INTEGER PRIMARY KEY)');
    other.close();
    await expect(openSqliteStore({ path: foreign })).rejects.toThrow(/is a database of another program/);

    const text = newPath();
    writeFileSync(text, 'name: not a database\n'.repeat(500));
    await expect(openSqliteStore({ path: text })).rejects.toMatchObject({
      code: 'store-failed',
      message: expect.stringMatching(/is no database of this program/),
    });

    for (const lost of [1, 4096, 100_000]) {
      const cut = newPath();
      await (await openSqliteStore({ path: cut })).close();
      truncateSync(cut, statSync(cut).size - lost);
      const damaged = { code: 'store-failed', message: expect.stringMatching(/is damaged/) };
      await expect(openSqliteStore({ path: cut })).rejects.toMatchObject(damaged);
    }
  });

  it('in a folder that is not there is refused with its path', async () => {
    const path = join(newPath(), 'nowhere', 'slipway.db');
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store-failed', message: expect.stringContaining(path) });
  });

  it('refuses changes of the audit log, whoever makes them', async () => {
    const path = newPath();
    const store = await openSqliteStore({ path });
    await store.audit.append({ action: 'task.create', principal: 'me', from: 'unix', target: 'app', outcome: 'done', details: {} });
    await store.close();
    const file = new BetterSqlite(path);
    expect(() => file.exec(`UPDATE audit SET principal = 'you'`)).toThrow('the audit log is append-only');
    expect(() => file.exec('DELETE FROM audit')).toThrow('the audit log is append-only');
    expect(() =>
      file.exec(`INSERT OR REPLACE INTO audit SELECT seq, at, action, 'you', source, target, outcome, details FROM audit`),
    ).toThrow('the audit log is append-only');
    file.close();
  });
});
