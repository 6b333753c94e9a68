import { close, createWriteStream, existsSync, mkdirSync, open, type WriteStream, write, writev } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RunEvent } from '../../model/run-event.ts';

const BUFFERED_BYTES = 1024 * 1024;

/** Where the full output of steps is. */
export interface LogPlaces {
  readonly directory: string;
  readonly hasFiles: boolean;
  /** Undefined while a step has said nothing. */
  fileOf(step: string): string | undefined;
}

interface LogFile {
  readonly path: string;
  written: boolean;
  stream: WriteStream | undefined;
  /** Its stream until the step ended, which may still be writing. */
  ended: WriteStream | undefined;
}

/**
 * Writes the whole output of each step to a file of its own, as it comes and without looking at its lines.
 * A returned promise holds the run back while the disk is slower than the step: memory stays bounded.
 * A disk that refuses to be written ends the logs, not the run: `onBroken` is told once.
 */
export class StepLogs implements LogPlaces {
  readonly directory: string;
  readonly #files = new Map<string, LogFile>();
  readonly #onBroken: (message: string) => void;
  #ending: WriteStream[] = [];
  #broken = false;

  constructor(directory: string, onBroken: (message: string) => void) {
    this.directory = directory;
    this.#onBroken = onBroken;
  }

  write(event: RunEvent): void | Promise<void> {
    if (event.type === 'run-started') this.#nameFiles(event.steps);
    if (event.type === 'step-finished') this.#endOf(event.step);
    if (event.type !== 'step-output' || this.#broken) return;
    const stream = this.#open(event.step);
    if (stream === undefined || stream.write(event.partial === true ? event.text : `${event.text}\n`)) return;
    return new Promise((resolve) => {
      const done = (): void => {
        stream.off('drain', done).off('close', done);
        resolve();
      };
      stream.on('drain', done).on('close', done);
    });
  }

  /** The file of a step's output; undefined while there is none. */
  fileOf(step: string): string | undefined {
    const file = this.#files.get(step);
    return file?.written !== true || this.#broken ? undefined : file.path;
  }

  get hasFiles(): boolean {
    return !this.#broken && [...this.#files.values()].some((file) => file.written);
  }

  /** Resolves when everything is on its way to the disk. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#files.values()]
        .map(({ stream }) => {
          stream?.end();
          return stream;
        })
        .concat(this.#ending)
        .map((stream) =>
          stream === undefined || stream.closed ? undefined : new Promise<void>((resolve) => stream.once('close', resolve)),
        ),
    );
  }

  /** A detached step may speak on after its end: its file is then opened again. */
  #endOf(step: string): void {
    const file = this.#files.get(step);
    if (file?.stream === undefined) return;
    this.#ending = this.#ending.filter((stream) => !stream.closed).concat(file.stream);
    file.stream.end();
    file.ended = file.stream;
    file.stream = undefined;
  }

  #nameFiles(steps: readonly { readonly id: string }[]): void {
    const digits = String(steps.length).length;
    for (const [index, { id }] of steps.entries()) {
      const name = id.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 100);
      const path = join(this.directory, `${String(index + 1).padStart(digits, '0')}-${name}.log`);
      this.#files.set(id, { path, written: false, stream: undefined, ended: undefined });
    }
  }

  #open(step: string): WriteStream | undefined {
    const file = this.#files.get(step);
    if (file === undefined || file.stream !== undefined) return file?.stream;
    try {
      makeFolders(this.directory);
    } catch (error) {
      this.#break(error);
      return undefined;
    }
    const { ended } = file;
    const after = ended === undefined || ended.closed ? {} : { fs: openingAfter(ended) };
    const stream = createWriteStream(file.path, { flags: 'a', highWaterMark: BUFFERED_BYTES, mode: 0o600, ...after });
    stream.on('error', (error) => this.#break(error));
    file.stream = stream;
    file.written = true;
    return stream;
  }

  #break(error: unknown): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#onBroken(`logs cannot be written to ${this.directory}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Opens the file only when the stream before has written everything: two that append would mix their lines. */
function openingAfter(before: WriteStream) {
  const openAfter = (...args: Parameters<typeof open>): void => void before.once('close', () => open(...args));
  return { open: openAfter, write, writev, close };
}

/** Node's own recursive `mkdir` never returns below a folder that takes none, such as /proc. */
function makeFolders(path: string): void {
  if (existsSync(path)) return;
  if (!existsSync(dirname(path))) makeFolders(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another run has just made it.
    if (!existsSync(path)) throw error;
  }
}
