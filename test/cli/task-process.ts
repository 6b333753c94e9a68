import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

const LAUNCHER = join(import.meta.dirname, '../../bin/task');

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly launcher?: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when standard output so far contains the text; rejects when the program ends before. */
  waitFor(text: string): Promise<void>;
}

const folders: string[] = [];
const children = new Set<ChildProcess>();
afterAll(() => {
  // A test that timed out must not leave its run behind.
  for (const child of children) child.kill('SIGINT');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder with the given files; removed after the tests of the file. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-cli-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Starts the real program with a home of its own and without the caller's settings. */
export function startTask(args: readonly string[], options: StartOptions = {}): Running {
  const home = folderWith({});
  const child = spawn(options.launcher ?? LAUNCHER, args, {
    cwd: options.cwd ?? home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, TZ: 'UTC', ...options.env },
    stdio: 'pipe',
  });
  children.add(child);
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const watcher of watchers) watcher();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      children.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
  const waitFor = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!stdout.includes(text)) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      void finished.then((end) => reject(new Error(`the program ended without saying ${text}: ${JSON.stringify(end)}`)));
      look();
    });
  return { process: child, finished, waitFor };
}

export function runTask(args: readonly string[], options: StartOptions = {}): Promise<Finished> {
  return startTask(args, options).finished;
}
