import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

const HEX_SHA256 = /^[0-9a-f]{64}$/i;

/** Whether a text is one of the secrets. Takes as long for a near miss as for a far one; empty texts are no secrets. */
export function isSecret(text: string | undefined, secrets: readonly string[]): boolean {
  if (text === undefined || text === '') return false;
  const given = digestOf(text);
  return someOf(secrets, (secret) => timingSafeEqual(digestOf(secret), given));
}

/** Whether `hex` is the HMAC-SHA256 of the parts, one after the other, under one of the secrets. */
export function isHmac(hex: string | undefined, secrets: readonly string[], ...parts: readonly (string | Uint8Array)[]): boolean {
  if (hex === undefined || !HEX_SHA256.test(hex)) return false;
  const given = Buffer.from(hex, 'hex');
  return someOf(secrets, (secret) => timingSafeEqual(hmacOf(secret, parts), given));
}

/** The HMAC-SHA256 of the parts, one after the other. */
export function hmacOf(key: string | Uint8Array, parts: readonly (string | Uint8Array)[]): Buffer {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** Whether an `Authorization` header carries one of the secrets: bare, as `Bearer`, or as the password of `Basic`. */
export function isAuthorized(header: string | undefined, secrets: readonly string[]): boolean {
  if (header === undefined) return false;
  const [, scheme = '', value = ''] = /^(bearer|basic) +(.*)$/i.exec(header) ?? [];
  const carried = scheme.toLowerCase() === 'basic' ? passwordOf(value) : value;
  const bare = isSecret(header, secrets);
  return isSecret(carried, secrets) || bare;
}

function passwordOf(credentials: string): string {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(credentials)) return '';
  const text = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? '' : text.slice(colon + 1);
}

/** Tries every secret, so that the time does not tell which one is good. */
export function someOf(secrets: readonly string[], matches: (secret: string) => boolean): boolean {
  let found = false;
  for (const secret of secrets) {
    if (secret !== '' && matches(secret)) found = true;
  }
  return found;
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
