import { isAbsolute } from 'node:path';
import type { Readable } from 'node:stream';
import { createPaint, type OutputStream, type Paint, wantsColor } from './terminal/paint.ts';

/** The outside of the program as commands see it. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly environment: NodeJS.ProcessEnv;
  /** Current directory, absolute. */
  readonly directory: string;
  /** Styles for standard output. */
  readonly paint: Paint;
  /** Styles for standard error. */
  readonly paintError: Paint;
  /** Called once when the reader of standard output has gone; until somebody listens the process ends quietly. */
  onReaderGone(listener: () => void): void;
}

export function processIo(): Io {
  const { stdout, stderr, env } = process;
  let readerGone = (): void => process.exit();
  const guard = (stream: NodeJS.WriteStream): OutputStream => guardReader(stream, () => readerGone());
  return {
    // Made by Node when it is asked for, which most commands never do.
    get stdin() {
      return process.stdin;
    },
    stdout: guard(stdout),
    stderr: guard(stderr),
    environment: env,
    directory: currentDirectory(env),
    paint: createPaint(wantsColor(stdout, env)),
    paintError: createPaint(wantsColor(stderr, env)),
    onReaderGone: (listener) => {
      readerGone = listener;
    },
  };
}

/** A folder that was removed while somebody stood in it keeps its name: commands say of it what is missing. */
function currentDirectory(environment: NodeJS.ProcessEnv): string {
  try {
    return process.cwd();
  } catch {
    const named = environment['PWD'] ?? '';
    return isAbsolute(named) ? named : '/';
  }
}

type RawStream = Pick<OutputStream, 'isTTY' | 'columns' | 'rows' | 'write'> & NodeJS.EventEmitter;

/** After its reader has gone (`task … | head`, a closed terminal) a stream takes everything and holds nobody up. */
export function guardReader(stream: RawStream, onGone: () => void): OutputStream {
  let gone = false;
  // Dozens of steps may wait at once: one listener wakes them all.
  let waiting: (() => void)[] = [];
  const resume = (): void => {
    const woken = waiting;
    waiting = [];
    for (const listener of woken) listener();
  };
  stream.on('drain', resume);
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    if (gone) return;
    gone = true;
    resume();
    onGone();
  });
  return {
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
    get rows() {
      return stream.rows;
    },
    write: (text) => gone || stream.write(text),
    once: (_event, listener) => {
      if (gone) listener();
      else waiting.push(listener);
    },
    on: (event, listener) => stream.on(event, listener),
    off: (event, listener) => stream.off(event, listener),
  };
}
