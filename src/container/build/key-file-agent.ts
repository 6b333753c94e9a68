import type { Duplex } from 'node:stream';
import ssh2, { type AgentInboundRequest, type ParsedKey, type SigningRequestOptions } from 'ssh2';
import { FlagValueError } from './flag-values.ts';
import type { AgentDialer } from './session/ssh-service.ts';

/** An ssh agent inside this process that holds the given private keys. Throws FlagValueError for a key it cannot use. */
export function keyFileAgent(id: string, files: readonly Uint8Array[]): AgentDialer {
  const keys = files.map((content) => parseKey(id, content));
  return () => serveAgent(keys);
}

function parseKey(id: string, content: Uint8Array): ParsedKey {
  const parsed = ssh2.utils.parseKey(Buffer.from(content));
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined || key instanceof Error || !key.isPrivateKey()) {
    throw new FlagValueError(`--ssh ${id}: the file is no private key without a passphrase that can be read`);
  }
  return key;
}

function serveAgent(keys: readonly ParsedKey[]): Duplex {
  const agent = new ssh2.AgentProtocol(false);
  agent.on('identities', (request: AgentInboundRequest) => agent.getIdentitiesReply(request, [...keys]));
  agent.on('sign', (request: AgentInboundRequest, publicKey: ParsedKey | Buffer, data: Buffer, options: SigningRequestOptions) => {
    const wanted = Buffer.isBuffer(publicKey) ? publicKey : publicKey.getPublicSSH();
    const key = keys.find((candidate) => candidate.getPublicSSH().equals(wanted));
    const signature = key?.sign(data, options.hash);
    if (signature === undefined || signature instanceof Error) agent.failureReply(request);
    else agent.signReply(request, key?.type.startsWith('ecdsa-') === true ? sshEcdsaSignature(signature) : signature);
  });
  return agent;
}

/** The two numbers of a DER signature (SEQUENCE of two INTEGERs) as the strings of RFC 5656 §3.1.2; both are big-endian and signed. */
function sshEcdsaSignature(der: Buffer): Buffer {
  const numbersAt = der.readUInt8(1) < 0x80 ? 2 : 2 + (der.readUInt8(1) & 0x7f);
  const firstLength = der.readUInt8(numbersAt + 1);
  const secondAt = numbersAt + 2 + firstLength;
  const numbers = [der.subarray(numbersAt + 2, secondAt), der.subarray(secondAt + 2, secondAt + 2 + der.readUInt8(secondAt + 1))];
  return Buffer.concat(numbers.flatMap((number) => [lengthOf(number), number]));
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return length;
}
