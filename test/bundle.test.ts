import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderWith } from './cli/task-process.ts';

const PROJECT = join(import.meta.dirname, '..');
const SLIPWAY = join(PROJECT, '.slipway');
let folder: string;

beforeAll(() => {
  mkdirSync(SLIPWAY, { recursive: true });
  folder = mkdtempSync(join(SLIPWAY, 'bundle-'));
  execFileSync(process.execPath, [join(PROJECT, 'scripts/build.mjs'), join(folder, 'dist')], { stdio: 'inherit' });
  cpSync(join(PROJECT, 'package.json'), join(folder, 'package.json'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(args: readonly string[], directory: string, home = directory) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'dist/main.cjs'), ...args], {
    cwd: directory,
    encoding: 'utf8',
    env: { HOME: home, PATH: process.env['PATH'] ?? '' },
  });
  return { status, stdout, stderr };
}

function keptIn(home: string): readonly string[] {
  const place = join(home, '.cache/slipway', `${process.version}-${process.arch}`);
  return readdirSync(place).map((name) => join(place, name));
}

test('the bundle does what the sources do, with the code that an earlier start kept and without', () => {
  const home = folderWith({ 'task.yaml': 'steps:\n  - build: -t app:{{ upper "x" }} .\n  - cmd: app echo ü “✓”\n' });
  const sources = spawnSync(process.execPath, [join(PROJECT, 'src/main.ts'), 'plan', '--output', 'json'], { cwd: home, encoding: 'utf8' });
  const first = start(['plan', '--output', 'json'], home);
  expect(first).toEqual({ status: 0, stdout: sources.stdout, stderr: sources.stderr });
  expect(keptIn(home).length).toBeGreaterThan(0);
  expect(start(['plan', '--output', 'json'], home)).toEqual(first);
});

test('kept code that is damaged is made again, and a place that cannot be written changes nothing', () => {
  const home = folderWith({ 'task.yaml': 'steps:\n  - cmd: app echo\n' });
  const plan = (at = home) => start(['plan', '--output', 'json'], home, at);
  const first = plan();
  expect(first.status).toBe(0);
  const whole = keptIn(home).map((file) => [file, readFileSync(file)] as const);
  for (const [file] of whole) truncateSync(file, 100);
  expect(plan()).toEqual(first);
  for (const [file, bytes] of whole) expect(readFileSync(file).length).toBeGreaterThan(bytes.length / 2);
  for (const [file] of whole) writeFileSync(file, 'no code at all');
  expect(plan()).toEqual(first);
  expect(plan('/dev/null')).toEqual(first);
});

test('answering --version compiles and reads nothing of the program', () => {
  const home = folderWith({});
  expect(start(['--version'], home).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(keptIn(home).filter((file) => /\/(run|build)-/.test(file))).toEqual([]);
});
