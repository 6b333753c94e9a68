import type { Writable } from 'node:stream';

/** Writes a chunk and resolves when the stream can take more. Rejects when it is gone. */
export async function writeDrained(stream: Writable, chunk: Uint8Array): Promise<void> {
  if (stream.destroyed) throw closedEarly(stream);
  if (!stream.write(chunk)) await drained(stream);
}

/** Resolves when a stream whose buffer was full has emptied it. Rejects when it is gone. */
export async function drained(stream: Writable): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const settle = (): void => {
      stream.off('drain', settle);
      stream.off('close', settle);
      if (stream.destroyed) reject(closedEarly(stream));
      else resolve();
    };
    stream.on('drain', settle);
    stream.on('close', settle);
  });
}

function closedEarly(stream: Writable): Error {
  return stream.errored ?? new Error('the other side closed the stream');
}
