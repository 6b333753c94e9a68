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
  const { stdin, stdout, stderr, env } = process;
  let readerGone = (): void => process.exit();
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // EPIPE: `task … | head`; EIO: the terminal was closed.
      if (error.code === 'EPIPE' || error.code === 'EIO') readerGone();
      else throw error;
    });
  }
  return {
    stdin,
    stdout,
    stderr,
    environment: env,
    directory: process.cwd(),
    paint: createPaint(wantsColor(stdout, env)),
    paintError: createPaint(wantsColor(stderr, env)),
    onReaderGone: (listener) => {
      readerGone = listener;
    },
  };
}
