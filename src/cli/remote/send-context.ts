import type { Io } from '../io.ts';
import { formatBytes } from '../terminal/format-duration.ts';
import { printable } from '../terminal/terminal-filter.ts';
import type { DaemonClient } from './client.ts';
import { contextTooLarge, type PackedContext } from './context-upload.ts';
import { DaemonProblem } from './problem.ts';

const PROGRESS_MS = 200;

/** Sends a packed context unless the daemon has it; returns how a request names it. Progress goes to standard error. */
export async function sendContext(
  client: DaemonClient,
  context: PackedContext,
  io: Io,
  options: { readonly quiet: boolean; readonly signal: AbortSignal },
): Promise<string> {
  const { signal } = options;
  const say = (text: string): void => {
    if (!options.quiet) io.stderr.write(`${text}\n`);
  };
  if (context.leftOut.length > 0) {
    const more = context.leftOut.length > 3 ? ` and ${context.leftOut.length - 3} more` : '';
    say(
      `${io.paintError('yellow', 'warning:')} pipes and devices are not sent: ${printable(context.leftOut.slice(0, 3).join(', '))}${more}`,
    );
  }
  const path = `/uploads/${context.sha256}`;
  const size = `${formatBytes(context.length)} in ${context.files} ${context.files === 1 ? 'file' : 'files'}`;
  if (await isThere(client, path, context, signal)) {
    say(io.paintError('dim', `context: ${size}, unchanged`));
    return `upload:${context.sha256}`;
  }
  const progress = createProgress(context.length, io, options.quiet);
  try {
    await client.call({
      method: 'PUT',
      path,
      content: { length: context.length, open: () => progress.watch(context.open()) },
      headers: { 'content-type': 'application/x-tar' },
      signal,
      // The daemon says nothing before it has written everything.
      idleTimeoutMs: 300_000,
    });
  } catch (error) {
    if (error instanceof DaemonProblem && error.code === 'too-large') throw contextTooLarge(context, error.message);
    throw error;
  } finally {
    progress.end();
  }
  say(io.paintError('dim', `context: ${size}, sent`));
  return `upload:${context.sha256}`;
}

/** Asks the daemon; rejects with `too-large` when it would not take the context. */
async function isThere(client: DaemonClient, path: string, context: PackedContext, signal: AbortSignal): Promise<boolean> {
  try {
    await client.call({ method: 'HEAD', path, signal });
    return true;
  } catch (error) {
    if (!(error instanceof DaemonProblem) || error.status !== 404) throw error;
    const limit = Number(error.headers['x-upload-limit'] ?? Number.NaN);
    if (context.length > limit) throw contextTooLarge(context, `the daemon takes at most ${formatBytes(limit)}`);
    return false;
  }
}

/** One line that is drawn again while bytes go out; nothing where nobody looks. */
function createProgress(total: number, io: Io, quiet: boolean) {
  const shown = !quiet && io.stderr.isTTY === true;
  let sent = 0;
  let drawnAt = 0;
  const draw = (): void => {
    const now = performance.now();
    if (!shown || now - drawnAt < PROGRESS_MS) return;
    drawnAt = now;
    io.stderr.write(`\r\x1b[Ksending the context: ${formatBytes(sent)} of ${formatBytes(total)}`);
  };
  return {
    async *watch(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
      sent = 0;
      for await (const chunk of bytes) {
        yield chunk;
        sent += chunk.length;
        draw();
      }
    },
    end: (): void => {
      if (drawnAt > 0) io.stderr.write('\r\x1b[K');
    },
  };
}
