import { createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader, pumpOutput } from '../../src/container/output-stream.ts';

function frame(stream: 1 | 2, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

describe('frames of the attach stream', () => {
  it('come apart the same however the connection cuts them', () => {
    const frames = fc.array(fc.record({ stream: fc.constantFrom<1 | 2>(1, 2), payload: fc.uint8Array({ maxLength: 40 }) }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(({ stream, payload }) => frame(stream, payload)));
        const reader = new FrameReader(false);
        const received = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = cuts[turn % cuts.length] ?? 1;
          for (const part of reader.read(bytes.subarray(at, at + size))) received[part.stream].push(part.bytes);
          at += size;
        }
        for (const [number, name] of [[1, 'stdout'] as const, [2, 'stderr'] as const]) {
          const expected = sent.filter(({ stream }) => stream === number).map(({ payload }) => payload);
          expect(Buffer.concat(received[name]).equals(Buffer.concat(expected))).toBe(true);
        }
      }),
    );
  });

  it('of one stream are delivered together when they came together', () => {
    const bytes = Buffer.concat([frame(1, Buffer.from('a')), frame(1, Buffer.from('b')), frame(2, Buffer.from('c'))]);
    const parts = new FrameReader(false).read(bytes).map(({ stream, bytes: text }) => `${stream} ${Buffer.from(text).toString()}`);
    expect(parts).toEqual(['stdout ab', 'stderr c']);
  });
});

describe('output of a container', () => {
  it('does not wait for ever for a stream that the engine forgot to close', async () => {
    const sockets = await connectedPair();
    const received: string[] = [];
    const pump = pumpOutput(sockets.client, false, (_, chunk) => void received.push(Buffer.from(chunk).toString()));
    sockets.server.write(frame(1, Buffer.from('last words')));
    await pump.drain();
    expect(received).toEqual(['last words']);
    expect(pump.isOpen()).toBe(false);
    sockets.close();
  });

  it('ends where the connection breaks', async () => {
    const sockets = await connectedPair();
    const pump = pumpOutput(sockets.client, true, () => undefined);
    sockets.server.resetAndDestroy();
    await pump.done;
    expect(pump.isOpen()).toBe(false);
    sockets.close();
  });
});

async function connectedPair(): Promise<{ client: Socket; server: Socket; close(): void }> {
  const { connect } = await import('node:net');
  const listener = createServer();
  const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as { port: number };
  const client = connect(port, '127.0.0.1');
  const server = await accepted;
  return { client, server, close: () => void listener.close() };
}
