import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFileLogStore } from '../../src/files/file-log-store.ts';
import type { LogStore } from '../../src/model/ports/log-store.ts';
import { systemClock } from '../../src/util/clock.ts';
import { chunk, readLog } from '../contract/log-store.ts';
import { useOwnTmpdir } from '../support/own-tmpdir.ts';
import { streamBytes } from './stream-bytes.ts';

useOwnTmpdir();
const program = new URL('./log-program.ts', import.meta.url).pathname;

function storeIn(directory: string): LogStore {
  return createFileLogStore({ directory, clock: systemClock, capBytes: 1024 ** 3 });
}

/** Every stream's bytes are exactly those up to the position that the log tells for it. */
async function expectAgreement(store: LogStore, run: string): Promise<number> {
  const { chunks } = await readLog(store, run, { limit: 1024 ** 2 });
  const streams = new Map<string, Uint8Array[]>();
  for (const { step, bytes } of chunks) streams.set(step, [...(streams.get(step) ?? []), bytes]);
  const positions = await store.positions(run);
  expect(new Set(positions.map(({ step }) => step))).toEqual(new Set(streams.keys()));
  for (const { step, position } of positions) {
    const bytes = Buffer.concat(streams.get(step) ?? []);
    expect(bytes.length).toBe(position);
    expect(Buffer.compare(bytes, streamBytes(step, 0, position))).toBe(0);
  }
  return positions.reduce((sum, { position }) => sum + position, 0);
}

describe('log store after a crash', () => {
  it('loses and doubles no byte when its process is killed at any moment, again and again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'killed-'));
    let before = 0;
    for (let round = 0; round < 8; round += 1) {
      const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
      for (let signs = 0; signs <= round % 4; signs += 1) await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');
      const store = storeIn(join(folder, 'logs'));
      const after = await expectAgreement(store, 'ra001');
      expect(after).toBeGreaterThanOrEqual(before);
      before = after;
      await store.close();
    }
    expect(before).toBeGreaterThan(100_000);
  });

  it('repairs files that end anywhere, and goes on from there', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ step: fc.constantFrom('a', 'b', 'c'), length: fc.integer({ min: 1, max: 300 }) }), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.constantFrom('.log', '.index', '.steps'),
        fc.nat(),
        fc.constantFrom('cut', 'garbage', 'zeros'),
        async (appends, ending, where, damage) => {
          const directory = await mkdtemp(join(tmpdir(), 'torn-'));
          const first = storeIn(directory);
          const writer = await first.open('ra001');
          const ends = new Map<string, number>();
          for (const { step, length } of appends) {
            const from = ends.get(step) ?? 0;
            ends.set(step, from + length);
            await writer.append(chunk('', from + length, { step, bytes: streamBytes(step, from, length) }));
            await new Promise((resolve) => setImmediate(resolve));
          }
          await first.close();
          damageFile(join(directory, '01', `ra001${ending}`), where, damage);
          const second = storeIn(directory);
          const again = await second.open('ra001');
          await expectAgreement(second, 'ra001');
          const from = (await second.positions('ra001')).find(({ step }) => step === 'b')?.position ?? 0;
          await again.append(chunk('', from + 77, { step: 'b', bytes: streamBytes('b', from, 77) }));
          await again.seal();
          await expectAgreement(second, 'ra001');
          await second.close();
        },
      ),
      { numRuns: 150 },
    );
  });

  it('says that the disk is full, keeps what was written, marks the gap and goes on when there is space', () => {
    const folder = mkdtempSync(join(tmpdir(), 'full-'));
    const script = 'mount -t tmpfs -o size=400k tmpfs "$1" && exec "$2" "$3" "$1" full';
    const out = execFileSync('unshare', ['-rm', 'sh', '-c', script, 'sh', folder, process.execPath, program], { encoding: 'utf8' });
    const told: { failures: string[]; intact: boolean; gaps: string[]; last: number; position: number } = JSON.parse(out);
    expect(told).toMatchObject({ failures: ['disk-full'], intact: true });
    expect(told.gaps.length).toBeGreaterThan(0);
    for (const gap of told.gaps) expect(gap).toMatch(/^\n?\[slipway: output is missing here: cannot write the log of a run: ENOSPC.*\]\n$/);
    expect(told.last).toBe(told.position);
  });

  it('lets nobody else read', async () => {
    const directory = join(mkdtempSync(join(tmpdir(), 'modes-')), 'logs');
    const store = storeIn(directory);
    const writer = await store.open('ra001');
    await writer.append(chunk('x', 1));
    await store.close();
    for (const folder of [directory, join(directory, '01')]) expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const ending of ['.log', '.index', '.steps']) expect(statSync(join(directory, '01', `ra001${ending}`)).mode & 0o777).toBe(0o600);
  });
});

function damageFile(path: string, where: number, damage: 'cut' | 'garbage' | 'zeros'): void {
  const bytes = readFileSync(path);
  const at = where % (bytes.length + 1);
  if (damage === 'cut') truncateSync(path, at);
  else if (path.endsWith('.index'))
    writeFileSync(path, Buffer.concat([bytes.subarray(0, at), Buffer.alloc(100, damage === 'zeros' ? 0 : 0xa7)]));
  else writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(100, damage === 'zeros' ? 0 : 0xa7)]));
}
