import { Readable } from 'node:stream';
import type { Io } from '../../../src/cli/io.ts';
import { createPaint } from '../../../src/cli/terminal/paint.ts';
import { collected } from '../collected-stream.ts';

/** The outside of a command, in memory. */
export function remoteIo(options: { readonly directory?: string; readonly environment?: NodeJS.ProcessEnv; readonly stdin?: string } = {}) {
  const stdout = collected();
  const stderr = collected();
  const io: Io = {
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout,
    stderr,
    environment: options.environment ?? {},
    directory: options.directory ?? '/',
    paint: createPaint(false),
    paintError: createPaint(false),
    onReaderGone: () => undefined,
  };
  return { io, stdout, stderr };
}
