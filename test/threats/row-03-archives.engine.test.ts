import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTar, paxEntry, type TarEntry } from '../archive/tar-maker.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { waitFor } from '../support/wait-for.ts';
import { runToEnd, upload } from './threat-rig.ts';

let daemon: TestDaemon;
let outside: string;
beforeAll(async () => {
  daemon = await startDaemon();
  outside = join(daemon.data, 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'victim'), 'as it was');
});
afterAll(() => daemon[Symbol.asyncDispose]());

const TASK: TarEntry = { name: 'acb.yaml', body: 'version: v1.1.0\nsteps:\n  - cmd: busybox:local ls /workspace\n' };

async function runWith(archive: Buffer) {
  const { sha256, status } = await upload(daemon, archive);
  expect(status).toBe(201);
  return runToEnd(daemon, { type: 'FileTaskRunRequest', sourceLocation: `upload:${sha256}` });
}

/** Nothing was written beside the work of runs, and nothing of that is left. */
async function expectUntouched(): Promise<void> {
  expect(await readdir(outside)).toStrictEqual(['victim']);
  expect(await readFile(join(outside, 'victim'), 'utf8')).toBe('as it was');
  // The context goes after the end of its run is told.
  await waitFor(async () => ((await readdir(join(daemon.data, 'work'))).length === 0 ? true : undefined));
  await expect(lstat('/tmp/slipway-threat-3')).rejects.toThrow();
  expect((await daemon.api('GET', '/healthz')).status).toBe(200);
}

describe('threat 3: archives that are sent', () => {
  const up = '../../../outside';
  it.each<[string, readonly TarEntry[]]>([
    ['a name that climbs', [{ name: `${up}/new`, body: 'x' }]],
    ['an absolute name', [{ name: '/tmp/slipway-threat-3', body: 'x' }]],
    ['a name from an extended header', [paxEntry({ path: `${up}/new` }), { name: 'harmless', body: 'x' }]],
    [
      'a file through a symbolic link',
      [
        { name: 'l', type: '2', linkname: up },
        { name: 'l/new', body: 'x' },
      ],
    ],
    [
      'a file through a chain of links',
      [
        { name: 'a', type: '2', linkname: '.' },
        { name: 'a/b', type: '2', linkname: '..' },
        { name: 'a/b/../../outside/new', body: 'x' },
      ],
    ],
    [
      'a link that replaces a folder',
      [
        { name: 'd', type: '5' },
        { name: 'd', type: '2', linkname: up },
        { name: 'd/victim', body: 'x' },
      ],
    ],
    ['a symbolic link that leads out', [{ name: 'l', type: '2', linkname: `${up}/victim` }]],
    ['an absolute link from an extended header', [paxEntry({ linkpath: '/etc/passwd' }), { name: 'l', type: '2', linkname: 'acb.yaml' }]],
    ['a hard link to a file outside', [{ name: 'h', type: '1', linkname: `${up}/victim` }]],
    [
      'a hard link through a symbolic link',
      [
        { name: 'l', type: '2', linkname: up },
        { name: 'h', type: '1', linkname: 'l/victim' },
        { name: 'h', body: 'x' },
      ],
    ],
    ['a device', [{ name: 'null', type: '3' }]],
    ['a pipe in the place of the task file', [{ name: 'pipe', type: '6' }]],
    ['a sparse file', [paxEntry({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' }), { name: 's', body: 'x' }]],
  ])('%s ends the run as Failed and touches nothing', async (_name, entries) => {
    const { run, log } = await runWith(makeTar([TASK, ...entries]));
    expect([run.status, run.error?.errorCode]).toStrictEqual(['Failed', 'context-rejected']);
    expect(log).toContain('is not allowed');
    await expectUntouched();
  });

  it('a task file that is a link out of the context is not read', async () => {
    const { run, log } = await runWith(makeTar([{ name: 'acb.yaml', type: '2', linkname: '../../../admin.token' }]));
    expect(run.status).toBe('Failed');
    expect(log).not.toContain('slw_');
    await expectUntouched();
  });

  it('bombs end early', async () => {
    const zeros = makeTar([TASK, { name: 'zeros', body: Buffer.alloc(200 * 2 ** 20) }]);
    const bomb = gzipSync(zeros);
    expect(zeros.length / bomb.length).toBeGreaterThan(900);
    const { run } = await runWith(bomb);
    expect([run.status, run.error?.errorCode]).toStrictEqual(['Failed', 'context-rejected']);
    await expectUntouched();
  });

  it('a million and one entries are too many', { timeout: 120_000 }, async () => {
    const one = makeTar([{ name: 'd', type: '5' }], { end: false });
    const { run, log } = await runWith(
      gzipSync(Buffer.concat([...Array<Buffer>(1_000_001).fill(one), Buffer.alloc(1024)]), { strategy: constants.Z_HUFFMAN_ONLY }),
    );
    expect([run.status, log]).toStrictEqual(['Failed', expect.stringContaining('more than 1000000 entries')]);
    await expectUntouched();
  });

  it('a good one is still taken afterwards', async () => {
    const { run, log } = await runWith(makeTar([TASK, { name: 'good', body: 'x' }]));
    expect([run.status, log.split(/\s+/)]).toStrictEqual(['Succeeded', expect.arrayContaining(['good'])]);
    await expectUntouched();
  });
});
