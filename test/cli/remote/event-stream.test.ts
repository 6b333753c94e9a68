import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readEventStream, type StreamMessage } from '../../../src/cli/remote/event-stream.ts';

async function* parts(text: string, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text, 'utf8');
  let from = 0;
  for (const cut of [...cuts.map((at) => at % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
    yield bytes.subarray(from, cut);
    from = Math.max(from, cut);
  }
}

async function read(text: string, cuts: readonly number[] = []): Promise<StreamMessage[]> {
  const messages: StreamMessage[] = [];
  for await (const message of readEventStream(parts(text, cuts))) messages.push(message);
  return messages;
}

test('reads messages, comments, ids, names and data of several lines', async () => {
  const text = 'retry: 1000\n\n: beat\n\nid: 1.0\ndata: {"a":1}\n\nevent: end\r\ndata: x\r\ndata:y\r\n\r\ndata: cut off';
  expect(await read(text)).toEqual([
    { event: 'message', data: '{"a":1}', id: '1.0' },
    { event: 'end', data: 'x\ny', id: '1.0' },
  ]);
});

test('bytes may be cut anywhere, also inside a character', async () => {
  const text = 'id: 7.12\ndata: Grüße 🚀\n\nid: 8.90\ndata: zweite\n\n';
  const whole = await read(text);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 200 }), { maxLength: 12 }), async (cuts) => {
      expect(await read(text, cuts)).toEqual(whole);
    }),
  );
});

test('a line without an end does not fill the memory', async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    while (true) yield Buffer.alloc(1024 * 1024, 'x');
  }
  await expect(async () => {
    for await (const _ of readEventStream(endless()));
  }).rejects.toThrow('has more than');
});
