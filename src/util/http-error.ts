/**
 * Why an HTTP exchange did not give an answer.
 *
 * - `bad-url`, `refused-address`, `refused-redirect`: a rule of the client; trying again cannot help.
 * - `unresolved`, `connection`, `timeout`: may pass. `not-tls`: the server speaks no TLS on this port.
 * - `tls`: the certificate is not trusted. `too-large`: more bytes than the caller allowed.
 * - `status`: an answer the caller did not want. `canceled`: the caller's signal.
 */
export type HttpErrorKind =
  | 'bad-url'
  | 'refused-address'
  | 'refused-redirect'
  | 'unresolved'
  | 'connection'
  | 'not-tls'
  | 'tls'
  | 'timeout'
  | 'too-large'
  | 'status'
  | 'canceled';

/** The error of src/util/http.ts. Messages name the host and never a user, a password or a header. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly kind: HttpErrorKind;
  readonly status: number | undefined;

  constructor(kind: HttpErrorKind, message: string, options: { readonly cause?: unknown; readonly status?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.status = options.status;
  }

  /** True when the same request may succeed later. */
  get transient(): boolean {
    return this.kind === 'unresolved' || this.kind === 'connection' || this.kind === 'timeout' || (this.status ?? 0) >= 500;
  }
}

const TLS_CODES = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Codes that a certificate store of the system may mend. */
const UNKNOWN_ISSUER = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

function systemCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return systemCode(error.errors[0]);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

export function isUnknownIssuer(error: unknown): boolean {
  return UNKNOWN_ISSUER.has(systemCode(error));
}

/** Turns an error of node:http, node:net or node:tls into an HttpError about `host`. */
export function httpErrorOf(error: unknown, host: string): HttpError {
  if (error instanceof HttpError) return error;
  const code = systemCode(error);
  if (TLS_CODES.has(code)) return new HttpError('tls', `the certificate of ${host} is not trusted (${code})`, { cause: error });
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_'))
    return new HttpError('not-tls', `${host} does not speak TLS as expected (${code})`, { cause: error });
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new HttpError('unresolved', `the name ${host} does not resolve (${code})`, { cause: error });
  if (code === 'ETIMEDOUT') return new HttpError('timeout', `no connection to ${host} in time`, { cause: error });
  return new HttpError('connection', `the connection to ${host} failed (${code === '' ? 'closed early' : code})`, { cause: error });
}
