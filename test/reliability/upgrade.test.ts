import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import { projectRoot } from '../support/task-program.ts';

test('fault 23: a daemon refuses a database of a newer version with what to do, changes nothing, and starts when that is undone', async () => {
  const data = await mkdtemp(join(tmpdir(), 'slipway-upgrade-'));
  try {
    const daemon = await startDaemon({ data });
    const first = (await daemon.api<{ daemonId: string }>('GET', '/api/v1/version')).body.daemonId;
    await daemon.stop();

    const path = join(data, 'slipway.db');
    change(path, `INSERT INTO schema_migrations (name, timestamp) VALUES ('9999-later', '2030-01-01T00:00:00Z')`);
    const before = await readFile(path);
    const refused = spawnSync(`${projectRoot}/bin/task`, ['serve', '--data', data, '--listen', '127.0.0.1:0'], {
      ...{ cwd: data, encoding: 'utf8', env: { ...process.env, HOME: data }, timeout: 20_000 },
    });
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain('written by a newer version: it has 9999-later');
    expect(refused.stderr).toContain('Use that version again');
    expect((await readFile(path)).equals(before)).toBe(true);

    change(path, `DELETE FROM schema_migrations WHERE name = '9999-later'`);
    await daemon.start();
    expect((await daemon.api<{ daemonId: string }>('GET', '/api/v1/version')).body.daemonId).toBe(first);
    await daemon.stop();
  } finally {
    await rm(data, { recursive: true, force: true });
  }
});

function change(path: string, statement: string): void {
  const database = new BetterSqlite(path);
  database.prepare(statement).run();
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
}
