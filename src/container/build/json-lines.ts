/** A line of the engine's progress is far shorter; more than this without a line end is no progress stream. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** One message of the engine's build stream (`POST /build`). */
export interface BuildMessage {
  readonly id?: string;
  readonly stream?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
  readonly errorDetail?: { readonly code?: number; readonly message?: string };
  readonly aux?: unknown;
}

/** Cuts a stream into lines of JSON. Rejects with SyntaxError for a line that is none. */
export async function* readJsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<BuildMessage> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      pieces.push(rest.subarray(0, end));
      yield* parseLine(pieces);
      pieces = [];
      length = 0;
      rest = rest.subarray(end + 1);
    }
    length += rest.length;
    if (length > MAX_LINE_BYTES) throw new SyntaxError(`the engine sent a line of more than ${MAX_LINE_BYTES} bytes`);
    if (rest.length > 0) pieces.push(rest);
  }
  yield* parseLine(pieces);
}

function* parseLine(pieces: readonly Buffer[]): Generator<BuildMessage> {
  const text = Buffer.concat(pieces).toString('utf8').trim();
  if (text === '') return;
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null) yield value as BuildMessage;
}
