import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalRegistry, startLocalRegistry } from '../support/local-registry.ts';
import { imageTags, removeImages } from '../support/remove-images.ts';
import { projectRoot } from '../support/task-program.ts';
import { matchesOutput, type PagePart, readPage } from './console-page.ts';
import { PageShell } from './page-shell.ts';

const PAGES = ['README.md', ...readdirSync(join(projectRoot, 'docs')).map((name) => `docs/${name}`)]
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, parts: readPage(readFileSync(join(projectRoot, name), 'utf8')) }))
  .filter(({ parts }) => parts.some(({ kind }) => kind === 'command'));

/** Names that the pages give to images with `-t`. */
const REPOSITORIES = new Set(
  PAGES.flatMap(({ parts }) => parts).flatMap(({ text }) => [...text.matchAll(/ -t ([a-z]+):/g)].map(([, name = '']) => name)),
);

let folder: string;
let registry: LocalRegistry;
let tagsBefore: ReadonlySet<string>;

beforeAll(async () => {
  registry = await startLocalRegistry();
  tagsBefore = await imageTags();
  folder = mkdtempSync(join(tmpdir(), 'slipway-docs-'));
  mkdirSync(join(folder, 'bin'));
  symlinkSync(join(projectRoot, 'bin/task'), join(folder, 'bin/task'));
});

afterAll(async () => {
  await removeImages([...(await imageTags())].filter((tag) => !tagsBefore.has(tag) && isOfPages(tag)));
  await registry?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Others may use the engine at the same time: only what the pages build counts. */
function isOfPages(tag: string): boolean {
  const repository = tag.slice(0, tag.lastIndexOf(':'));
  return repository.startsWith(`${registry.host}/`) || REPOSITORIES.has(repository);
}

/** `task init` writes the page's names too. */
function localiseFiles(shell: PageShell, directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    writeFileSync(path, shell.localised(readFileSync(path, 'utf8')));
  }
}

/** Does a part; what a command printed is compared with the page. */
async function follow(part: PagePart, shell: PageShell, cwd: string): Promise<void> {
  if (part.kind === 'file') {
    shell.write(part);
    return;
  }
  const { code, printed } = await shell.run(part);
  if (part.text.startsWith('task init')) localiseFiles(shell, cwd);
  const told = `line ${part.line}: $ ${part.text}\n${printed}`;
  expect(code, told).toBe(part.exitCode);
  if (part.output.length === 0) return;
  const expected = part.output.map((line) => shell.localised(line));
  const lines = printed.replace(/\n$/, '').split('\n');
  if (!matchesOutput(expected, lines)) expect(lines.join('\n'), told).toBe(expected.join('\n'));
}

describe('pages do what they say', () => {
  test.each(PAGES)('$name', async ({ name, parts }) => {
    const cwd = join(folder, name.replaceAll('/', '-'));
    const home = join(folder, `home-${name.replaceAll('/', '-')}`);
    await using shell = new PageShell({ cwd, home, bin: join(folder, 'bin'), registry: registry.host });
    for (const part of parts) await follow(part, shell, cwd);
  });

  test('the pages that teach have commands', () => {
    expect(PAGES.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'README.md',
        'docs/api.md',
        'docs/builds-and-contexts.md',
        'docs/daemon.md',
        'docs/getting-started.md',
        'docs/secrets.md',
        'docs/triggers.md',
      ]),
    );
  });
});
