import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bunzip2 } from '../../src/archive/bunzip2.ts';

const compress = (bytes: Buffer, level = 9): Buffer => execFileSync('bzip2', [`-${level}`, '-c'], { input: bytes, maxBuffer: 1e9 });

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

async function unpack(bytes: Uint8Array, size = 65_536): Promise<Buffer> {
  const found: Uint8Array[] = [];
  for await (const piece of bunzip2(pieces(bytes, size))) found.push(piece);
  return Buffer.concat(found);
}

const noise = (length: number): Buffer => {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  };
  return Buffer.from(Uint8Array.from({ length }, next));
};

describe('bunzip2', () => {
  it.each([1, 9])('gives back what the bzip2 program packed in blocks of %i00 kB', async (level) => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('a'), noise(350_000), Buffer.alloc(1_100_000, 'ab'), Buffer.alloc(3_000_000)]) {
      expect((await unpack(compress(bytes, level), 7777)).equals(bytes)).toBe(true);
    }
  });

  it('keeps runs of every length, several streams, and leaves out what follows them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 1, max: 600 })), { maxLength: 50 }),
        async (runs) => {
          const bytes = Buffer.concat(runs.map(([byte, length]) => Buffer.alloc(length, byte)));
          const packed = Buffer.concat([compress(bytes), compress(Buffer.from('and more')), Buffer.from('garbage')]);
          expect((await unpack(packed, 13)).equals(Buffer.concat([bytes, Buffer.from('and more')]))).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('never gives wrong bytes as whole, and always ends, whatever happened to the data', async () => {
    const bytes = Buffer.concat([noise(3000), Buffer.alloc(5000), Buffer.from('text '.repeat(500))]);
    const packed = compress(bytes);
    await fc.assert(
      fc.asyncProperty(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, change, cut) => {
        const broken = Buffer.from(cut ? packed.subarray(0, at) : packed);
        if (!cut) broken[at] = (broken[at] ?? 0) ^ change;
        const outcome = await unpack(broken).catch((error: unknown) => error);
        // The last byte holds padding besides the checksum's end.
        if (outcome instanceof Buffer) expect(outcome.equals(bytes)).toBe(true);
        else expect(outcome).toBeInstanceOf(Error);
      }),
      { numRuns: 500 },
    );
  });

  it('gives a bomb in pieces, so that its reader can stop', async () => {
    // 45 bytes of it stand for 46 MB.
    const packed = compress(Buffer.alloc(200 * 1024 * 1024));
    expect(packed.length).toBeLessThan(500);
    let read = 0;
    for await (const piece of bunzip2(pieces(packed, 100))) {
      read += piece.length;
      if (read > 1024 * 1024) break;
    }
    expect(read).toBeLessThan(1024 * 1024 + 65_537);
  });
});
