import type { Io } from '../io.ts';
import { askKey, canAsk } from './prompts.ts';

const QUESTION = 'Cancel the run (c), only leave it (l), or go on watching (any other key)? ';
const KEYS = [...'cl abdefghijkmnopqrstuvwxyz\r\n'];

/** What a person's signals do to a run on a daemon. */
export interface LeaveOrCancel {
  /** Aborted when this program is to leave; the run goes on. */
  readonly left: AbortSignal;
  /** While a question is open: what is printed meanwhile would hide it. */
  readonly asking: Promise<void> | undefined;
  dispose(): void;
}

/**
 * Ctrl-C at a terminal asks whether to cancel the run or only to leave it; Ctrl-C as the answer cancels. Where nobody can be asked SIGINT cancels, as it
 * does on this machine. SIGTERM cancels, SIGHUP (the terminal is gone) leaves. While the run is being cancelled, a further signal leaves.
 */
export function listenForLeave(io: Io, on: { cancel(): void; pauseOutput(): void; say(message: string): void }): LeaveOrCancel {
  const left = new AbortController();
  let canceled = false;
  let asking: Promise<void> | undefined;
  let question = new AbortController();
  const leave = (message: string): void => {
    on.say(message);
    left.abort(new Error('left the run'));
  };
  const cancel = (): void => {
    if (canceled) {
      leave('Leaving while the run is being cancelled.');
      return;
    }
    canceled = true;
    on.say('Cancelling the run. Ctrl-C again to leave.');
    on.cancel();
  };
  const onInterrupt = (): void => {
    if (asking !== undefined) {
      // Ctrl-C sent by something else than the keyboard is the same answer.
      question.abort();
      return;
    }
    if (canceled || !canAsk(io)) {
      cancel();
      return;
    }
    on.pauseOutput();
    question = new AbortController();
    asking = askKey(io, QUESTION, KEYS, question.signal).then((key) => {
      asking = undefined;
      if (key === undefined || key === 'c') cancel();
      else if (key === 'l') leave('Left: the run goes on.');
    });
  };
  const onHangup = (): void => leave('');
  process.on('SIGINT', onInterrupt).on('SIGTERM', cancel).on('SIGHUP', onHangup);
  io.onReaderGone(cancel);
  return {
    left: left.signal,
    get asking() {
      return asking;
    },
    dispose: () => void process.off('SIGINT', onInterrupt).off('SIGTERM', cancel).off('SIGHUP', onHangup),
  };
}
