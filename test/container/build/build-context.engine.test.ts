import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, linkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packDirectory } from '../../../src/container/build/context-tar.ts';
import { BASE, build, imageOf, MemoryWorkspace, makeDirectory, removeImage, removeUnnamed, runInImage } from './build-harness.ts';

const LISTING = `FROM ${BASE}\nCOPY . /context\nWORKDIR /context\nCMD find . -mindepth 1 | sort`;
const TREE = {
  Dockerfile: LISTING,
  'README.md': 'r',
  'a.log': 'a',
  'src/main.c': 'm',
  'src/main.o': 'o',
  'src/deep/er/x.o': 'o',
  'src/deep/er/keep.o': 'k',
  'docs/index.md': 'i',
  'docs/.hidden': 'h',
  'node_modules/a/package.json': 'p',
  'node_modules/b/lib/index.js': 'b',
  'with space/f x.txt': 'f',
  '[odd]/name': 'n',
  'a+b.txt': 'p',
  empty: '/',
  'link-to-src': '->src',
  'broken-link': '->nowhere',
};

/** .dockerignore files whose effect is compared with docker's own. */
const CORPUS: readonly (readonly [name: string, text: string])[] = [
  ['nothing', ''],
  ['a comment and blanks', '# node_modules\n\n  \n\t'],
  ['a directory', 'node_modules'],
  ['a directory with slashes around it', '/node_modules/'],
  ['a wildcard in one component', '*/*.o'],
  ['any depth', '**/*.o'],
  ['a file let in again', '**/*.o\n!src/deep/er/keep.o'],
  ['a file let in from an ignored directory', 'src\n!src/deep/er/keep.o'],
  ['everything but one directory', '*\n!docs'],
  ['the later pattern wins', '!docs/index.md\ndocs\n!docs/.hidden\ndocs/.hidden'],
  ['a question mark', '?.log'],
  ['a class', '[a-b].log'],
  ['a negated class', '[^a].log\nREADME.m[^x]'],
  ['an escaped bracket', '\\[odd\\]'],
  ['blanks around and inside', '  with space/f x.txt  '],
  ['parents are cleaned', 'docs/../src/./deep'],
  ['the Dockerfile and the file itself', 'Dockerfile\n.dockerignore'],
  ['a link', 'link-to-src'],
  ['two stars inside a component', 'no**json'],
  ['a directory at any depth', '**/er'],
  ['an ignored tree with any-depth exceptions', 'src/**\n!**/main.*'],
  ['a byte order mark', '\uFEFFnode_modules'],
  ['carriage returns', 'node_modules\r\ndocs\r\n'],
  ['many wildcards', '*o*d*_*m*o*d*'],
];

async function ownListing(path: string, ignore: readonly string[]): Promise<string> {
  const report = await build({
    dockerfile: LISTING,
    ignore,
    context: { kind: 'directory', path },
    spec: { tags: ['slipway-test/context:own'] },
  });
  return runInImage(imageOf(report), ['sh', '-c', 'find . -mindepth 1 | sort']);
}

async function dockersListing(path: string): Promise<string> {
  execFileSync('docker', ['build', '-q', '-t', 'slipway-test/context:docker', path], {
    env: { ...process.env, DOCKER_BUILDKIT: '0' },
    stdio: 'pipe',
  });
  return runInImage('slipway-test/context:docker', ['sh', '-c', 'find . -mindepth 1 | sort']);
}

afterAll(async () => {
  for (const tag of ['own', 'docker', 'kinds', 'large', 'closed', 'links', 'pinned', 'classic', 'workspace']) {
    await removeImage(`slipway-test/context:${tag}`);
  }
  await removeUnnamed();
});

describe('the build context', () => {
  it.each(CORPUS)('holds what docker takes: %s', async (_name, text) => {
    const directory = makeDirectory({ ...TREE, '.dockerignore': text });
    try {
      expect(await ownListing(directory.path, text.split('\n'))).toBe(await dockersListing(directory.path));
    } finally {
      directory.remove();
    }
  });

  it('takes a plus as itself, which engines before 23 did not', async () => {
    const directory = makeDirectory({ 'a+b.txt': 'x', 'aab.txt': 'y', '.dockerignore': 'a+b.txt' });
    try {
      expect(await ownListing(directory.path, ['a+b.txt'])).toBe('./.dockerignore\n./aab.txt\n');
    } finally {
      directory.remove();
    }
  });

  it('looks below ignored directories for what a pattern of any depth lets in again, as BuildKit does', async () => {
    const directory = makeDirectory({ ...TREE, '.dockerignore': '**\n!**/*.md' });
    try {
      expect(await ownListing(directory.path, ['**', '!**/*.md'])).toBe('./README.md\n./docs\n./docs/index.md\n');
    } finally {
      directory.remove();
    }
  });

  it('keeps modes, times and links, and leaves sockets out', async () => {
    const directory = makeDirectory({ 'run.sh': '#!/bin/sh', 'private/key': 'k', 'same-a': 'same', link: '->run.sh', 'naïve ☃': 'ü' });
    const server = createServer();
    try {
      chmodSync(join(directory.path, 'run.sh'), 0o4755);
      chmodSync(join(directory.path, 'private'), 0o700);
      utimesSync(join(directory.path, 'run.sh'), 1_000_000_000, 1_000_000_000);
      linkSync(join(directory.path, 'same-a'), join(directory.path, 'same-b'));
      await new Promise<void>((resolve) => server.listen(join(directory.path, 'socket'), resolve));
      const report = await build({
        dockerfile: `FROM ${BASE}\nCOPY . /c`,
        context: { kind: 'directory', path: directory.path },
        spec: { tags: ['slipway-test/context:kinds'] },
      });
      const listing = await runInImage(imageOf(report), [
        'sh',
        '-c',
        'cd /c; stat -c "%n %a %u:%g %F %Y" run.sh private link; stat -c "%n %h" same-a same-b; ls; cat na*; readlink link',
      ]);
      expect(listing).toContain('run.sh 4755 0:0 regular file 1000000000\n');
      expect(listing).toMatch(/^private 700 0:0 directory/m);
      expect(listing).toMatch(/^link 777 0:0 symbolic link/m);
      expect(listing).toContain('same-a 2\nsame-b 2\n');
      expect(listing).not.toContain('socket');
      expect(listing).toContain('ürun.sh\n');
    } finally {
      server.close();
      directory.remove();
    }
  });

  it('follows links only inside the context when COPY names one', async () => {
    const directory = makeDirectory({
      'v1/data': 'one',
      current: '->v1',
      'up/link': '->../v1/data',
      outside: '->/etc/hostname',
      'unused/big': 'x',
    });
    try {
      const report = await build({
        dockerfile: `FROM ${BASE}\nCOPY current/data /a\nCOPY up/link /b\nCOPY v* /w/\nRUN cat /a /b /w/data`,
        context: { kind: 'directory', path: directory.path },
        spec: { tags: ['slipway-test/context:links'], noCache: true },
      });
      imageOf(report);
      expect(report.stdout).toBe('oneoneone');
      const leaving = await build({ dockerfile: 'FROM scratch\nCOPY outside /x', context: { kind: 'directory', path: directory.path } });
      expect(leaving.outcome).toMatchObject({ ok: false, message: expect.stringContaining('outside') });
    } finally {
      directory.remove();
    }
  });

  it('never opens a directory that is ignored', async () => {
    const directory = makeDirectory({ 'kept.txt': 'k', 'closed/f': 'f' });
    // Deeper than any path may be: whoever walks into it fails.
    const dig = `for (let i = 0; i < 20; i += 1) { require('fs').mkdirSync('d'.repeat(250)); process.chdir('d'.repeat(250)); }`;
    execFileSync(process.execPath, ['-e', dig], { cwd: join(directory.path, 'closed') });
    const wanted = {
      dockerfile: 'FROM scratch\nCOPY . /',
      context: { kind: 'directory' as const, path: directory.path },
      spec: { tags: ['slipway-test/context:closed'] },
    };
    try {
      const ignore = ['closed', '!elsewhere/x'];
      imageOf(await build({ ...wanted, ignore }));
      for await (const _ of packDirectory(directory.path, ignore));
      const { outcome } = await build(wanted);
      expect(outcome).toMatchObject({ ok: false, message: expect.stringContaining('ENAMETOOLONG') });
    } finally {
      execFileSync('rm', ['-rf', directory.path]);
    }
  });

  it('sends 200 MB without holding them, and nothing of them again when nothing changed', async () => {
    const directory = makeDirectory({});
    const block = Buffer.alloc(20 * 1024 * 1024);
    for (let index = 0; index < 10; index += 1) {
      block.writeUInt32BE(Math.floor(Math.random() * 2 ** 32));
      writeFileSync(join(directory.path, `part${index}`), block);
    }
    const wanted = {
      dockerfile: `FROM ${BASE}\nCOPY . /c\nRUN du -sm /c`,
      context: { kind: 'directory' as const, path: directory.path },
      spec: { tags: ['slipway-test/context:large'] },
    };
    try {
      const start = process.memoryUsage().rss;
      let peak = start;
      const watch = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage().rss);
      }, 5);
      const first = await build(wanted);
      clearInterval(watch);
      imageOf(first);
      expect(first.stdout).toMatch(/^20\d\s/m);
      expect(peak - start).toBeLessThan(120 * 1024 * 1024);
      const second = await build(wanted);
      const sent = second.progress.filter((entry) => entry.name === '[internal] load build context').map((entry) => entry.current ?? 0);
      expect(Math.max(...sent)).toBeLessThan(10_000);
      expect(imageOf(second)).toBe(imageOf(first));
    } finally {
      directory.remove();
    }
  });

  it('reports a file that cannot be read by its name', async () => {
    const directory = makeDirectory({ 'fine.txt': 'f' });
    try {
      const { outcome } = await build({
        dockerfile: 'FROM scratch\nCOPY . /',
        context: { kind: 'directory', path: join(directory.path, 'absent') },
      });
      expect(outcome).toMatchObject({ ok: false, message: expect.stringContaining('cannot be read (ENOENT)') });
    } finally {
      directory.remove();
    }
  });

  it('uses the pinned Dockerfile, leaves the one of the context as it is, and keeps the cache', async () => {
    const directory = makeDirectory({ 'sub/My.Dockerfile': 'FROM nowhere.invalid/base\nRUN false', 'sub/fresh': randomUUID() });
    const wanted = {
      dockerfile: `FROM ${BASE}\nCOPY . /c\nRUN cat /c/sub/My.Dockerfile; ls -A /c`,
      dockerfileName: 'sub/My.Dockerfile',
      context: { kind: 'directory' as const, path: directory.path },
      spec: { tags: ['slipway-test/context:pinned'] },
    };
    try {
      const first = await build(wanted);
      expect(first.stdout).toBe('FROM nowhere.invalid/base\nRUN falsesub\n');
      const again = await build(wanted);
      expect(imageOf(again)).toBe(imageOf(first));
      const classic = { ...wanted, engine: { buildkit: false }, spec: { tags: ['slipway-test/context:classic'] } };
      const other = await build(classic);
      expect(other.stdout).toBe('FROM nowhere.invalid/base\nRUN falsesub\n');
      expect(imageOf(await build(classic))).toBe(imageOf(other));
    } finally {
      directory.remove();
    }
  });

  it('builds from a directory of the workspace', async () => {
    const directory = makeDirectory({ 'app/b.txt': 'b', 'app/skip/c.txt': 'c', 'a.txt': 'a', link: '->a.txt', 'skip.me': 's' });
    linkSync(join(directory.path, 'a.txt'), join(directory.path, 'zz-same'));
    try {
      const workspace = new MemoryWorkspace();
      workspace.archive = packDirectory(directory.path, []);
      const report = await build({
        dockerfile: `FROM ${BASE}\nCOPY . /c\nRUN cd /c; find . -type f | sort; cat link app/b.txt zz-same`,
        ignore: ['skip.me', 'app/skip', '!nothing'],
        context: { kind: 'workspace', path: '/workspace/src' },
        spec: { tags: ['slipway-test/context:workspace'], noCache: true },
        environment: workspace.context(),
      });
      imageOf(report);
      expect(report.stdout).toBe('./a.txt\n./app/b.txt\n./zz-same\naba');
    } finally {
      directory.remove();
    }
  });
});
