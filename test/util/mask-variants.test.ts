import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskVariants } from '../../src/util/mask-variants.ts';

const texts = (secret: string): string[] => maskVariants(secret).map((bytes) => bytes.toString());

describe('maskVariants', () => {
  test('knows the forms of a simple secret', () => {
    expect(texts('pa$$w0rd')).toEqual(
      expect.arrayContaining([
        'pa$$w0rd',
        Buffer.from('pa$$w0rd').toString('base64'),
        Buffer.from('pa$$w0rd').toString('hex'),
        Buffer.from('pa$$w0rd').toString('hex').toUpperCase(),
        'pa%24%24w0rd',
        'pa\\$\\$w0rd',
      ]),
    );
  });

  test('quotes as JSON, as sh and as URL', () => {
    expect(texts(`it's "é" <b>`)).toEqual(
      expect.arrayContaining([
        `it'\\''s "é" <b>`,
        `it's \\"é\\" <b>`,
        `it's \\"\\u00e9\\" <b>`,
        `it's \\"é\\" \\u003cb\\u003e`,
        'it%27s%20%22%C3%A9%22%20%3Cb%3E',
        'it%27s+%22%c3%a9%22+%3cb%3e',
      ]),
    );
  });

  test('ignores short and blank values and short lines', () => {
    expect(texts('abc')).toEqual([]);
    expect(texts('       ')).toEqual([]);
    expect(texts('-----\nsecond-line\nab')).toContain('second-line');
    expect(texts('-----\nsecond-line\nab')).not.toContain('-----');
  });

  test('drops the line feed that ends a secret read from a file', () => {
    expect(texts('hunter2-value\n')).toContain('hunter2-value');
  });

  test('covers base64 wrapped as the base64 program does', () => {
    const secret = 'x9'.repeat(80);
    const lines = execFileSync('base64', { input: secret }).toString().trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(1);
    expect(texts(secret)).toEqual(expect.arrayContaining(lines));
  });

  test('what the shell prints when it quotes is a variant', () => {
    const secret = `a b'c"d$e\`f\\g!h*i`;
    const printed = execFileSync('bash', ['-c', 'printf %q "$1"', 'x', secret]).toString();
    expect(texts(secret)).toContain(printed);
  });

  test('any base64 of a text that holds the secret holds a variant', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 9 }),
        fc.string({ minLength: 6, maxLength: 40 }).filter((text) => text.trim().length >= 6),
        fc.uint8Array({ maxLength: 9 }),
        fc.constantFrom('base64', 'base64url'),
        (before, secret, after, encoding) => {
          const encoded = Buffer.concat([before, Buffer.from(secret), after]).toString(encoding);
          expect(texts(secret).some((variant) => encoded.includes(variant))).toBe(true);
        },
      ),
    );
  });
});
