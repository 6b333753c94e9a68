import { appendFileSync, chmodSync, linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract, type Header } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { EVERYTHING } from '../../../src/container/build/context/context-entry.ts';
import { spoolContext } from '../../../src/container/build/context/spool-source.ts';
import { packDirectory } from '../../../src/container/build/context-tar.ts';
import { compileIgnoreRules } from '../../../src/container/build/ignore-patterns.ts';
import { makeDirectory } from './build-harness.ts';

async function list(tar: Readable): Promise<(Header & { readonly content: string })[]> {
  const entries = extract();
  tar.on('error', (error) => entries.destroy(error));
  tar.pipe(entries);
  const found: (Header & { readonly content: string })[] = [];
  for await (const entry of entries) found.push({ ...entry.header, content: (await buffer(entry)).toString('utf8') });
  return found;
}

describe('a packed directory', () => {
  it('holds every kind of entry, owned by root, in a fixed order', async () => {
    const long = `${'long'.repeat(30)}/${'name'.repeat(40)}-ü`;
    const directory = makeDirectory({
      'b.txt': 'bee',
      'a/x': 'ex',
      'a.b': 'dot',
      naïve: 'ü',
      [long]: 'far',
      link: '->a/x',
      empty: '/',
      none: '',
    });
    try {
      chmodSync(join(directory.path, 'b.txt'), 0o640);
      linkSync(join(directory.path, 'b.txt'), join(directory.path, 'c.txt'));
      symlinkSync('x'.repeat(150), join(directory.path, 'long-link'));
      const entries = await list(packDirectory(directory.path, []));
      expect(entries.map((entry) => entry.name)).toEqual(
        ['a/', 'a/x', 'a.b', 'b.txt', 'c.txt', 'empty/', 'link', 'long-link', `${long.split('/')[0]}/`, long, 'naïve', 'none'].sort(
          (left, right) => Buffer.compare(Buffer.from(left.replaceAll('/', '\0')), Buffer.from(right.replaceAll('/', '\0'))),
        ),
      );
      const byName = new Map(entries.map((entry) => [entry.name, entry]));
      expect(byName.get('b.txt')).toMatchObject({ type: 'file', mode: 0o640, uid: 0, gid: 0, content: 'bee' });
      expect(byName.get('c.txt')).toMatchObject({ type: 'link', linkname: 'b.txt' });
      expect(byName.get('link')).toMatchObject({ type: 'symlink', linkname: 'a/x' });
      expect(byName.get('long-link')).toMatchObject({ type: 'symlink', linkname: 'x'.repeat(150) });
      expect(byName.get(long)?.content).toBe('far');
      expect(byName.get('empty/')).toMatchObject({ type: 'directory' });
    } finally {
      directory.remove();
    }
  });

  it('leaves out what is ignored, and keeps the way to what is let in again', async () => {
    const directory = makeDirectory({ 'src/deep/keep': 'k', 'src/deep/drop': 'd', 'src/other/x': 'x', top: 't' });
    try {
      const entries = await list(packDirectory(directory.path, ['src', '!src/deep/keep']));
      expect(entries.map((entry) => entry.name)).toEqual(['src/', 'src/deep/', 'src/deep/keep', 'top']);
    } finally {
      directory.remove();
    }
  });

  it.each([
    ['grew', (path: string) => appendFileSync(path, 'more')],
    ['shrank', (path: string) => truncateSync(path, 10)],
  ])('fails by name for a file that %s while it was read', async (word, change) => {
    const directory = makeDirectory({});
    const path = join(directory.path, 'changing.bin');
    writeFileSync(path, Buffer.alloc(8 * 1024 * 1024));
    try {
      const tar = packDirectory(directory.path, []);
      const reading = (async () => {
        let changed = false;
        for await (const _ of tar) {
          if (!changed) change(path);
          changed = true;
        }
      })();
      await expect(reading).rejects.toThrow(`changing.bin ${word} while it was read`);
    } finally {
      directory.remove();
    }
  });

  it('stops walking when its reader goes away', async () => {
    const directory = makeDirectory({});
    try {
      for (let index = 0; index < 3000; index += 1) mkdirSync(join(directory.path, `d${index}`));
      const tar = packDirectory(directory.path, []);
      for await (const _ of tar) break;
      expect(tar.destroyed).toBe(true);
    } finally {
      directory.remove();
    }
  });
});

describe('a spooled archive', () => {
  it('lists and reads as the directory it was packed from, minus what is ignored', async () => {
    const directory = makeDirectory({ 'z/last': 'zz', 'a/first': 'aa', 'skip/x': 's', 'mid.txt': 'mm' });
    linkSync(join(directory.path, 'a/first'), join(directory.path, 'z/again'));
    try {
      const source = await spoolContext(packDirectory(directory.path, []), compileIgnoreRules(['skip']));
      const found: string[] = [];
      for await (const entry of source.entries(EVERYTHING)) {
        const chunks: Uint8Array[] = [];
        if (entry.kind === 'file') for await (const chunk of source.read(entry)) chunks.push(chunk);
        found.push(`${entry.kind} ${entry.path} ${Buffer.concat(chunks).toString()}`);
      }
      await source.dispose();
      expect(found).toEqual(['directory a ', 'file a/first aa', 'file mid.txt mm', 'directory z ', 'file z/again aa', 'file z/last zz']);
    } finally {
      directory.remove();
    }
  });

  it('says so when one name of a hard link is ignored and the other is not', async () => {
    const directory = makeDirectory({ a: 'same' });
    linkSync(join(directory.path, 'a'), join(directory.path, 'b'));
    try {
      await expect(spoolContext(packDirectory(directory.path, []), compileIgnoreRules(['a']))).rejects.toThrow('b is a hard link to a');
    } finally {
      directory.remove();
    }
  });

  it('reads through links, and lists selected paths only', async () => {
    const directory = makeDirectory({ 'v1/data': 'one', current: '->v1', other: 'o' });
    try {
      const source = await spoolContext(packDirectory(directory.path, []), compileIgnoreRules([]));
      const paths: string[] = [];
      for await (const entry of source.entries({ followPaths: ['current/d*'], includePatterns: [] })) paths.push(entry.path);
      await source.dispose();
      expect(paths).toEqual(['current', 'v1', 'v1/data']);
    } finally {
      directory.remove();
    }
  });

  it('fails for an archive that is cut off', async () => {
    await expect(spoolContext(Readable.from([Buffer.alloc(700, 'x')]), compileIgnoreRules([]))).rejects.toThrow();
  });
});
