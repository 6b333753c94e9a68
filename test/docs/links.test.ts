import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DOCKER_BUILD_FLAGS } from '../../src/task/build/docker-build-flags.ts';
import { DOCKER_RUN_FLAGS } from '../../src/task/command/docker-run-flags.ts';
import { projectRoot } from '../support/task-program.ts';

const DOCS = readdirSync(join(projectRoot, 'docs'), { recursive: true, encoding: 'utf8' });
const SAMPLES = readdirSync(join(projectRoot, 'samples'), { recursive: true, encoding: 'utf8' });
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...DOCS.map((name) => `docs/${name}`),
  ...SAMPLES.map((name) => `samples/${name}`),
].filter((name) => name.endsWith('.md'));

function read(page: string): string {
  return readFileSync(join(projectRoot, page), 'utf8');
}

/** Without fenced blocks: what looks like a link or a heading there is none. */
function prose(page: string): string {
  return read(page).replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, '');
}

/** Anchors as GitHub makes them of headings. */
function anchors(page: string): ReadonlySet<string> {
  const headings = [...prose(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, text = '']) => text);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
    ),
  );
}

function brokenLinks(page: string): string[] {
  const links = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return links.filter((link) => !/^https?:\/\//.test(link)).filter((link) => !leadsSomewhere(page, link));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(projectRoot, target))) return false;
  return anchor === undefined || anchors(target).has(anchor);
}

describe('links', () => {
  test.each(PAGES)('of %s lead somewhere', (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  test('the check finds what is broken', () => {
    expect(leadsSomewhere('README.md', 'docs/nothing.md')).toBe(false);
    expect(leadsSomewhere('docs/errors.md', 'architecture.md#no-such-heading')).toBe(false);
    expect(leadsSomewhere('docs/errors.md', 'architecture.md#floors')).toBe(true);
  });
});

function help(...command: readonly string[]): string {
  return execFileSync(join(projectRoot, 'bin/task'), [...command, '--help'], { encoding: 'utf8' });
}

function flagsOf(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^ {2}(?:-\w, )?(--[a-z][a-z-]*)/gm)].map(([, flag = '']) => flag));
}

/** Names of the commands in a help text, which stand in groups. */
function commandsOf(text: string): string[] {
  return [...(text.split('\nExamples:')[0] ?? '').matchAll(/^ {2}([a-z][a-z-]*)(?= |$)/gm)].map(([, name = '']) => name);
}

/** Flags of a command; of one that only holds others also theirs. */
function allFlags(name: string): ReadonlySet<string> {
  const text = help(name);
  const below = text.includes('\nCommands:') ? commandsOf(text.split('\nCommands:')[1] ?? '') : [];
  return new Set(
    [text, ...below.filter((command) => command !== 'help').map((command) => help(name, command))].flatMap((one) => [...flagsOf(one)]),
  );
}

const COMMANDS = new Map(commandsOf(help()).map((name): [string, ReadonlySet<string>] => [name, allFlags(name)]));
/** Flags of other programs that the pages speak of. */
const OTHERS = new Set([
  ...[...DOCKER_BUILD_FLAGS, ...DOCKER_RUN_FLAGS].map(({ name }) => `--${name}`),
  ...[...flagsOf(help())],
  // `COPY --from`, `npm run quickstart -- --undo`
  '--from',
  '--undo',
  // `git init`
  '--bare',
  // `npm run chaos`, `curl`
  '--fault',
  '--rounds',
  '--seed',
  '--unix-socket',
  // `az acr`
  '--assign-identity',
  '--auth-mode',
  '--log-template',
]);

/** Code of a page: spans, and the lines of blocks that are commands. */
function codeOf(page: string): string[] {
  const blocks = [...read(page).matchAll(/^(`{3,})(?:console)?\n([\s\S]*?)^\1$/gm)].flatMap(([, , body = '']) => body.split('\n'));
  const commands = blocks.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
  const spans = [...prose(page).matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return [...commands, ...spans];
}

/** `task COMMAND …` in a piece of code, up to where the shell begins something else. */
function invocations(code: string): string[][] {
  return [...code.matchAll(/(?:^|[\s|&(])(?:bin\/)?task ([a-z][a-z-]*[^|&;)"]*)/g)].map(([, rest = '']) => rest.trim().split(/\s+/));
}

function unknownWords(page: string): string[] {
  const code = codeOf(page);
  const wrong = code.flatMap(invocations).flatMap(([command = '', ...words]) => {
    const flags = COMMANDS.get(command);
    if (flags === undefined) return [`task ${command}`];
    return words.filter((word) => /^--[a-z]/.test(word) && !flags.has(word)).map((flag) => `task ${command} ${flag}`);
  });
  const known = new Set([...OTHERS, ...[...COMMANDS.values()].flatMap((flags) => [...flags])]);
  const loose = code.flatMap((text) => [...text.matchAll(/(?:^|\s)(--[a-z][a-z-]*)/g)].map(([, flag = '']) => flag));
  return [...wrong, ...loose.filter((flag) => !known.has(flag))];
}

describe('commands and flags', () => {
  test.each(PAGES)('of %s exist', (page) => {
    expect(unknownWords(page)).toEqual([]);
  });
});
