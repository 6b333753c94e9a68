import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitMessages } from '../../../../src/container/build/session/grpc-frames.ts';

function frame(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (let index = 0; offset < bytes.length; index += 1) {
    const size = sizes.length === 0 ? bytes.length : (sizes[index % sizes.length] ?? 1);
    yield bytes.subarray(offset, offset + size);
    offset += size;
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<string[]> {
  const messages: string[] = [];
  for await (const message of splitMessages(chunks)) messages.push(Buffer.from(message).toString('hex'));
  return messages;
}

describe('gRPC messages', () => {
  it('come out whole however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 5 }),
        async (messages, sizes) => {
          const found = await collect(cut(Buffer.concat(messages.map(frame)), sizes));
          expect(found).toEqual(messages.map((message) => Buffer.from(message).toString('hex')));
        },
      ),
    );
  });

  it('are refused when compressed, too long or cut off', async () => {
    await expect(collect(cut(Buffer.from('0100000000', 'hex'), []))).rejects.toThrow('compressed');
    await expect(collect(cut(Buffer.from('00ffffffff', 'hex'), []))).rejects.toThrow('over the limit');
    await expect(collect(cut(Buffer.from('000000000461', 'hex'), []))).rejects.toThrow('ends inside');
  });
});
