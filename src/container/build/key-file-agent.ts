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
    else agent.signReply(request, signature);
  });
  return agent;
}
