import type { BuildIo } from '../../model/ports/container-engine.ts';
import { LogTail } from './log-tail.ts';

const KEPT_BYTES = 64 * 1024;
const KEPT_LINES = 500;

/** `--quiet`: output is held back, shown only when the build fails; a build that succeeds prints its image id. */
export function quietIo(io: BuildIo): { readonly io: BuildIo; flush(): Promise<void>; succeed(imageId: string): Promise<void> } {
  const held = new LogTail(KEPT_BYTES);
  return {
    io: { signal: io.signal, onOutput: (_stream, chunk) => held.add(chunk), onProgress: (progress) => io.onProgress(progress) },
    flush: async () => {
      const lines = held.lines(KEPT_LINES);
      if (lines.length > 0) await io.onOutput('stderr', Buffer.from(`${lines.join('\n')}\n`, 'utf8'));
    },
    succeed: async (imageId) => {
      if (imageId !== '') await io.onOutput('stdout', Buffer.from(`${imageId}\n`, 'utf8'));
    },
  };
}
