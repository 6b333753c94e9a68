import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { EngineError } from '../model/engine-error.ts';
import type { SecretBox } from '../model/ports/secret-box.ts';

/** Layout: version (1 byte), key id (4), nonce (12), tag (16), ciphertext. Version and key id are authenticated with the place. */
const VERSION = 1;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES;
const CIPHERTEXT_AT = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;

/** AES-256. */
export const SECRET_KEY_BYTES = 32;

/**
 * AES-256-GCM with a random nonce (sound up to 2^32 sealings with one key). `older` keys only open: what they sealed stays readable while
 * new values are sealed with `key`.
 */
export function createSecretBox(key: Uint8Array, older: readonly Uint8Array[] = []): SecretBox {
  const keys = [key, ...older].map((bytes) => ({ id: keyId(bytes), bytes }));
  const current = { id: keyId(key), bytes: key };
  return {
    seal: (plain, boundTo) => {
      const header = Buffer.concat([Buffer.of(VERSION), current.id]);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', current.bytes, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.concat([header, Buffer.from(boundTo)]));
      const text = Buffer.concat([cipher.update(typeof plain === 'string' ? Buffer.from(plain) : plain), cipher.final()]);
      return Buffer.concat([header, nonce, cipher.getAuthTag(), text]);
    },
    open: (sealed, boundTo) => {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      if (bytes.length < CIPHERTEXT_AT || bytes[0] !== VERSION) throw unavailable(boundTo, 'what is stored is no sealed value');
      const id = bytes.subarray(1, HEADER_BYTES);
      const used = keys.find((candidate) => candidate.id.equals(id));
      if (used === undefined) throw unavailable(boundTo, 'it was sealed with a key that this daemon does not have');
      return decipher(used.bytes, bytes, boundTo);
    },
  };
}

function decipher(key: Uint8Array, bytes: Buffer, boundTo: string): Buffer {
  const nonce = bytes.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
  const cipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.concat([bytes.subarray(0, HEADER_BYTES), Buffer.from(boundTo)]));
  cipher.setAuthTag(bytes.subarray(HEADER_BYTES + NONCE_BYTES, CIPHERTEXT_AT));
  const start = cipher.update(bytes.subarray(CIPHERTEXT_AT));
  try {
    return Buffer.concat([start, cipher.final()]);
  } catch {
    throw unavailable(boundTo, 'it was changed, or belongs to another place');
  }
}

/** Tells keys apart without telling anything of them. */
function keyId(key: Uint8Array): Buffer {
  if (key.length !== SECRET_KEY_BYTES) throw new RangeError(`bug: a secret key has ${SECRET_KEY_BYTES} bytes, not ${key.length}`);
  return createHmac('sha256', key).update('slipway key id').digest().subarray(0, KEY_ID_BYTES);
}

function unavailable(boundTo: string, because: string): EngineError {
  return new EngineError('secret-unavailable', `the sealed value of ${boundTo} cannot be opened: ${because}`, {
    help: 'Start the daemon with the key it had (`secret.key`, SLIPWAY_SECRET_KEY or SLIPWAY_SECRET_KEY_FILE), or set the value again.',
  });
}
