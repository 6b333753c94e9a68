import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createContextFetcher } from '../../src/archive/context-fetcher.ts';
import { EngineError } from '../../src/model/engine-error.ts';
import { runProcess } from '../../src/util/process.ts';
import { startHttpServer } from '../support/http-server.ts';
import { makeTar, paxEntry, type TarEntry } from './tar-maker.ts';

const open = { allowPrivate: true, allowLoopback: true };
const retry = { attempts: 3, baseMs: 1, capMs: 5 };
const fetcher = createContextFetcher({ addresses: open, retry });
const signal = new AbortController().signal;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-archive-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const fresh = (): Promise<string> => mkdtemp(join(folder, 'unpacked-'));

async function* pieces(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}
async function unpack(bytes: Buffer, by = fetcher, size?: number) {
  const directory = await fresh();
  const before = await outside(directory);
  const outcome = await by.unpackStream(pieces(bytes, size), directory, { signal }).then(
    (result) => ({ result, error: undefined }),
    (error: unknown) => ({ result: undefined, error }),
  );
  expect(await outside(directory)).toEqual(before);
  if (outcome.error !== undefined) expect(await readdir(directory)).toEqual([]);
  return { directory, ...outcome };
}
/** Everything below the folder, apart from the directory unpacked into. */
async function outside(directory: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => !join(folder, name).startsWith(directory)).sort();
}
async function rejection(entries: readonly TarEntry[], by = fetcher): Promise<string> {
  const { error } = await unpack(makeTar(entries), by);
  if (!(error instanceof EngineError)) throw new Error(`expected an EngineError, got ${String(error)}`);
  expect(error.code).toBe('context-rejected');
  return error.message;
}

describe('formats', () => {
  it.each(['', 'gzip', 'bzip2', 'xz', 'zstd'])('unpacks what tar and %s made', async (program) => {
    const source = await mkdtemp(join(folder, 'source-'));
    await mkdir(join(source, 'a/b'), { recursive: true });
    await writeFile(join(source, 'Dockerfile'), 'FROM scratch\n');
    await writeFile(join(source, 'a/b/data'), Buffer.alloc(3_000_000, 'some text that repeats '));
    await writeFile(join(source, 'a/run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    const env = { PATH: process.env['PATH'] ?? '' };
    const tar = await runProcess({ file: 'tar', args: ['-C', source, '-cf', '-', '.'], env });
    const packed = program === '' ? tar : await runProcess({ file: program, args: ['-c'], env, input: tar.stdout });
    expect(packed).toMatchObject({ kind: 'exited', exitCode: 0 });
    const { directory, error } = await unpack(packed.stdout, fetcher, 1000);
    expect(error).toBeUndefined();
    expect(await readFile(join(directory, 'Dockerfile'), 'utf8')).toBe('FROM scratch\n');
    expect((await readFile(join(directory, 'a/b/data'))).equals(await readFile(join(source, 'a/b/data')))).toBe(true);
    expect((await stat(join(directory, 'a/run.sh'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(directory, 'Dockerfile'))).mtimeMs).toBeCloseTo(
      Math.floor((await stat(join(source, 'Dockerfile'))).mtimeMs / 1000) * 1000,
      -1,
    );
    const damaged = Buffer.from(packed.stdout.subarray(0, Math.floor(packed.stdout.length / 2)));
    expect((await unpack(damaged)).error).toMatchObject({ code: 'context-failed' });
  });

  it('takes text for a Dockerfile and refuses other things by name', async () => {
    const text = '# syntax=docker/dockerfile:1\nFROM größe\n';
    expect((await unpack(Buffer.from(text))).result).toEqual({ kind: 'dockerfile', text });
    expect((await unpack(makeTar([{ name: 'x' }]))).result).toEqual({ kind: 'archive' });
    expect((await unpack(makeTar([]))).result).toEqual({ kind: 'archive' });
    const message = async (bytes: Buffer): Promise<string> => String(((await unpack(bytes)).error as EngineError).message);
    expect(await message(Buffer.alloc(0))).toBe('standard input is empty');
    expect(await message(Buffer.from('PK\u0003\u0004zip'))).toContain('zip archive, which is not supported');
    expect(await message(Buffer.from([0xff, 0xfe, 0, 1]))).toContain('is not a tar archive');
    expect(await message(gzipSync('just text'))).toBe('standard input is compressed (gzip), but what it holds is no tar archive');
    expect(await message(Buffer.concat([Buffer.from('FROM x\n'.repeat(100)), Buffer.from([0xff])]))).toContain(
      'neither a tar archive nor a Dockerfile',
    );
  });
});

describe('unpacking', () => {
  it('keeps links inside, makes missing parents, lets later entries win, drops set-id bits', async () => {
    const { directory, error } = await unpack(
      makeTar([
        { name: './', type: '5' },
        { name: 'deep/er/file', body: 'one', mode: 0o6755 },
        { name: 'deep/er/file', body: 'two', mode: 0o6755 },
        { name: 'deep/link', type: '2', linkname: '../deep/er/./file' },
        { name: 'hard', type: '1', linkname: './deep/er/file' },
        { name: 'dangling', type: '2', linkname: 'deep/nothing' },
        { name: 'locked', type: '5', mode: 0 },
        { name: 'locked/file', body: 'x', mode: 0 },
        paxEntry({ path: `long/${'n'.repeat(200)}` }),
        { name: 'short', body: 'pax' },
      ]),
    );
    expect(error).toBeUndefined();
    expect(await readFile(join(directory, 'deep/link'), 'utf8')).toBe('two');
    expect(await readlink(join(directory, 'deep/link'))).toBe('../deep/er/./file');
    expect((await stat(join(directory, 'hard'))).ino).toBe((await stat(join(directory, 'deep/er/file'))).ino);
    expect((await stat(join(directory, 'hard'))).mode & 0o7777).toBe(0o755);
    expect((await lstat(join(directory, 'dangling'))).isSymbolicLink()).toBe(true);
    expect((await stat(join(directory, 'locked/file'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(directory, 'long', 'n'.repeat(200)), 'utf8')).toBe('pax');
  });

  it('adds to what an earlier archive left, and checks links of both together', async () => {
    const directory = await fresh();
    const add = (entries: readonly TarEntry[]) => fetcher.unpackStream(pieces(makeTar(entries)), directory, { signal });
    await add([
      { name: 'x/b', type: '2', linkname: '..' },
      { name: 'd/file', body: 'one' },
    ]);
    await add([
      { name: 'd/file', body: 'two' },
      { name: 'd/more', body: 'more' },
    ]);
    expect(await readFile(join(directory, 'd/file'), 'utf8')).toBe('two');
    await expect(add([{ name: 'x/b/evil', body: 'x' }])).rejects.toMatchObject({ code: 'context-rejected' });
    await add([{ name: 'x/b', type: '2', linkname: '..' }]);
    await expect(add([{ name: 'a', type: '2', linkname: 'x/b/..' }])).rejects.toThrow(/leads out/);
    expect(await readdir(directory)).toEqual([]);
  });

  const evil = 'evil';
  it.each<[string, readonly TarEntry[], RegExp]>([
    ['an absolute name', [{ name: '/etc/evil', body: evil }], /absolute/],
    ['a name that climbs', [{ name: '../evil', body: evil }], /"\.\."/],
    ['a name that climbs inside', [{ name: 'a/../../evil', body: evil }], /"\.\."/],
    ['a name that climbs after ./', [{ name: './../evil', body: evil }], /"\.\."/],
    ['an extended name', [paxEntry({ path: '../evil' }), { name: 'fine', body: evil }], /"\.\."/],
    ['an absolute extended name', [paxEntry({ path: '/tmp/evil' }), { name: 'fine', body: evil }], /absolute/],
    ['an absolute link', [{ name: 'link', type: '2', linkname: '/etc/passwd' }], /leads out/],
    ['a climbing link', [{ name: 'a/link', type: '2', linkname: '../../x' }], /leads out/],
    ['an extended link', [paxEntry({ linkpath: '../x' }), { name: 'link', type: '2', linkname: 'fine' }], /leads out/],
    [
      'a chain of links',
      [
        { name: 'd/e', type: '5' },
        { name: 'one', type: '2', linkname: 'd/e' },
        { name: 'two', type: '2', linkname: 'one/../../..' },
      ],
      /leads out/,
    ],
    [
      'links that climb together',
      [
        { name: 'a', type: '2', linkname: 'b/..' },
        { name: 'd/f', body: 'x' },
        { name: 'b', type: '2', linkname: 'd' },
        { name: 'c', type: '2', linkname: 'b/../../x' },
      ],
      /leads out/,
    ],
    [
      'a file through a link',
      [
        { name: 'd', type: '2', linkname: '/tmp' },
        { name: 'd/evil', body: evil },
      ],
      /symbolic link/,
    ],
    [
      'a file through a link inside',
      [
        { name: 'r', type: '5' },
        { name: 'd', type: '2', linkname: 'r' },
        { name: 'd/evil', body: evil },
      ],
      /symbolic link/,
    ],
    [
      'a directory over a link',
      [
        { name: 'd', type: '2', linkname: '/tmp' },
        { name: 'd', type: '5' },
        { name: 'd/evil', body: evil },
      ],
      /replace a file or link/,
    ],
    ['a hard link to the outside', [{ name: 'h', type: '1', linkname: '/etc/passwd' }], /absolute/],
    ['a hard link that climbs', [{ name: 'h', type: '1', linkname: '../../etc/passwd' }], /"\.\."/],
    [
      'a hard link to a link',
      [
        { name: 's', type: '2', linkname: '/etc/passwd' },
        { name: 'h', type: '1', linkname: 's' },
      ],
      /no earlier file/,
    ],
    [
      'a hard link through a link',
      [
        { name: 's', type: '2', linkname: '/etc' },
        { name: 'h', type: '1', linkname: 's/passwd' },
      ],
      /no earlier file/,
    ],
    ['a hard link to nothing', [{ name: 'h', type: '1', linkname: 'x' }], /no earlier file/],
    [
      'a hard link to itself',
      [
        { name: 'h', body: 'x' },
        { name: 'h', type: '1', linkname: 'h' },
      ],
      /no earlier file/,
    ],
    ['a hard link without a target', [{ name: 'h', type: '1' }], /no earlier file/],
    ['a link without a target', [{ name: 's', type: '2' }], /malformed/],
    ['a character device', [{ name: 'dev', type: '3' }], /character device/],
    ['a block device', [{ name: 'dev', type: '4' }], /block device/],
    ['a pipe', [{ name: 'pipe', type: '6' }], /fifo/],
    ['a GNU sparse file', [{ name: 'sparse', type: 'S' }], /unknown kind/],
    [
      'an extended sparse file',
      [paxEntry({ 'GNU.sparse.major': '1', 'GNU.sparse.realsize': '1099511627776' }), { name: 'sparse' }],
      /sparse/,
    ],
    ['an unknown kind', [{ name: 'x', type: 'Q' }], /unknown kind/],
    [
      'a file over a directory',
      [
        { name: 'd', type: '5' },
        { name: 'd', body: evil },
      ],
      /replace a directory/,
    ],
    [
      'a directory over a file',
      [
        { name: 'd', body: evil },
        { name: 'd', type: '5' },
      ],
      /replace a file/,
    ],
    [
      'a file below a file',
      [
        { name: 'd', body: evil },
        { name: 'd/x', body: evil },
      ],
      /file/,
    ],
    ['the root as a file', [{ name: './', body: evil }], /root|directory/],
    ['the root as a link', [{ name: '.', type: '2', linkname: '/tmp' }], /root/],
    ['a long component', [paxEntry({ path: 'n'.repeat(256) }), { name: 'x' }], /255/],
    ['a long name', [paxEntry({ path: `${'n/'.repeat(2100)}x` }), { name: 'x' }], /4096/],
    ['a deep name', [paxEntry({ path: `${'n/'.repeat(101)}x` }), { name: 'x' }], /100 directories/],
    ['a NUL in a name', [paxEntry({ path: 'a\0b' }), { name: 'x' }], /NUL/],
  ])('refuses %s', async (_what, entries, words) => {
    expect(await rejection([{ name: 'before', body: 'x' }, ...entries])).toMatch(words);
  });

  it('never leaves its directory, whatever the names and links are', async () => {
    const name = fc.array(fc.constantFrom('a', 'b', '..', '.', '', 'A'), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
    const entry = fc.record({ name, type: fc.constantFrom('0', '1', '2', '5'), linkname: name, body: fc.constant('x') });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 12 }), async (entries) => {
        const { directory } = await unpack(makeTar(entries.map((made) => (made.type === '0' ? made : { ...made, body: '' }))));
        await rm(directory, { recursive: true });
      }),
      { numRuns: 150 },
    );
  });
});

describe('bounds', () => {
  it('stops bombs early', async () => {
    const zeros = Buffer.alloc(160 * 1024 * 1024);
    const bomb = makeTar([{ name: 'zeros', body: zeros }]);
    for (const packed of [gzipSync(bomb), zstdCompressSync(bomb)]) {
      expect((await unpack(packed)).error).toMatchObject({
        code: 'context-rejected',
        message: 'standard input unpacks to more than 200 times its size',
      });
    }
  });

  it('stops at the number of entries and of bytes', async () => {
    const many = Array.from({ length: 20 }, (_, number) => ({ name: `f${number}` }));
    const few = createContextFetcher({ addresses: open, limits: { maxEntries: 19, maxBytes: 100_000 } });
    expect(await rejection(many, few)).toBe('the archive has more than 19 entries');
    expect(await rejection([{ name: 'big', body: Buffer.alloc(200_000, 'x') }], few)).toBe(
      'standard input unpacks to more than 100000 bytes',
    );
  });

  it('bounds headers and does not believe sizes', async () => {
    expect((await unpack(makeTar([{ name: 'pax', type: 'x', size: 0o77777777777 }]))).error).toMatchObject({ code: 'context-failed' });
    expect((await unpack(makeTar([{ name: 'cut', size: 1_000_000 }]))).error).toMatchObject({ code: 'context-failed' });
    expect((await unpack(makeTar([{ name: 'L', type: 'L', body: `../${'x'.repeat(300)}` }, { name: 'x' }]))).error).toMatchObject({
      code: 'context-rejected',
    });
  });

  it('ends at the signal', async () => {
    const controller = new AbortController();
    const directory = await fresh();
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield makeTar(
        [
          { name: 'first', body: 'x' },
          { name: 'big', size: 8_000_000_000 - 1 },
        ],
        { end: false },
      );
      for (let count = 0; ; count += 1) {
        if (count === 5) controller.abort();
        yield Buffer.alloc(65_536);
      }
    }
    const big = createContextFetcher({ addresses: open, limits: { maxBytes: 16_000_000_000 } });
    await expect(big.unpackStream(endless(), directory, { signal: controller.signal })).rejects.toMatchObject({
      message: 'fetching standard input was cancelled',
    });
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('a silent stream', () => {
  it.each([0, 1])('is left at the signal after %i pieces', async (count) => {
    const controller = new AbortController();
    const directory = await fresh();
    const silent = new PassThrough();
    if (count === 1) silent.write(makeTar([{ name: 'big', size: 100_000 }], { end: false }));
    const reading = fetcher.unpackStream(silent, directory, { signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(reading).rejects.toMatchObject({ message: 'fetching standard input was cancelled' });
    expect(await readdir(directory)).toEqual([]);
    expect(silent.destroyed).toBe(true);
  });
});

describe('fetchArchive', () => {
  const tar = makeTar([{ name: 'Dockerfile', body: 'FROM scratch\n' }]);
  async function fetchFrom(url: string, by = fetcher) {
    const directory = await fresh();
    const error = await by.fetchArchive(url, directory, { signal }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return { names: await readdir(directory), error: error as EngineError | undefined };
  }

  it('tries again after 5xx and cut connections, three times in all', async () => {
    let plan: (number | 'cut' | 'half')[] = [];
    await using server = await startHttpServer((_, response) => {
      const next = plan.shift() ?? 200;
      if (next === 'cut') response.destroy();
      else if (next === 'half') {
        response.setHeader('content-length', tar.length);
        response.write(tar.subarray(0, 600), () => response.destroy());
      } else response.writeHead(next).end(next === 200 ? tar : 'trouble');
    });
    for (const faults of [[], [503, 'cut'], ['half', 500], ['half', 'half']] as const) {
      plan = [...faults];
      expect(await fetchFrom(`${server.url}/a.tar.gz`)).toEqual({ names: ['Dockerfile'], error: undefined });
    }
    plan = [502, 502, 502, 200];
    const { error, names } = await fetchFrom(`${server.url}/a.tar?sig=canary`);
    expect(error).toMatchObject({ code: 'context-failed', transient: true });
    expect(error?.message).toBe(`${server.url}/a.tar answered with status 502: trouble`);
    expect(names).toEqual([]);
    expect(plan).toEqual([200]);
  });

  it('gives up at once on 4xx, with the words of the server', async () => {
    let calls = 0;
    await using server = await startHttpServer((_, response) => {
      calls += 1;
      response.writeHead(404).end('no such file\u001b[0m');
    });
    const { error } = await fetchFrom(`${server.url}/a.tgz`);
    expect(error?.message).toBe(`${server.url}/a.tgz answered with status 404: no such file [0m`);
    expect(calls).toBe(1);
  });

  it('says what a page is that is no archive', async () => {
    await using server = await startHttpServer((_, response) => response.setHeader('content-type', 'text/html').end('<html>'.repeat(200)));
    const { error } = await fetchFrom(`${server.url}/repo`);
    expect(error).toMatchObject({
      code: 'context-rejected',
      message: `${server.url}/repo is not a tar archive (its content type is text/html)`,
    });
    expect(error?.help).toContain('.git');
  });

  it('sends credentials of the URL as a header and names them nowhere', async () => {
    const seen: (string | undefined)[] = [];
    await using server = await startHttpServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(403).end();
    });
    const { error } = await fetchFrom(`http://ann:canary%40pw@127.0.0.1:${server.port}/a.tgz?sig=canary`);
    expect(seen).toEqual([`Basic ${Buffer.from('ann:canary@pw').toString('base64')}`]);
    expect(`${error?.message}${error?.help}`).not.toContain('canary');
  });

  it('keeps off addresses that the policy refuses', async () => {
    expect((await fetchFrom('http://169.254.169.254/a.tgz')).error).toMatchObject({ code: 'context-rejected' });
    const strict = createContextFetcher({ addresses: { allowPrivate: false, allowLoopback: false }, retry });
    await using server = await startHttpServer((_, response) => response.end(tar));
    expect((await fetchFrom(server.url, strict)).error).toMatchObject({ code: 'context-rejected' });
    expect((await fetchFrom('nonsense')).error).toMatchObject({ code: 'context-rejected' });
  });
});
