import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskVariants } from '../../src/util/mask-variants.ts';
import { createMasker, isMaskable } from '../../src/util/masker.ts';

/** What the masker promises, done the slow way: every range of every variant, touching ranges joined. */
function maskSlowly(secrets: readonly string[], text: Buffer): Buffer {
  const hidden = new Uint8Array(text.length);
  for (const variant of secrets.flatMap(maskVariants)) {
    for (let at = text.indexOf(variant); at !== -1; at = text.indexOf(variant, at + 1)) hidden.fill(1, at, at + variant.length);
  }
  const parts: Buffer[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (hidden[at] === 0) parts.push(text.subarray(at, at + 1));
    else if (at === 0 || hidden[at - 1] === 0) parts.push(Buffer.from('***'));
  }
  return Buffer.concat(parts);
}

function maskInChunks(secrets: readonly string[], chunks: readonly Uint8Array[]): Buffer {
  const stream = createMasker(secrets).stream();
  const parts = chunks.map((chunk) => Buffer.from(stream.push(chunk)));
  return Buffer.concat([...parts, stream.flush()]);
}

const secret = fc.oneof(
  fc.string({ minLength: 4, maxLength: 12, unit: fc.constantFrom('a', 'b') }),
  fc.string({ minLength: 4, maxLength: 30 }),
  fc.string({ minLength: 4, maxLength: 30, unit: fc.constantFrom('a', '\n', "'", '"', ' ', '$', 'é', '/') }),
);

describe('createMasker', () => {
  test('hides a secret in a text and leaves the rest', () => {
    const masker = createMasker(['hunter22', 'token-1']);
    expect(masker.maskText('user hunter22 and token-1!')).toBe('user *** and ***!');
    expect(masker.maskText('nothing here')).toBe('nothing here');
    // Two characters, and four bytes.
    expect(createMasker(['éé']).maskText('éé')).toBe('***');
    expect(masker.maskText(`basic ${Buffer.from('me:hunter22').toString('base64')}`)).toBe('basic bWU6***');
  });

  test('without secrets a chunk comes back as it is', () => {
    const chunk = Buffer.from('some text');
    expect(createMasker([]).stream().push(chunk)).toBe(chunk);
    expect(['abc', '', '    ', 'abcd', 'éé'].map(isMaskable)).toEqual([false, false, false, true, true]);
    expect(createMasker(['abc']).maskText('abc')).toBe('abc');
  });

  test('joins secrets that overlap or touch', () => {
    expect(createMasker(['abcdef', 'defghi']).maskText('x abcdefghi abcdefdefghi y')).toBe('x *** *** y');
  });

  test('goes on where a stream was cut off, wherever that was, as if it had not been', () => {
    const text = fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 3), fc.string({ maxLength: 6, unit: fc.constantFrom('a', 'b') })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 4 }),
        text,
        fc.nat(),
        fc.integer({ min: 1, max: 9 }),
        (secrets, pieces, cut, size) => {
          const raw = Buffer.from(
            pieces.map((piece) => (typeof piece === 'string' ? piece : (secrets[piece % secrets.length] ?? ''))).join(''),
          );
          const masker = createMasker(secrets);
          const seen = cut % (raw.length + 1);
          const first = masker.stream();
          const given: Uint8Array[] = [];
          for (let at = 0; at < seen; at += size) given.push(Uint8Array.from(first.push(raw.subarray(at, Math.min(seen, at + size)))));
          const position = seen - first.held;
          const second = masker.stream(raw.subarray(Math.max(0, position - masker.reach), position));
          for (let at = position; at < raw.length; at += size) given.push(Uint8Array.from(second.push(raw.subarray(at, at + size))));
          given.push(second.flush());
          expect(Buffer.concat(given).toString('latin1')).toBe(maskSlowly(secrets, raw).toString('latin1'));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('holds back only what may yet become a secret', () => {
    const stream = createMasker(['swordfish']).stream();
    expect(Buffer.from(stream.push(Buffer.from('plain sword'))).toString()).toBe('plain ');
    expect(stream.held).toBe(5);
    expect(Buffer.from(stream.push(Buffer.from('smith'))).toString()).toBe('swordsmith');
    expect(stream.held).toBe(0);
    expect(Buffer.from(stream.push(Buffer.from('sword'))).toString()).toBe('');
    expect(Buffer.from(stream.flush()).toString()).toBe('sword');
  });

  test('is equal to masking the slow way, whatever the secrets, the text and the chunks', () => {
    const piece = (secrets: readonly string[]) =>
      fc.oneof(
        fc.constantFrom(...secrets.flatMap(maskVariants)),
        fc.constantFrom(...secrets.flatMap(maskVariants)).map((variant) => variant.subarray(0, Math.ceil(variant.length / 2))),
        fc.string({ maxLength: 8 }).map((text) => Buffer.from(text)),
        fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'Y') }).map((text) => Buffer.from(text)),
        fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
      );
    const arbitrary = fc
      .array(secret, { minLength: 1, maxLength: 4 })
      .filter((secrets) => secrets.flatMap(maskVariants).length > 0)
      .chain((secrets) =>
        fc.tuple(fc.constant(secrets), fc.array(piece(secrets), { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 12 })),
      );
    fc.assert(
      fc.property(arbitrary, ([secrets, pieces, cuts]) => {
        const text = Buffer.concat(pieces);
        const places = [...new Set([0, ...cuts.map((cut) => cut % (text.length + 1)), text.length])].sort((a, b) => a - b);
        const chunks = places.slice(1).map((place, index) => text.subarray(places[index], place));
        expect(maskInChunks(secrets, chunks).toString('latin1')).toBe(maskSlowly(secrets, text).toString('latin1'));
      }),
      { numRuns: 500 },
    );
  });

  test('no variant survives any cut into two or into single bytes', () => {
    const value = `p4ss'w"rd/é\nsecond line`;
    for (const variant of maskVariants(value)) {
      const text = Buffer.concat([Buffer.from('<'), variant, Buffer.from('>')]);
      for (let cut = 0; cut <= text.length; cut += 1) {
        expect(maskInChunks([value], [text.subarray(0, cut), text.subarray(cut)]).includes(variant)).toBe(false);
      }
      expect(
        maskInChunks(
          [value],
          [...text].map((byte) => Uint8Array.of(byte)),
        ).toString(),
      ).not.toContain(variant.toString());
    }
  });

  test('masks a multi-line key line by line', () => {
    const key = ['-----BEGIN KEY-----', randomBytes(48).toString('base64'), randomBytes(48).toString('base64'), '-----END KEY-----'];
    const printed = key.map((line, index) => `${index}: ${line}`).join('\n');
    expect(createMasker([key.join('\n')]).maskText(printed)).toBe('0: ***\n1: ***\n2: ***\n3: ***');
  });

  test('a hostile text costs time linear in its length', () => {
    const text = Buffer.alloc(1 << 20, 'a');
    const stream = createMasker([`${'a'.repeat(30_000)}b`]).stream();
    const out = Buffer.concat([stream.push(text), stream.flush()]);
    expect(out.equals(text)).toBe(true);
  }, 10_000);

  test('sustains 100 MB/s with 100 secrets', () => {
    const masker = createMasker(Array.from({ length: 100 }, (_, index) => randomBytes(24 + (index % 16)).toString('base64')));
    const line = '2026-01-01T12:00:00Z INFO compiled src/things/some-file.ts in 123 ms (cache hit 0x1f)\n';
    const chunk = Buffer.from(line.repeat(700));
    const stream = masker.stream();
    const rates = Array.from({ length: 7 }, () => {
      const before = process.cpuUsage();
      for (let count = 0; count < 200; count += 1) stream.push(chunk);
      const { user, system } = process.cpuUsage(before);
      return (200 * chunk.length) / (user + system);
    });
    expect(Math.max(...rates)).toBeGreaterThan(100);
  });
});
