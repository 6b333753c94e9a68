import { toBytes } from '../go-string.ts';
import { nodeCrypto } from './node-crypto.ts';

/** What the password is derived from. */
export interface PasswordRequest {
  readonly counter: bigint;
  readonly type: string;
  readonly master: string;
  readonly user: string;
  readonly site: string;
}

/** The shapes of the Master Password algorithm, version 3: one is picked by the seed, each letter names a class of characters. */
const SHAPES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    maximum: 'anoxxxxxxxxxxxxxxxxx axxxxxxxxxxxxxxxxxno',
    long:
      'CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno CvcvnoCvccCvcv CvcvCvccnoCvcv ' +
      'CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv CvccCvccCvcvno CvcvnoCvccCvcc ' +
      'CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno',
    medium: 'CvcnoCvc CvcCvcno',
    short: 'Cvcn',
    basic: 'aaanaaan aannaaan aaannaaa',
    pin: 'nnnn',
  }).map(([type, shapes]): [string, readonly string[]] => [type, shapes.split(' ')]),
);

const CLASSES: Readonly<Record<string, string>> = {
  V: 'AEIOU',
  C: 'BCDFGHJKLMNPQRSTVWXYZ',
  v: 'aeiou',
  c: 'bcdfghjklmnpqrstvwxyz',
  A: 'AEIOUBCDFGHJKLMNPQRSTVWXYZ',
  a: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz',
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()',
};

const SCOPE = Buffer.from('com.lyndir.masterpassword');
const SCRYPT = { N: 32_768, r: 8, p: 2, maxmem: 128 * 1024 * 1024 };

/** The password of a site by the Master Password algorithm; for an unknown type the text that says so. */
export function derivePassword({ counter, type, master, user, site }: PasswordRequest): string {
  const shapes = SHAPES.get(type);
  if (shapes === undefined) return `cannot find password template ${type}`;
  const userBytes = Buffer.from(toBytes(user), 'latin1');
  const siteBytes = Buffer.from(toBytes(site), 'latin1');
  const salt = Buffer.concat([SCOPE, number(BigInt(userBytes.length)), userBytes]);
  const key = nodeCrypto().scryptSync(Buffer.from(toBytes(master), 'latin1'), salt, 64, SCRYPT);
  const message = Buffer.concat([SCOPE, number(BigInt(siteBytes.length)), siteBytes, number(counter)]);
  const seed = nodeCrypto().createHmac('sha256', key).update(message).digest();
  const shape = shapes[(seed[0] ?? 0) % shapes.length] ?? '';
  return [...shape].map((letter, index) => pick(CLASSES[letter] ?? '', seed[index + 1] ?? 0)).join('');
}

function pick(characters: string, byte: number): string {
  return characters.charAt(byte % characters.length);
}

function number(value: bigint): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(Number(BigInt.asUintN(32, value)));
  return bytes;
}
