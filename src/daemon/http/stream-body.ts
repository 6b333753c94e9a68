import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/**
 * The body of a streamed answer: pulled from `parts` as fast as the reader takes it, nothing ahead but one part and what the socket holds. A
 * reader that takes nothing for `stallMs` is cut off. `signal` aborts when the reader goes, however it goes; `onEnd` is called once. `breaksOff`:
 * an answer that `closing` cuts short ends as a broken one, for readers to whom its end means that they have everything.
 */
export function streamBody(
  reply: FastifyReply,
  parts: (signal: AbortSignal) => AsyncIterable<string | Uint8Array>,
  options: { readonly stallMs: number; readonly closing: AbortSignal; readonly breaksOff: boolean; onEnd(): void },
): Readable {
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, options.closing]);
  reply.raw.once('close', () => {
    gone.abort();
    options.onEnd();
  });
  const cutOff = (): void => {
    reply.raw.destroy();
  };
  async function* guarded(): AsyncGenerator<string | Uint8Array> {
    for await (const part of parts(signal)) {
      const stalled = setTimeout(cutOff, options.stallMs);
      try {
        yield part;
      } finally {
        clearTimeout(stalled);
      }
    }
    if (options.breaksOff && options.closing.aborted) cutOff();
  }
  return Readable.from(guarded(), { highWaterMark: 1 });
}
