import type { CredentialSource } from '../../../model/ports/credential-source.ts';
import { ProtoWriter, readFields } from '../protobuf.ts';
import type { GrpcHandler } from './grpc-call.ts';
import { unary } from './unary.ts';

const DOCKER_HUB_API = 'registry-1.docker.io';

/**
 * moby.filesync.v1.Auth: credentials for the one host the engine is about to talk to. Only `Credentials` is offered, so
 * every engine from 20.10 on fetches its tokens itself.
 */
export function authService(credentials: CredentialSource, signal: AbortSignal): ReadonlyMap<string, GrpcHandler> {
  return new Map([['/moby.filesync.v1.Auth/Credentials', unary((request) => answerCredentials(credentials, request, signal))]]);
}

async function answerCredentials(credentials: CredentialSource, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  let host = '';
  for (const field of readFields(request)) if (field.number === 1) host = Buffer.from(field.bytes).toString('utf8');
  const credential = await credentials.forHost(host === DOCKER_HUB_API ? 'docker.io' : host, signal);
  const response = new ProtoWriter();
  // A secret without a user name is a refresh token in this protocol.
  if (credential?.kind === 'identity-token') response.string(2, credential.token);
  if (credential?.kind === 'basic') response.string(1, credential.username).string(2, credential.password);
  return response.finish();
}
