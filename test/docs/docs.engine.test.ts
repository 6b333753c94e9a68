import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalRegistry, startLocalRegistry } from '../support/local-registry.ts';
import { imageTags, removeImages } from '../support/remove-images.ts';
import { projectRoot } from '../support/task-program.ts';
import { matchesOutput, type PageCommand, type PagePart, readPage } from './console-page.ts';

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

/** The page's names of what comes from the network, as those of the test. */
function localised(text: string): string {
  return text.replaceAll('localhost:5000', registry.host).replaceAll(/busybox:(stable|1\.\d+)/g, 'busybox:local');
}

/** `task init` writes the page's names too. */
function localiseFiles(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    writeFileSync(path, localised(readFileSync(path, 'utf8')));
  }
}

interface Finished {
  readonly code: number | null;
  readonly printed: string;
}

function runCommand({ text }: PageCommand, place: { readonly cwd: string; readonly home: string }): Promise<Finished> {
  const child = spawn('/bin/sh', ['-c', `exec 2>&1\n${localised(text)}`], {
    cwd: place.cwd,
    env: { PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`, HOME: place.home },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, printed }));
  });
}

/** Runs a part; what a command printed is compared with the page. */
async function follow(part: PagePart, place: { readonly cwd: string; readonly home: string }): Promise<void> {
  if (part.kind === 'file') {
    mkdirSync(dirname(join(place.cwd, part.path)), { recursive: true });
    writeFileSync(join(place.cwd, part.path), localised(part.text));
    return;
  }
  const { code, printed } = await runCommand(part, place);
  if (part.text.startsWith('task init')) localiseFiles(place.cwd);
  const told = `line ${part.line}: $ ${part.text}\n${printed}`;
  expect(code, told).toBe(part.exitCode);
  if (part.output.length === 0) return;
  const lines = printed.replace(/\n$/, '').split('\n');
  if (!matchesOutput(part.output.map(localised), lines)) expect(lines.join('\n'), told).toBe(part.output.map(localised).join('\n'));
}

describe('pages do what they say', () => {
  test.each(PAGES)('$name', async ({ name, parts }) => {
    const cwd = join(folder, name.replaceAll('/', '-'));
    const home = join(folder, `home-${name.replaceAll('/', '-')}`);
    for (const path of [cwd, home]) mkdirSync(path);
    for (const part of parts) await follow(part, { cwd, home });
  });

  test('the pages that teach have commands', () => {
    expect(PAGES.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['docs/getting-started.md', 'docs/builds-and-contexts.md', 'docs/secrets.md']),
    );
  });
});
