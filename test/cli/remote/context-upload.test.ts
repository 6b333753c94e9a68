import { createHash } from 'node:crypto';
import { chmod, mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { expect, test } from 'vitest';
import { contextTooLarge, type PackedContext, packContext } from '../../../src/cli/remote/context-upload.ts';
import { EngineError } from '../../../src/model/engine-error.ts';
import { folderWith } from '../task-process.ts';

const signal = new AbortController().signal;

async function namesOf(context: PackedContext): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Readable.from(context.open()).pipe(extract())) {
    names.push(entry.header.name);
    entry.resume();
  }
  return names;
}

test('the same files have the same hash, whenever they were written and in whatever order', async () => {
  const files = { 'a.txt': 'one', 'dir/b.txt': 'two', Dockerfile: 'FROM scratch\n' };
  const first = folderWith(files);
  const second = folderWith(Object.fromEntries(Object.entries(files).reverse()));
  await utimes(join(second, 'a.txt'), 1_000_000, 1_000_000);
  const [one, two] = await Promise.all([packContext(first, { signal }), packContext(second, { signal })]);
  expect(two.sha256).toBe(one.sha256);
  await writeFile(join(second, 'a.txt'), 'One');
  expect((await packContext(second, { signal })).sha256).not.toBe(one.sha256);
});

test('the hash and the length are those of what is sent', async () => {
  const folder = folderWith({ 'a.txt': 'x'.repeat(100_000), 'b/c': '' });
  const context = await packContext(folder, { signal });
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of context.open()) {
    hash.update(chunk);
    length += chunk.length;
  }
  expect([hash.digest('hex'), length]).toEqual([context.sha256, context.length]);
  expect(context.files).toBe(2);
});

test('an executable bit and a link count', async () => {
  const folder = folderWith({ run: 'x' });
  const before = await packContext(folder, { signal });
  await chmod(join(folder, 'run'), 0o755);
  const executable = await packContext(folder, { signal });
  expect(executable.sha256).not.toBe(before.sha256);
  await symlink('run', join(folder, 'link'));
  expect(await namesOf(await packContext(folder, { signal }))).toEqual(['link', 'run']);
});

test.each([
  ['bin/python', '/usr/bin/python3'],
  ['bin/python', '../../python3'],
  ['up', '..'],
])('a link that leads out is refused before anything is sent: %s to %s', async (name, target) => {
  const folder = folderWith({ 'bin/run': 'x' });
  await symlink(target, join(folder, name));
  await expect(packContext(folder, { signal })).rejects.toThrow(`${name} is a symbolic link that leads out of it, to ${target}`);
  await writeFile(join(folder, '.dockerignore'), name);
  expect(await namesOf(await packContext(folder, { signal }))).not.toContain(name);
});

test('a link up and down again inside the folder, or to nothing, is sent', async () => {
  const folder = folderWith({ 'bin/run': 'x', 'lib/a': 'y' });
  await symlink('../lib/../lib/a', join(folder, 'bin/a'));
  await symlink('..gone', join(folder, 'gone'));
  expect(await namesOf(await packContext(folder, { signal }))).toEqual(expect.arrayContaining(['bin/a', 'gone']));
});

test('what .dockerignore excludes and version control stay here; what the run needs goes along', async () => {
  const folder = folderWith({
    '.dockerignore': '*\n!keep.txt\n',
    '.git/config': 'x',
    'sub/.git/config': 'x',
    'keep.txt': 'x',
    'drop.txt': 'x',
    'ci/acr-task.yaml': 'steps: []',
    Dockerfile: 'FROM scratch\n',
  });
  const names = await namesOf(await packContext(folder, { signal, keep: ['ci/acr-task.yaml'] }));
  expect(names).toEqual(['.dockerignore', 'Dockerfile', 'ci/', 'ci/acr-task.yaml', 'keep.txt']);
});

test('a negated pattern lets version control in; a Dockerfile of its own rules wins', async () => {
  const folder = folderWith({
    '.dockerignore': '!.git\n',
    '.git/HEAD': 'x',
    'Dockerfile.dev': '',
    'Dockerfile.dev.dockerignore': 'a\n',
    a: '',
    b: '',
  });
  expect(await namesOf(await packContext(folder, { signal }))).toContain('.git/HEAD');
  const own = await namesOf(await packContext(folder, { signal, dockerfile: 'Dockerfile.dev', keep: ['Dockerfile.dev'] }));
  expect(own).toContain('b');
  expect(own).not.toContain('a');
  expect(own).not.toContain('.git/HEAD');
});

test('a file from elsewhere is sent beside the context', async () => {
  const folder = folderWith({ a: '' });
  const extras = [{ path: '.slipway.Dockerfile', mode: 0o644, content: Buffer.from('FROM scratch\n') }];
  expect(await namesOf(await packContext(folder, { signal, extras }))).toEqual(['.slipway.Dockerfile', 'a']);
});

test('a refusal names what is large', async () => {
  const folder = folderWith({ 'data/one.bin': 'x'.repeat(30_000), 'data/two.bin': 'x'.repeat(20_000), 'small.txt': 'x' });
  const context = await packContext(folder, { signal });
  expect(context.largest.map(({ path }) => path)).toEqual(['data/', 'data/one.bin', 'data/two.bin', 'small.txt']);
  expect(contextTooLarge(context, 'at most 10 kB').help).toContain('data/ (50.0 kB), data/one.bin (30.0 kB)');
});

test('a malformed pattern is named with its own line', async () => {
  const folder = folderWith({ '.dockerignore': 'ok\n[\n', a: '' });
  const error: unknown = await packContext(folder, { signal }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(EngineError);
  expect((error as EngineError).code).toBe('context-rejected');
  expect((error as EngineError).message).toContain('.dockerignore line 2');
});

test('cancelling ends the packing', async () => {
  const folder = folderWith({ a: 'x' });
  await mkdir(join(folder, 'd'));
  await expect(packContext(folder, { signal: AbortSignal.abort(new Error('cancelled')) })).rejects.toThrow('cancelled');
});
