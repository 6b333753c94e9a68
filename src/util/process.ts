import type { Readable } from 'node:stream';

/**
 * One child process to run. `env` is its whole environment: nothing is inherited. Arguments are visible to every user
 * of the machine, so secrets go through `input` or `env` only.
 */
export interface ProcessRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Written to standard input, which is then closed; empty by default. */
  readonly input?: string | Uint8Array | Readable;
  readonly signal?: AbortSignal;
  /** Milliseconds; no limit by default. */
  readonly timeoutMs?: number;
  /** Bytes of standard output and of standard error that are kept; more ends the process. 10 MiB by default. */
  readonly maxOutput?: number;
  /** Milliseconds between SIGTERM and SIGKILL; 10 s by default. */
  readonly graceMs?: number;
}

/** How the process ended; every way has the output so far. A non-zero exit code is an outcome, not an error. */
export type ProcessOutcome = { readonly stdout: Buffer; readonly stderr: string } & (
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signaled'; readonly signal: string }
  | { readonly kind: 'canceled' }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'too-much-output' }
  /** Never ran: `reason` is the system's code, for example `ENOENT`. */
  | { readonly kind: 'not-started'; readonly reason: string }
);

/**
 * Runs a program without a shell in a process group of its own. On cancel, time-out or too much output the whole group
 * gets SIGTERM, and SIGKILL after the grace. Never rejects.
 */
export async function runProcess(request: ProcessRequest): Promise<ProcessOutcome> {
  // Loaded when first needed: it costs a command that starts no process about 90 ms.
  const { execa } = await import('execa');
  const subprocess = execa(request.file, [...request.args], {
    env: request.env,
    extendEnv: false,
    cwd: request.cwd ?? process.cwd(),
    encoding: 'buffer',
    reject: false,
    shell: false,
    stripFinalNewline: false,
    killDescendants: true,
    forceKillAfterDelay: request.graceMs ?? 10_000,
    maxBuffer: request.maxOutput ?? 10 * 1024 * 1024,
    ...stdinOf(request.input),
    ...(request.timeoutMs === undefined ? {} : { timeout: request.timeoutMs }),
    ...(request.signal === undefined ? {} : { cancelSignal: request.signal }),
  });
  // Execa stops counting down to SIGKILL when the leader has gone; members of the group that ignore SIGTERM remain.
  const result = await subprocess;
  if (result.isTerminated || result.isCanceled || result.timedOut || result.isMaxBuffer) killGroup(subprocess.pid);
  return outcomeOf(result);
}

function stdinOf(input: ProcessRequest['input']): { input: string | Uint8Array | Readable } | { stdin: 'ignore' } {
  return input === undefined ? { stdin: 'ignore' } : { input };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined || process.platform === 'win32') return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has ended.
  }
}

interface EndedProcess {
  readonly stdout?: unknown;
  readonly stderr?: unknown;
  readonly isCanceled: boolean;
  readonly timedOut: boolean;
  readonly isMaxBuffer: boolean;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly code?: string | undefined;
}

function outcomeOf(result: EndedProcess): ProcessOutcome {
  const output = { stdout: bytesOf(result.stdout), stderr: bytesOf(result.stderr).toString('utf8') };
  if (result.isCanceled) return { kind: 'canceled', ...output };
  if (result.timedOut) return { kind: 'timed-out', ...output };
  if (result.isMaxBuffer) return { kind: 'too-much-output', ...output };
  if (result.exitCode !== undefined) return { kind: 'exited', exitCode: result.exitCode, ...output };
  if (result.signal !== undefined) return { kind: 'signaled', signal: result.signal, ...output };
  return { kind: 'not-started', reason: result.code ?? 'unknown', ...output };
}

function bytesOf(value: unknown): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.alloc(0);
}
