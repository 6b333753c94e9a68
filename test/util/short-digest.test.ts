import { expect, test } from 'vitest';
import { shortDigest } from '../../src/util/short-digest.ts';

test.each([
  [`sha256:${'ab'.repeat(32)}`, 'sha256:abababababab'],
  [`sha512:${'0'.repeat(128)}`, 'sha512:000000000000'],
  ['sha256:ab', 'sha256:ab'],
  ['', ''],
  ['node:20', 'node:20'],
])('%s is read as %s', (digest, short) => {
  expect(shortDigest(digest)).toBe(short);
});
