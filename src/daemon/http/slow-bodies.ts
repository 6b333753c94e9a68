import type { FastifyRequest } from 'fastify';

/** A sender that takes longer for its body is cut off, also when it was answered before its end. */
export function limitBodyTime(request: FastifyRequest, ms: number): void {
  const { raw } = request;
  const timer = setTimeout(() => raw.destroy(), ms);
  const stop = (): void => clearTimeout(timer);
  raw.once('end', stop);
  raw.once('close', stop);
}
