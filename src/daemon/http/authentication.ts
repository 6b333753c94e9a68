import type { FastifyRequest } from 'fastify';
import { EngineError } from '../../model/engine-error.ts';
import type { Principal } from '../../model/security.ts';
import type { HttpServices } from './services.ts';

/**
 * Who asks. Over TCP a token says so, also on loopback. The unix socket trusts its owner: Node cannot ask for the user id of the peer, so the
 * check is the socket's mode (0600) in a directory of mode 0700, which let in nobody but the owner and root. A token sent over the socket
 * counts instead of that trust, and a request that a proxy passed on is never trusted without one.
 */
export async function authenticate(request: FastifyRequest, over: 'unix' | 'tcp', tokens: HttpServices['tokens']): Promise<Principal> {
  const { authorization } = request.headers;
  if (over === 'unix' && authorization === undefined && !isForwarded(request)) {
    return { name: `socket uid ${process.getuid?.() ?? 0}`, role: 'admin', from: 'unix' };
  }
  if (authorization === undefined) throw new EngineError('unauthenticated', 'the request has no token: `Authorization: Bearer slw_…`');
  const token = /^Bearer +(\S{1,200})$/i.exec(authorization)?.[1];
  const principal = token === undefined ? undefined : await tokens.authenticate(token, addressOf(request, over));
  if (principal === undefined) throw new EngineError('unauthenticated', 'the token is unknown, expired or revoked');
  return principal;
}

export function addressOf(request: FastifyRequest, over: 'unix' | 'tcp'): string {
  return over === 'unix' ? 'unix' : (request.socket.remoteAddress ?? 'unknown');
}

function isForwarded({ headers }: FastifyRequest): boolean {
  return headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined || headers['x-real-ip'] !== undefined;
}
