import type { ReadStream } from 'node:tty';
import type { Io } from '../io.ts';

/** What a person typed, or undefined when they pressed Ctrl-C or Ctrl-D. */
export type Typed = string | undefined;

/** Whether somebody can be asked. */
export function canAsk(io: Io): boolean {
  return isTerminal(io.stdin) && io.stderr.isTTY === true;
}

/** Asks for a line that is not shown while it is typed. Only where `canAsk` holds. */
export async function askHidden(io: Io, question: string): Promise<Typed> {
  let line = '';
  return withKeys(io, question, (key) => {
    if (key === '\r' || key === '\n') return { done: line };
    if (key === '\x03' || (key === '\x04' && line === '')) return { done: undefined };
    if (key === '\x7f' || key === '\b') line = [...line].slice(0, -1).join('');
    else if (key === '\x15') line = '';
    else if (key >= ' ') line += key;
    return undefined;
  });
}

/** Asks for one of some keys. An aborted `signal` is an answer like Ctrl-C. */
export async function askKey(io: Io, question: string, keys: readonly string[], signal?: AbortSignal): Promise<Typed> {
  return withKeys(
    io,
    question,
    (key) => {
      if (key === '\x03' || key === '\x04') return { done: undefined };
      const low = key.toLowerCase();
      return keys.includes(low) ? { done: low } : undefined;
    },
    signal,
  );
}

/** Asks yes or no; no is the answer to anything but `y`. */
export async function askYes(io: Io, question: string): Promise<boolean> {
  return (await askKey(io, `${question} [y/N] `, ['y', 'n', '\r', '\n'])) === 'y';
}

function withKeys(
  io: Io,
  question: string,
  onKey: (key: string) => { readonly done: Typed } | undefined,
  signal?: AbortSignal,
): Promise<Typed> {
  const { stdin } = io;
  if (!isTerminal(stdin)) return Promise.resolve(undefined);
  // First: a key that is pressed as soon as the question shows must be one, and not a signal.
  stdin.setRawMode(true);
  io.stderr.write(question);
  stdin.setEncoding('utf8');
  stdin.resume();
  return new Promise((resolve) => {
    const finish = (typed: Typed): void => {
      stdin.off('data', onData).off('end', onEnd);
      signal?.removeEventListener('abort', onEnd);
      stdin.setRawMode(false);
      stdin.pause();
      io.stderr.write('\n');
      resolve(typed);
    };
    const onEnd = (): void => finish(undefined);
    const onData = (text: string): void => {
      for (const key of text) {
        const answer = onKey(key);
        if (answer === undefined) continue;
        finish(answer.done);
        return;
      }
    };
    stdin.on('data', onData).on('end', onEnd);
    signal?.addEventListener('abort', onEnd, { once: true });
  });
}

function isTerminal(stream: object): stream is ReadStream {
  return 'isTTY' in stream && stream.isTTY === true && 'setRawMode' in stream;
}
