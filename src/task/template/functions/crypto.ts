import { checkedCertificate, pem, selfSigned, signedBy } from '../crypto/certificates.ts';
import { integer, sequence } from '../crypto/der.ts';
import { derivePassword } from '../crypto/derive-password.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { FunctionFailure } from '../failure.ts';
import { fromBytes, runes, toBytes } from '../go-string.ts';
import type { GoList } from '../value.ts';
import { base64Bytes } from './encoding.ts';
import { type CallContext, type FunctionTable, fixed } from './signature.ts';

/** Steps that slow functions cost, so that a template cannot keep a machine busy with them. */
const KEY_COST = 500_000;
const CERTIFICATE_COST = 100_000;
const PASSWORD_COST = 250_000;

function hash(algorithm: 'sha1' | 'sha256', text: string): string {
  return nodeCrypto().createHash(algorithm).update(toBytes(text), 'latin1').digest('hex');
}

function adler32(text: string): string {
  let low = 1;
  let high = 0;
  for (const byte of toBytes(text)) {
    low = (low + byte.charCodeAt(0)) % 65_521;
    high = (high + low) % 65_521;
  }
  return String(high * 65_536 + low);
}

function privateKey(context: CallContext, type: string): string {
  if (!['', 'rsa', 'dsa', 'ecdsa'].includes(type)) return `Unknown type ${type}`;
  context.budget.step(KEY_COST);
  const crypto = nodeCrypto();
  if (type === 'dsa') return dsaKey();
  if (type === 'ecdsa') {
    return String(crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' }));
  }
  return String(crypto.generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey.export({ type: 'pkcs1', format: 'pem' }));
}

/** A DSA key in the old form: version, p, q, g, y, x. Node exports only the newer one, whose parts are taken over. */
function dsaKey(): string {
  const { privateKey: secret, publicKey } = nodeCrypto().generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 });
  const parameters = integersIn(publicKey.export({ type: 'spki', format: 'der' }));
  const [x = 0n] = integersIn(secret.export({ type: 'pkcs8', format: 'der' })).slice(-1);
  const [p = 0n, q = 0n, g = 0n, y = 0n] = parameters;
  return pem('DSA PRIVATE KEY', sequence(...[0n, p, q, g, y, x].map(integer)));
}

/** The integers of a DER structure in order, those inside of strings too. */
function integersIn(der: Buffer): bigint[] {
  const found: bigint[] = [];
  for (let at = 0; at < der.length; ) {
    const tag = der[at] ?? 0;
    const first = der[at + 1] ?? 0;
    const header = first < 0x80 ? 2 : 2 + (first & 0x7f);
    const length = first < 0x80 ? first : der.readUIntBE(at + 2, header - 2);
    const content = der.subarray(at + header, at + header + length);
    if (tag === 0x02) found.push(BigInt(`0x${content.toString('hex')}`));
    else if (tag === 0x30 || tag === 0x04) found.push(...integersIn(content));
    else if (tag === 0x03) found.push(...integersIn(content.subarray(1)));
    at += header + length;
  }
  return found;
}

function textsOf(list: GoList, complaint: string): string[] {
  return list.items.map((item) => {
    if (typeof item !== 'string') throw new FunctionFailure(`${complaint} is not a string`);
    return item;
  });
}

function request(context: CallContext, commonName: string, addresses: GoList, names: GoList, days: bigint) {
  context.budget.step(CERTIFICATE_COST);
  return {
    commonName,
    addresses: textsOf(addresses, 'error parsing ip: an address'),
    names: textsOf(names, 'error processing alternate dns name: a name'),
    days,
    isAuthority: false,
    now: context.now,
  };
}

/** The password cut or filled with zero bytes to the 32 bytes of an AES-256 key. */
function aesKey(password: string): Buffer {
  const key = Buffer.alloc(32);
  Buffer.from(toBytes(password), 'latin1').copy(key);
  return key;
}

function encryptAes(password: string, text: string): string {
  if (text === '') return '';
  const iv = nodeCrypto().randomBytes(16);
  const cipher = nodeCrypto().createCipheriv('aes-256-cbc', aesKey(password), iv);
  return Buffer.concat([iv, cipher.update(toBytes(text), 'latin1'), cipher.final()]).toString('base64');
}

function decryptAes(password: string, encrypted: string): string {
  if (encrypted === '') return '';
  const bytes = Buffer.from(base64Bytes(encrypted), 'latin1');
  if (bytes.length < 32 || bytes.length % 16 !== 0) throw new FunctionFailure('the text is no AES-CBC of whole blocks');
  const decipher = nodeCrypto().createDecipheriv('aes-256-cbc', aesKey(password), bytes.subarray(0, 16)).setAutoPadding(false);
  const plain = Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]);
  const padding = plain.at(-1) ?? 0;
  if (padding > plain.length) throw new FunctionFailure('the padding is wrong: another password?');
  return fromBytes(plain.subarray(0, plain.length - padding).toString('latin1'));
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';
const ASCII = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');

function random(context: CallContext, count: bigint, alphabet: string): string {
  if (count <= 0n) return '';
  context.budget.text(Number(count) * 16);
  return Array.from({ length: Number(count) }, () => alphabet.charAt(nodeCrypto().randomInt(alphabet.length))).join('');
}

function shuffle(context: CallContext, text: string): string {
  const characters = runes(text);
  context.budget.text(characters.length * 16);
  for (let last = characters.length - 1; last > 0; last -= 1) {
    const other = nodeCrypto().randomInt(last + 1);
    [characters[last], characters[other]] = [characters[other] ?? '', characters[last] ?? ''];
  }
  return characters.join('');
}

export const CRYPTO_FUNCTIONS: FunctionTable = {
  sha1sum: fixed(['string'], (_, text) => hash('sha1', text)),
  sha256sum: fixed(['string'], (_, text) => hash('sha256', text)),
  adler32sum: fixed(['string'], (_, text) => adler32(text)),
  uuidv4: fixed([], () => nodeCrypto().randomUUID()),
  randAlphaNum: fixed(['int'], (context, count) => random(context, count, LETTERS + DIGITS)),
  randAlpha: fixed(['int'], (context, count) => random(context, count, LETTERS)),
  randNumeric: fixed(['int'], (context, count) => random(context, count, DIGITS)),
  randAscii: fixed(['int'], (context, count) => random(context, count, ASCII)),
  shuffle: fixed(['string'], shuffle),
  derivePassword: fixed(['uint32', 'string', 'string', 'string', 'string'], (context, counter, type, master, user, site) => {
    context.budget.step(PASSWORD_COST);
    return derivePassword({ counter, type, master, user, site });
  }),
  encryptAES: fixed(['string', 'string'], (_, password, text) => encryptAes(password, text)),
  decryptAES: fixed(['string', 'string'], (_, password, text) => decryptAes(password, text)),
  genPrivateKey: fixed(['string'], privateKey),
  genCA: fixed(['string', 'int'], (context, commonName, days) => {
    context.budget.step(CERTIFICATE_COST);
    return selfSigned({ commonName, addresses: [], names: [], days, isAuthority: true, now: context.now });
  }),
  genSelfSignedCert: fixed(['string', 'list', 'list', 'int'], (context, name, addresses, names, days) =>
    selfSigned(request(context, name, addresses, names, days)),
  ),
  genSignedCert: fixed(['string', 'list', 'list', 'int', 'certificate'], (context, name, addresses, names, days, authority) =>
    signedBy(authority, request(context, name, addresses, names, days)),
  ),
  buildCustomCert: fixed(['string', 'string'], (_, cert, key) =>
    checkedCertificate(decodePem(cert, 'certificate'), decodePem(key, 'private key')),
  ),
};

function decodePem(encoded: string, what: string): string {
  try {
    return fromBytes(base64Bytes(encoded));
  } catch (error) {
    if (error instanceof FunctionFailure) throw new FunctionFailure(`unable to decode base64 ${what}`);
    throw error;
  }
}
