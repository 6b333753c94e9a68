import type { KeyObject } from 'node:crypto';
import { FunctionFailure } from '../failure.ts';
import { Certificate } from '../value.ts';
import { bitString, boolean, integer, nothing, octetString, oid, sequence, set, tagged, taggedBytes, text, time } from './der.ts';
import { nodeCrypto } from './node-crypto.ts';

/** What a certificate shall say. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly addresses: readonly string[];
  readonly names: readonly string[];
  readonly days: bigint;
  readonly isAuthority: boolean;
  readonly now: Date;
}

/** Who signs: the subject's DER, the key, and the id of the key where the certificate has one. */
interface Signer {
  readonly subject: Buffer;
  readonly key: KeyObject;
  readonly keyId: Buffer | undefined;
}

const DAY = 86_400_000;
const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';
const SERVER_AND_CLIENT = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];

/** A new RSA key of 2048 bits and a certificate for it, signed by itself. @throws FunctionFailure */
export function selfSigned(request: CertificateRequest): Certificate {
  return issue(request, undefined);
}

/** A new RSA key of 2048 bits and a certificate for it, signed by an authority. @throws FunctionFailure */
export function signedBy(authority: Certificate, request: CertificateRequest): Certificate {
  const certificate = readCertificate(authority.cert, 'decodedSignerCert');
  return issue(request, {
    subject: subjectOf(certificate.raw),
    key: readKey(authority.key, 'decodedSignerKey'),
    keyId: keyIdOf(certificate.publicKey),
  });
}

/** A certificate and key from PEM texts, checked. @throws FunctionFailure */
export function checkedCertificate(cert: string, key: string): Certificate {
  readCertificate(cert, 'decodedCert');
  readKey(key, 'decodedKey');
  return new Certificate(cert, key);
}

function issue(request: CertificateRequest, authority: Signer | undefined): Certificate {
  const { privateKey, publicKey } = nodeCrypto().generateKeyPairSync('rsa', { modulusLength: 2048 });
  const subject = sequence(set(sequence(oid('2.5.4.3'), text(request.commonName))));
  const signer = authority ?? { subject, key: privateKey, keyId: undefined };
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const algorithm = sequence(oid(SHA256_WITH_RSA), nothing());
  const body = sequence(
    tagged(0, integer(2n)),
    integer(serialNumber()),
    algorithm,
    signer.subject,
    validity(request),
    subject,
    spki,
    tagged(3, sequence(...extensions(request, publicKey, signer))),
  );
  const signature = nodeCrypto().sign('sha256', body, signer.key);
  const der = sequence(body, algorithm, bitString(signature));
  return new Certificate(pem('CERTIFICATE', der), String(privateKey.export({ type: 'pkcs1', format: 'pem' })));
}

function validity({ now, days }: CertificateRequest): Buffer {
  const until = new Date(now.getTime() + Number(days) * DAY);
  if (Number.isNaN(until.getTime()) || until.getUTCFullYear() > 9999 || until.getUTCFullYear() < 0) {
    throw new FunctionFailure('error creating certificate: cannot represent time as GeneralizedTime');
  }
  return sequence(time(now), time(until));
}

function serialNumber(): bigint {
  return BigInt(`0x${nodeCrypto().randomBytes(16).toString('hex')}`);
}

function extensions(request: CertificateRequest, publicKey: KeyObject, signer: Signer): Buffer[] {
  const usage = request.isAuthority ? bitString(Buffer.from([0xa4]), 2) : bitString(Buffer.from([0xa0]), 5);
  const list = [
    extension('2.5.29.15', true, usage),
    extension('2.5.29.37', false, sequence(...SERVER_AND_CLIENT.map(oid))),
    extension('2.5.29.19', true, request.isAuthority ? sequence(boolean(true)) : sequence()),
  ];
  if (request.isAuthority) list.push(extension('2.5.29.14', false, octetString(keyIdOf(publicKey))));
  if (signer.keyId !== undefined) list.push(extension('2.5.29.35', false, sequence(taggedBytes(0, signer.keyId))));
  const names = [
    ...request.names.map((name) => taggedBytes(2, Buffer.from(name, 'utf8'))),
    ...request.addresses.map((address) => taggedBytes(7, addressBytes(address))),
  ];
  if (names.length > 0) list.push(extension('2.5.29.17', false, sequence(...names)));
  return list;
}

function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return critical ? sequence(oid(id), boolean(true), octetString(value)) : sequence(oid(id), octetString(value));
}

function keyIdOf(key: KeyObject): Buffer {
  return nodeCrypto()
    .createHash('sha1')
    .update(key.export({ type: 'pkcs1', format: 'der' }))
    .digest();
}

function addressBytes(address: string): Buffer {
  const { isIPv4, isIPv6 } = process.getBuiltinModule('node:net');
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (!isIPv6(address) || address.includes('%')) throw new FunctionFailure(`error parsing ip: ${address}`);
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const [a = 0, b = 0, c = 0, d = 0] = dotted?.slice(2).map(Number) ?? [];
  const plain = dotted === null ? address : `${dotted[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function readCertificate(source: string, name: string): InstanceType<typeof import('node:crypto').X509Certificate> {
  if (!/-----BEGIN [^-]+-----/.test(source)) throw new FunctionFailure('unable to decode certificate');
  try {
    return new (nodeCrypto().X509Certificate)(source);
  } catch (error) {
    throw new FunctionFailure(`error parsing certificate: ${name}.Bytes: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readKey(source: string, name: string): KeyObject {
  if (!/-----BEGIN [^-]+-----/.test(source)) throw new FunctionFailure('unable to decode key');
  try {
    const key = Buffer.from(source.replace(/^[\s\S]*?-----BEGIN [^-]+-----|-----END[\s\S]*$/g, ''), 'base64');
    return nodeCrypto().createPrivateKey({ key, format: 'der', type: 'pkcs1' });
  } catch (error) {
    throw new FunctionFailure(`error parsing private key: ${name}.Bytes: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The subject inside a certificate: the sixth part of its body (after version, serial, algorithm, issuer, validity). */
function subjectOf(certificate: Buffer): Buffer {
  const body = contentOf(contentOf(certificate));
  let at = 0;
  for (let skip = 0; skip < 5; skip += 1) at += sizeOf(body, at);
  return body.subarray(at, at + sizeOf(body, at));
}

function contentOf(der: Buffer): Buffer {
  return der.subarray(headerSize(der, 0), sizeOf(der, 0));
}

function headerSize(der: Buffer, at: number): number {
  const first = der[at + 1] ?? 0;
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

function sizeOf(der: Buffer, at: number): number {
  const first = der[at + 1] ?? 0;
  const header = headerSize(der, at);
  return header + (first < 0x80 ? first : der.readUIntBE(at + 2, header - 2));
}

/** DER as PEM text with lines of 64 characters. */
export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
