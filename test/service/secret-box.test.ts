import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/model/engine-error.ts';
import { createSecretBox } from '../../src/service/secret-box.ts';

const KEY = randomBytes(32);
const box = createSecretBox(KEY);

function failure(open: () => unknown): EngineError {
  try {
    open();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('it opened');
}

describe('a secret box', () => {
  test('opens what it sealed, for the same place only', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), fc.string(), (plain, place, other) => {
        const sealed = box.seal(plain, place);
        expect(new Uint8Array(box.open(sealed, place))).toEqual(plain);
        if (other !== place) expect(failure(() => box.open(sealed, other)).code).toBe('secret-unavailable');
      }),
    );
  });

  test('never opens changed bytes, and never throws anything else', () => {
    const sealed = box.seal('canary-5f2c', 'secret:a');
    fc.assert(
      fc.property(fc.nat({ max: sealed.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Uint8Array.from(sealed);
        changed[at] = (changed[at] ?? 0) ^ change;
        const error = failure(() => box.open(changed, 'secret:a'));
        expect(error.code).toBe('secret-unavailable');
        expect(error.message).not.toContain('canary');
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => failure(() => box.open(bytes, 'x')).code === 'secret-unavailable'));
  });

  test('seals the same value differently each time, without any of it in the bytes', () => {
    const first = Buffer.from(box.seal('canary-5f2c', 'a'));
    expect(first.equals(Buffer.from(box.seal('canary-5f2c', 'a')))).toBe(false);
    expect(first.includes('canary')).toBe(false);
  });

  test('opens with an older key after a rotation, not with a foreign one', () => {
    const sealed = box.seal('value', 'secret:a');
    const next = randomBytes(32);
    const rotated = createSecretBox(next, [KEY]);
    expect(rotated.open(sealed, 'secret:a').toString()).toBe('value');
    expect(createSecretBox(next).open(rotated.seal('value', 'b'), 'b').toString()).toBe('value');
    expect(failure(() => createSecretBox(next).open(sealed, 'secret:a')).message).toContain('a key that this daemon does not have');
  });

  test('refuses a key of another length', () => {
    expect(() => createSecretBox(randomBytes(16))).toThrow('32 bytes');
  });
});
