import type { OutputStream } from '../terminal/paint.ts';

/** Writes text to a stream; a returned promise waits until a slow reader has caught up. */
export function writeText(stream: OutputStream, text: string): void | Promise<void> {
  if (text === '' || stream.write(text)) return;
  return new Promise((resolve) => stream.once('drain', resolve));
}
