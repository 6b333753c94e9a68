import type { Readable } from 'node:stream';
import { EngineError } from '../../../model/engine-error.ts';

/** A body that is given up when its sender goes away or says nothing for `silenceMs`. */
export function guardedUpload(
  body: Readable,
  silenceMs: number,
): { readonly content: AsyncIterable<Uint8Array>; readonly signal: AbortSignal } {
  const controller = new AbortController();
  const giveUp = (because: string): void => {
    const error = new EngineError('context-rejected', because, { help: 'Send the context again.', transient: true });
    controller.abort(error);
    body.destroy(error);
  };
  async function* content(): AsyncGenerator<Uint8Array> {
    let timer: NodeJS.Timeout | undefined;
    const watch = (): void => {
      timer = setTimeout(giveUp, silenceMs, `the sender said nothing for ${silenceMs / 1000} s`);
    };
    watch();
    try {
      for await (const chunk of body) {
        clearTimeout(timer);
        yield chunk;
        watch();
      }
    } finally {
      clearTimeout(timer);
    }
  }
  body.once('aborted', () => giveUp('the sender went away in the middle of the context'));
  return { content: content(), signal: controller.signal };
}
