import type { Logger } from 'pino';
import type { HttpMetrics } from '../metrics.ts';

export interface HttpServerOptions {
  /** Where it listens over TCP; port 0 takes a free one. No TCP when absent. */
  readonly tcp?: { readonly host: string; readonly port: number };
  /** Path of the unix socket, in a directory of mode 0700. */
  readonly socket?: string;
  readonly publicUrl?: string;
  /** Further names that it answers to, `host` or `host:port`. */
  readonly allowedHosts?: readonly string[];
  readonly logger: Logger;
  readonly metrics: HttpMetrics;
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpLimits {
  /** Requests of one token a minute, over TCP. */
  readonly requestsPerMinute: number;
  /** Refused proofs of one address a minute; beyond it they are told to wait. */
  readonly failuresPerMinute: number;
  readonly bodyBytes: number;
  readonly applyBytes: number;
  readonly uploadBytes: number;
  /** Of one delivery of a webhook, and of all that are being read at once. */
  readonly hookBytes: number;
  readonly hookBytesAtOnce: number;
  /** Longest silence within a body, and longest time for a body that is no upload. */
  readonly bodyMs: number;
  /** A reader of a stream that takes nothing for this long is dropped. */
  readonly stallMs: number;
  readonly heartbeatMs: number;
  /** A stream ends so long after the token that it was asked for with was revoked or has expired, at most. */
  readonly proofMs: number;
  /** Streams at once, of all and of one principal. */
  readonly streams: number;
  readonly streamsPerPrincipal: number;
  readonly connections: number;
  /** A repeated request waits this long for a first one whose process may have died. */
  readonly idempotencyStaleMs: number;
  /** A repeated request waits this long for the answer of a first one that is at work, and is told to come again. */
  readonly idempotencyPatienceMs: number;
}

const MIB = 1024 * 1024;

export const STANDARD_LIMITS: HttpLimits = {
  requestsPerMinute: 60_000,
  failuresPerMinute: 20,
  bodyBytes: 4 * MIB,
  applyBytes: 8 * MIB,
  uploadBytes: 2048 * MIB,
  hookBytes: 25 * MIB,
  hookBytesAtOnce: 256 * MIB,
  bodyMs: 30_000,
  stallMs: 60_000,
  heartbeatMs: 15_000,
  proofMs: 30_000,
  streams: 4000,
  streamsPerPrincipal: 2000,
  connections: 8192,
  idempotencyStaleMs: 60_000,
  idempotencyPatienceMs: 5000,
};
