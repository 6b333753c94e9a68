import { timingSafeEqual } from 'node:crypto';
import type { Delivery } from '../../model/ports/delivery-reader.ts';
import { hmacOf, someOf } from './proof.ts';
import { isRecent } from './timestamp.ts';

const MOST_SIGNATURES = 16;
const SHA256_BYTES = 32;

/**
 * The scheme of standardwebhooks.com: `webhook-signature` has `v1,` and the base64 of the HMAC-SHA256 over `id.timestamp.body`, several
 * separated by blanks. The key is the base64 after `whsec_`, or a secret as it is.
 */
export function isStandardSignature(delivery: Delivery, secrets: readonly string[], now: Date): boolean {
  const { 'webhook-id': id = '', 'webhook-timestamp': timestamp = '', 'webhook-signature': signatures = '' } = delivery.headers;
  if (id === '' || signatures === '' || !isRecent(timestamp, now)) return false;
  const given = signatures
    .split(' ', MOST_SIGNATURES)
    .filter((signature) => /^v1,[A-Za-z0-9+/]{43}=$/.test(signature))
    .map((signature) => Buffer.from(signature.slice('v1,'.length), 'base64'))
    .filter((bytes) => bytes.length === SHA256_BYTES);
  return someOf(secrets, (secret) => {
    const key = keyOf(secret);
    if (key.length === 0) return false;
    const expected = hmacOf(key, [`${id}.${timestamp}.`, delivery.body]);
    return given.some((bytes) => timingSafeEqual(bytes, expected));
  });
}

function keyOf(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
}
