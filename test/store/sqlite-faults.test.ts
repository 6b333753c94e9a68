import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import BetterSqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { outcome, runRequest } from '../contract/store-values.ts';
import { useOwnTmpdir } from '../support/own-tmpdir.ts';

useOwnTmpdir();
const program = new URL('./store-program.ts', import.meta.url).pathname;
const newPath = (): string => join(mkdtempSync(join(tmpdir(), 'store-')), 'slipway.db');

/** The program on a disk of its own, in a mount namespace that ends with it. `$1` is the folder, `$2` node, `$3` the program. */
function onSmallDisk(script: string): readonly unknown[] {
  const folder = mkdtempSync(join(tmpdir(), 'disk-'));
  const args = ['-rm', 'sh', '-ec', `mount -t tmpfs -o size=1m tmpfs "$1"; ${script}`, 'sh', folder, process.execPath, program];
  const lines = execFileSync('unshare', args, { encoding: 'utf8' }).trimEnd().split('\n');
  return lines.map((line): unknown => JSON.parse(line));
}

describe('SQLite store and faults', () => {
  it('loses no acknowledged row when its process is killed at any moment', async () => {
    const path = newPath();
    const acknowledged = new Map<string, { readonly events: number; readonly status?: string }>();
    for (let round = 0; round < 6; round += 1) {
      const child = spawn(process.execPath, [program, 'loop', path], { stdio: ['ignore', 'pipe', 'inherit'] });
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        const told: { id: string; events: number; status?: string } = JSON.parse(line);
        acknowledged.set(told.id, told);
        lines += 1;
        if (lines === 15 + round * 7) child.kill('SIGKILL');
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      const store = await openSqliteStore({ path });
      for (const [id, { events, status }] of acknowledged) {
        const run = await store.runs.get(id);
        expect(run?.lastEvent).toBeGreaterThanOrEqual(events);
        if (status !== undefined) expect(run?.status).toBe(status);
        expect(await store.runs.events(id, { after: 0, limit: 9 })).toHaveLength(run?.lastEvent ?? -1);
      }
      await store.close();
    }
    expect(acknowledged.size).toBeGreaterThan(20);
  });

  it('makes one run for each event, however often the process that decides on them is killed', async () => {
    const path = newPath();
    let ended = false;
    for (let round = 0; !ended; round += 1) {
      expect(round).toBeLessThan(60);
      const child = spawn(process.execPath, [program, 'evaluate', path], { stdio: ['ignore', 'pipe', 'inherit'] });
      let lines = 0;
      for await (const _line of createInterface({ input: child.stdout })) {
        lines += 1;
        // Told again are 12 events: the kills come while they are recorded, while runs are made and while events are settled.
        if (lines === 5 + round * 3) child.kill('SIGKILL');
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      ended = child.exitCode === 0;
    }
    const store = await openSqliteStore({ path });
    expect(await store.events.counts()).toEqual({ pending: 0, settled: 24, failed: 0 });
    const runs = await store.runs.live();
    expect(runs).toHaveLength(24);
    const decisions = await store.events.decisions({ limit: 99 });
    expect(new Set(decisions.map(({ run }) => run))).toEqual(new Set(runs.map(({ id }) => id)));
    expect(decisions).toHaveLength(24);
    await store.close();
  });

  it('says that the disk is full, stores nothing by halves and goes on when there is space', () => {
    const [told] = onSmallDisk('"$2" "$3" full "$1/slipway.db"') as {
      failures: string[];
      stored: string[];
      listed: string[];
      next: string;
    }[];
    expect(new Set(told?.failures)).toEqual(new Set(['disk-full']));
    expect(told?.listed).toEqual(told?.stored);
    expect(told).toMatchObject({ whole: true, next: `ra${((told?.stored.length ?? 0) + 1).toString(36).padStart(3, '0')}` });
  });

  it('refuses to start on a full disk, and starts when there is space', () => {
    const fill = 'head -c 2000000 /dev/zero > "$1/filler" 2>/dev/null || true';
    const told = onSmallDisk(`${fill}; "$2" "$3" open "$1/slipway.db"; rm "$1/filler"; "$2" "$3" open "$1/slipway.db"`);
    expect(told).toEqual([expect.objectContaining({ code: 'disk-full' }), 'opened']);
  });

  it('refuses a disk that is read-only', () => {
    const told = onSmallDisk('"$2" "$3" open "$1/slipway.db"; mount -o remount,ro "$1"; "$2" "$3" open "$1/slipway.db"');
    expect(told).toEqual([
      'opened',
      { code: 'store-failed', message: expect.stringMatching(/slipway\.db cannot be opened for writing.*read-only/) },
    ]);
  });

  it('two connections see each other, and share numbers and claims', async () => {
    const path = newPath();
    const one = await openSqliteStore({ path });
    const two = await openSqliteStore({ path });
    const made = await Promise.all(
      Array.from({ length: 60 }, (_, index) => (index % 2 === 0 ? one : two).runs.create({ request: runRequest() })),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(60);
    expect((await one.runs.live()).map(({ id }) => id)).toEqual((await two.runs.live()).map(({ id }) => id));
    for (const { id } of made) {
      const claims = await Promise.all([one, two].map(({ runs }, index) => runs.claim(id, { agent: `agent ${index}`, from: 0 })));
      expect(claims.filter((run) => run !== undefined)).toHaveLength(1);
    }
    await two.runs.finish('ra002', undefined, outcome('Error'));
    expect(await one.runs.live()).toEqual(await two.runs.live());
    expect(await one.runs.live()).toHaveLength(59);
    await one.close();
    expect(await two.runs.get('ra002')).toMatchObject({ status: 'Error' });
    await two.close();
  });

  it('two processes that write at once wait for each other', async () => {
    const path = newPath();
    await (await openSqliteStore({ path })).close();
    const children = [1, 2].map(() => spawn(process.execPath, [program, 'count', path], { stdio: ['ignore', 'pipe', 'inherit'] }));
    const numbers: number[] = [];
    const read = async (child: (typeof children)[number]): Promise<void> => {
      for await (const line of createInterface({ input: child.stdout })) numbers.push(Number(JSON.parse(line).number));
    };
    await Promise.all(children.map(read));
    expect(numbers.sort((left, right) => left - right)).toEqual(Array.from({ length: 400 }, (_, index) => index + 1));
  });

  it('a database that is held too long fails what was asked, and works again afterwards', async () => {
    const path = newPath();
    const store = await openSqliteStore({ path });
    const holder = new BetterSqlite(path);
    holder.exec('BEGIN IMMEDIATE');
    const asked = [store.ping(), store.settings.set('a', 1)];
    const held = { code: 'store-failed', transient: true, message: expect.stringContaining('Another process holds the database') };
    for (const each of await Promise.allSettled(asked)) expect(each).toMatchObject({ status: 'rejected', reason: held });
    holder.exec('COMMIT');
    holder.close();
    await store.ping();
    expect(await store.settings.get('a')).toBeUndefined();
    await store.close();
  });
});
