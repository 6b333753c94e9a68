import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../../src/model/run-event.ts';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export interface FinishedProgram {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What `--output json` printed. */
  readonly events: readonly RunEvent[];
}

/** The program under test as a real child process, whose events can be awaited while it runs. */
export interface RunningProgram {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** The first event that fits, also one that came before the call; rejects when the program ends without it. */
  waitForEvent(fits: (event: RunEvent) => boolean): Promise<RunEvent>;
  readonly finished: Promise<FinishedProgram>;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts `bin/task` with `--output json` appended. */
export function startTask(args: readonly string[], options: ProgramOptions = {}): RunningProgram {
  const child = spawn(`${projectRoot}/bin/task`, [...args, '--output', 'json'], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const events: RunEvent[] = [];
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  let stderr = '';
  let ended = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
    lines.push(line);
    if (line.startsWith('{')) events.push(JSON.parse(line) as RunEvent);
    for (const watcher of watchers) watcher();
  });
  const finished = new Promise<FinishedProgram>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => {
      ended = true;
      for (const watcher of watchers) watcher();
      resolve({ exitCode, signal, stdout: lines.join('\n'), stderr, events });
    });
  });
  const waitForEvent = (fits: (event: RunEvent) => boolean): Promise<RunEvent> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = events.find(fits);
        if (found !== undefined) resolve(found);
        else if (ended) reject(new Error(`the program ended without the event; it wrote:\n${lines.join('\n')}\n${stderr}`));
        else return;
        watchers.delete(look);
      };
      watchers.add(look);
      look();
    });
  return { child, waitForEvent, finished };
}

/** Runs `bin/task` with `--output json` to its end. */
export function runTask(args: readonly string[], options: ProgramOptions = {}): Promise<FinishedProgram> {
  return startTask(args, options).finished;
}
