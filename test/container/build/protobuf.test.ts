import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtoWriter, readFields } from '../../../src/container/build/protobuf.ts';

describe('protobuf', () => {
  it('reads back what it wrote', () => {
    const field = fc.integer({ min: 1, max: 500 });
    const entry = fc.oneof(
      fc.record({ field, varint: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }) }),
      fc.record({ field, bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }) }),
    );
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const writer = new ProtoWriter();
        for (const wanted of entries) {
          if ('varint' in wanted) writer.varint(wanted.field, wanted.varint);
          else writer.bytes(wanted.field, wanted.bytes);
        }
        const read = [...readFields(writer.finish())];
        expect(read.map((found) => found.number)).toEqual(entries.map((wanted) => wanted.field));
        read.forEach((found, index) => {
          const wanted = entries[index];
          if (wanted === undefined) throw new Error('more fields than were written');
          if ('varint' in wanted) expect(found.value).toBe(wanted.varint);
          else expect(Buffer.from(found.bytes).equals(Buffer.from(wanted.bytes))).toBe(true);
        });
      }),
    );
  });

  it('writes what protoc writes', () => {
    const message = new ProtoWriter().varint(1, 150).string(2, 'testing').varint(3, -1n).varint(4, 0).bytes(5, new Uint8Array(0)).finish();
    expect(Buffer.from(message).toString('hex')).toBe('089601120774657374696e6718ffffffffffffffffff01');
  });

  it('reads fixed widths and refuses what is cut off or unknown', () => {
    expect([...readFields(Buffer.from('0d01000000110200000000000000', 'hex'))].map((found) => found.value)).toEqual([1n, 2n]);
    for (const broken of ['08', '0a05aa', '0d0100', '0b', '08ffffffffffffffffffff01']) {
      expect(() => [...readFields(Buffer.from(broken, 'hex'))]).toThrow(RangeError);
    }
  });

  it('ends on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          for (const _ of readFields(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
