import type { IncomingMessage } from 'node:http';
import { EngineError } from '../../model/engine-error.ts';
import type { BodyHold } from './body-room.ts';
import { RetryLater } from './problem.ts';

/** Time in which a sender has to send a little at least, and how much for each second of it. */
const LONGEST_WINDOW_MS = 5000;
const LEAST_BYTES_A_SECOND = 4096;
const RETRY_SECONDS = 5;

interface BodyLimits {
  /** Beyond it a body is refused. */
  readonly most: number;
  /** Beyond it nothing is read now, and the body is to be sent again. */
  readonly now: number;
  /** Longest time for the whole body. */
  readonly ms: number;
}

/**
 * Reads the body of a delivery into memory that is taken as it arrives. `open` is given what to call when another needs the memory more. Rejects
 * with `too-large`, or with RetryLater when there is no room; who sends hardly anything is cut off. The hold of what was read is the caller's to
 * release.
 */
export function readHookBody(payload: IncomingMessage, limits: BodyLimits, open: (giveUp: () => void) => BodyHold): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const pieces: Buffer[] = [];
  let bytes = 0;
  const hold = open(() => end(noRoom()));
  const stopWatching = watchRate(payload, () => bytes, limits.ms);

  function end(error: Error): void {
    stopWatching();
    payload.off('data', onData);
    pieces.length = 0;
    hold.release();
    reject(error);
  }

  function onData(piece: Buffer): void {
    bytes += piece.length;
    if (bytes > limits.most) end(tooLarge());
    else if (bytes > limits.now || !hold.grow(piece.length)) end(noRoom());
    else pieces.push(piece);
  }

  payload.on('data', onData);
  payload.once('end', () => {
    stopWatching();
    hold.complete();
    resolve(Buffer.concat(pieces));
  });
  // A connection that broke.
  payload.once('close', () => {
    if (!payload.readableEnded) end(new EngineError('invalid-request', 'the body ended early'));
  });
  payload.once('error', end);
  return promise;
}

export function tooLarge(): EngineError {
  return new EngineError('too-large', 'the body of the request is larger than this route takes');
}

export function noRoom(): RetryLater {
  return new RetryLater('overloaded', 'too many deliveries are being read', RETRY_SECONDS);
}

/** Returns what ends it. */
function watchRate(payload: IncomingMessage, bytes: () => number, ms: number): () => void {
  const windowMs = Math.min(LONGEST_WINDOW_MS, ms / 2);
  const least = (windowMs / 1000) * LEAST_BYTES_A_SECOND;
  let before = 0;
  let later: NodeJS.Immediate | undefined;
  const interval = setInterval(() => {
    // What came while the process was busy is looked at first.
    later = setImmediate(() => {
      if (bytes() - before < least) payload.destroy();
      before = bytes();
    });
  }, windowMs);
  return () => {
    clearInterval(interval);
    clearImmediate(later);
  };
}
