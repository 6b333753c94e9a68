import { mkdtempSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/store/sqlite/migrations.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { outcome, runRequest, taskDefinition } from '../contract/store-values.ts';
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
    const old = await openSqliteStore({ path, migrations: FIRST });
    const { id } = await old.runs.create({ request: runRequest({ task: 'app' }) });
    await old.runs.finish(id, undefined, outcome('Failed'));
    await old.tasks.create(taskDefinition('app'));
    await old.close();
    const before = schemaOf(path);

    const store = await openSqliteStore({ path });
    expect(await store.runs.list({ task: 'app', limit: 9 })).toMatchObject([{ id, status: 'Failed' }]);
    expect(await store.tasks.get('app')).toBeDefined();
    await store.close();
    const fresh = newPath();
    await (await openSqliteStore({ path: fresh })).close();
    expect(schemaOf(path)).toEqual(schemaOf(fresh));

    expect(filesBeside(path)).toEqual(['slipway.db', 'slipway.db.before-2']);
    expect(statSync(`${path}.before-2`).mode & 0o777).toBe(0o600);
    expect(schemaOf(`${path}.before-2`)).toEqual(before);
    const copy = await openSqliteStore({ path: `${path}.before-2`, migrations: FIRST });
    expect(await copy.runs.get(id)).toMatchObject({ status: 'Failed' });
    await copy.close();
  });

  it('is as it was after a migration that fails half-way, and can be migrated later', async () => {
    const path = newPath();
    await (await openSqliteStore({ path })).close();
    const before = schemaOf(path);
    const broken = {
      ...MIGRATIONS,
      '0003-broken': {
        up: async (db: Parameters<NonNullable<(typeof MIGRATIONS)[string]>['up']>[0]) => {
          await sql`CREATE TABLE halfway (id INTEGER PRIMARY KEY) STRICT`.execute(db);
          await sql`INSERT INTO nowhere VALUES (1)`.execute(db);
        },
      },
    };
    await expect(openSqliteStore({ path, migrations: broken })).rejects.toMatchObject({ code: 'store-failed' });
    await expect(openSqliteStore({ path, migrations: broken })).rejects.toThrow(/nowhere/);
    expect(schemaOf(path)).toEqual(before);
    expect(filesBeside(path)).toEqual(['slipway.db', 'slipway.db.before-3']);
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
