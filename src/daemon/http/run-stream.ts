import type { LogPage, LogStore } from '../../model/ports/log-store.ts';
import type { RunEvent } from '../../model/run-event.ts';
import { isTerminal } from '../../model/run-record.ts';
import type { HubMessage, HubSubscription, RunHub } from '../../service/runs/hub.ts';
import type { RunService } from '../../service/runs/run-service.ts';
import { createHeartbeat, HEARTBEAT } from './heartbeat.ts';
import { createStepOutput } from './step-output.ts';

const EVENTS_AT_ONCE = 200;
/** Times the number of readers that take nothing: what they cost. */
const LOG_BYTES_AT_ONCE = 32 * 1024;
/** Bytes before a place in the log that are read again for a character which was cut there. */
const LOOK_BACK = 64 * 1024;

/** A place in the stream of a run: after the event `seq` and the byte `logOffset`. */
export interface StreamPlace {
  readonly seq: number;
  readonly logOffset: number;
}

export interface RunStreamParts {
  readonly runs: Pick<RunService, 'events' | 'get'>;
  readonly logs: Pick<LogStore, 'read'>;
  readonly hub: Pick<RunHub, 'subscribe'>;
}

export interface RunStreamOptions {
  readonly run: string;
  readonly from: StreamPlace;
  readonly logs: boolean;
  readonly heartbeatMs: number;
}

/** `<seq>.<logOffset>`; undefined for what is none. */
export function parsePlace(id: string): StreamPlace | undefined {
  const [, seq, logOffset] = /^(\d{1,15})\.(\d{1,15})$/.exec(id) ?? [];
  return seq === undefined || logOffset === undefined ? undefined : { seq: Number(seq), logOffset: Number(logOffset) };
}

/**
 * The events of one run as server-sent events, until the run has ended and all is told. Pulls from the store and the log: what a reader does not
 * take is not read. Output is merged where it belongs (LogChunk.afterEvent); progress is told when it happens and has no id.
 */
export async function* runStream(parts: RunStreamParts, options: RunStreamOptions, signal: AbortSignal): AsyncGenerator<string> {
  // Subscribed before the first read: what happens in between wakes this stream.
  let news = parts.hub.subscribe(options.run);
  const stream = new RunStream(parts, options);
  try {
    yield 'retry: 1000\n\n';
    await stream.prime();
    for (let events = true; !signal.aborted; ) {
      yield* events ? stream.tellStored(signal) : stream.tellNewOutput();
      if (stream.ended) return;
      const answer = yield* waitForNews(news, options.heartbeatMs, signal);
      if (answer === 'closed') return;
      if (answer === 'behind') news = parts.hub.subscribe(options.run);
      else for (const event of progressOf(answer)) yield message(event);
      // A log that grows fast wakes often, and says nothing of events.
      events = answer === 'behind' || answer.some((one) => one.kind === 'status' || (one.kind === 'event' && one.stored));
    }
  } finally {
    news.close();
  }
}

/** Takes what the hub has, telling the reader meanwhile that the connection lives. */
async function* waitForNews(
  news: HubSubscription,
  heartbeatMs: number,
  signal: AbortSignal,
): AsyncGenerator<string, Awaited<ReturnType<HubSubscription['take']>>> {
  const taken = news.take(signal);
  const heartbeat = createHeartbeat(heartbeatMs);
  try {
    for (;;) {
      const first = await Promise.race([taken, heartbeat.next()]);
      if (first !== 'beat') return first;
      yield HEARTBEAT;
    }
  } finally {
    heartbeat.stop();
  }
}

function progressOf(messages: readonly HubMessage[]): readonly RunEvent[] {
  return messages.flatMap((one) => (one.kind === 'event' && !one.stored ? [one.event] : []));
}

class RunStream {
  readonly #parts: RunStreamParts;
  readonly #options: RunStreamOptions;
  readonly #output = createStepOutput();
  #seq: number;
  #logOffset: number;
  ended = false;

  constructor(parts: RunStreamParts, options: RunStreamOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#seq = options.from.seq;
    this.#logOffset = options.from.logOffset;
  }

  /** Finds characters that the last place cut in two. */
  async prime(): Promise<void> {
    if (!this.#options.logs || this.#logOffset === 0) return;
    const from = Math.max(0, this.#logOffset - LOOK_BACK);
    const page = await this.#readLog(from, this.#logOffset - from);
    for (const chunk of page.chunks) {
      const length = Math.min(chunk.bytes.length, this.#logOffset - chunk.offset);
      if (chunk.marker === undefined && length > 0) this.#output.skip({ ...chunk, bytes: chunk.bytes.subarray(0, length) });
    }
  }

  /** All that is there now, in order. */
  async *tellStored(signal: AbortSignal): AsyncGenerator<string> {
    const { run, logs } = this.#options;
    while (!signal.aborted) {
      // The row first: once it says that the run has ended, all of its events and output are there.
      const over = isTerminal(await this.#parts.runs.get(run));
      const events = await this.#parts.runs.events(run, { after: this.#seq, limit: EVENTS_AT_ONCE });
      for (const event of events) {
        // Told when the row says so too: who then asks for the run sees how it ended.
        if (event.type === 'run-finished' && !over) return;
        // Whatever was logged before an event is in the log by the time the event is stored.
        if (logs) yield* this.#tellOutput(event.type === 'run-finished' ? Number.POSITIVE_INFINITY : event.seq - 1);
        this.#seq = event.seq;
        this.ended ||= event.type === 'run-finished';
        yield message(event, this.#place());
      }
      if (events.length === EVENTS_AT_ONCE) continue;
      if (logs) yield* this.#tellOutput(over ? Number.POSITIVE_INFINITY : this.#seq);
      this.ended ||= over;
      return;
    }
  }

  /** Output since, when nothing else is new. */
  async *tellNewOutput(): AsyncGenerator<string> {
    if (this.#options.logs) yield* this.#tellOutput(this.#seq);
  }

  /** Output that belongs before the event after `seq`. */
  async *#tellOutput(seq: number): AsyncGenerator<string> {
    for (;;) {
      const page = await this.#readLog(this.#logOffset, LOG_BYTES_AT_ONCE);
      for (const chunk of page.chunks) {
        if (chunk.afterEvent > seq) return;
        this.#logOffset = chunk.offset + chunk.bytes.length;
        const event = this.#output.eventOf(this.#options.run, this.#seq, chunk);
        if (event !== undefined) yield message(event, this.#place());
      }
      if (page.chunks.length === 0) return;
    }
  }

  #readLog(offset: number, limit: number): Promise<LogPage> {
    return this.#parts.logs.read(this.#options.run, { offset, limit });
  }

  #place(): StreamPlace {
    return { seq: this.#seq, logOffset: this.#logOffset };
  }
}

function message(event: RunEvent, place?: StreamPlace): string {
  const id = place === undefined ? '' : `id: ${place.seq}.${place.logOffset}\n`;
  return `${id}data: ${JSON.stringify(event)}\n\n`;
}
