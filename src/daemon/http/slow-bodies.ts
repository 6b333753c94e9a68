import type { FastifyReply, FastifyRequest } from 'fastify';

/** A sender that takes longer for its body is cut off. */
export function limitBodyTime(request: FastifyRequest, reply: FastifyReply, ms: number): void {
  const { raw } = request;
  const timer = setTimeout(() => raw.destroy(), ms);
  const stop = (): void => clearTimeout(timer);
  raw.once('end', stop);
  reply.raw.once('close', stop);
}
