/** A message of a session is far smaller; a length beyond this is a broken or hostile peer. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
const PREFIX_BYTES = 5;

/** Cuts a byte stream into gRPC's length-prefixed messages. Rejects for compressed, oversized or truncated ones. */
export async function* splitMessages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pending: Buffer = Buffer.alloc(0);
  let wanted = PREFIX_BYTES;
  const waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  for await (const chunk of chunks) {
    waiting.push(chunk);
    waitingBytes += chunk.length;
    if (waitingBytes < wanted) continue;
    pending = waiting.length === 1 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat(waiting);
    let offset = 0;
    wanted = PREFIX_BYTES;
    while (pending.length - offset >= PREFIX_BYTES) {
      const length = messageLength(pending, offset);
      if (pending.length - offset < PREFIX_BYTES + length) {
        wanted = PREFIX_BYTES + length;
        break;
      }
      yield pending.subarray(offset + PREFIX_BYTES, offset + PREFIX_BYTES + length);
      offset += PREFIX_BYTES + length;
    }
    waiting.length = 0;
    waitingBytes = pending.length - offset;
    if (waitingBytes > 0) waiting.push(pending.subarray(offset));
  }
  if (waitingBytes > 0) throw new RangeError('gRPC: the stream ends inside a message');
}

function messageLength(buffer: Buffer, offset: number): number {
  if (buffer[offset] !== 0) throw new RangeError('gRPC: a compressed message came without having been offered');
  const length = buffer.readUInt32BE(offset + 1);
  if (length > MAX_MESSAGE_BYTES) throw new RangeError(`gRPC: a message of ${length} bytes is over the limit of ${MAX_MESSAGE_BYTES}`);
  return length;
}
