import { TextDecoder } from 'node:util';
import type { LogChunk, LogPage } from '../../model/ports/log-store.ts';
import { RUN_EVENT_VERSION, type RunEvent } from '../../model/run-event.ts';

type StoredChunk = LogPage['chunks'][number];
const LF = '\n';

/** Turns chunks of a log into the events that a run on this machine would have told of. One for each reader of a stream. */
export interface StepOutput {
  /** `seq` is that of the last numbered event: output has no number of its own. */
  eventOf(run: string, seq: number, chunk: StoredChunk): RunEvent | undefined;
  /** Reads a chunk for the beginning of a character that the next one ends, and tells nothing. */
  skip(chunk: LogChunk): void;
}

export function createStepOutput(): StepOutput {
  const decoders = new Map<string, TextDecoder>();
  const decode = ({ step, attempt, stream, bytes }: LogChunk): string => {
    const key = `${step}\0${attempt}\0${stream}`;
    let decoder = decoders.get(key);
    if (decoder === undefined) {
      decoder = new TextDecoder('utf-8', { ignoreBOM: true });
      decoders.set(key, decoder);
    }
    return decoder.decode(bytes, { stream: true });
  };
  return {
    skip: (chunk) => void decode(chunk),
    eventOf: (run, seq, chunk) => {
      const base = { version: RUN_EVENT_VERSION, seq, at: chunk.at, run, step: chunk.step } as const;
      if (chunk.marker !== undefined) {
        return { ...base, type: 'note', level: 'warning', message: Buffer.from(chunk.bytes).toString('utf8').trim() };
      }
      const text = decode(chunk);
      if (text === '') return undefined;
      const whole = text.endsWith(LF);
      return {
        ...base,
        type: 'step-output',
        attempt: chunk.attempt,
        stream: chunk.stream,
        text: whole ? text.slice(0, -1) : text,
        ...(whole ? {} : { partial: true as const }),
      };
    },
  };
}
