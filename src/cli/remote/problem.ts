import type { Problem } from '../../api/common.ts';
import { EngineError } from '../../model/engine-error.ts';
import { type ErrorCode, isErrorCode } from '../../model/error-codes.ts';
import type { HttpResponse } from '../../util/http.ts';

/** What a daemon finds wrong in one place of what it was sent. */
export type RemoteDiagnostic = NonNullable<Problem['diagnostics']>[number];

/** A daemon's refusal (problem+json), with the code that the same mistake has on this machine. */
export class DaemonProblem extends EngineError {
  readonly status: number;
  readonly mistakes: readonly RemoteDiagnostic[];
  /** Of the answer, names in lower case. */
  readonly headers: HttpResponse['headers'];

  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    options: { help?: string; mistakes?: readonly RemoteDiagnostic[]; headers?: HttpResponse['headers'] } = {},
  ) {
    super(code, message, options.help === undefined ? {} : { help: options.help });
    this.status = status;
    this.mistakes = options.mistakes ?? [];
    this.headers = options.headers ?? {};
  }
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid-request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  412: 'version-conflict',
  413: 'too-large',
  415: 'invalid-request',
  421: 'host-refused',
  422: 'invalid-request',
  429: 'rate-limited',
  503: 'daemon-unreachable',
};

/** Reads an answer that is no success. Whatever answered, the result says so in one sentence. */
export async function readProblem(response: HttpResponse, server: string): Promise<DaemonProblem> {
  const { status } = response;
  const fallback = CODE_OF_STATUS[status] ?? (status >= 500 ? 'internal' : 'invalid-request');
  const isProblem = String(response.headers['content-type'] ?? '').startsWith('application/problem+json');
  const body = isProblem ? parseObject(await response.text().catch(() => '')) : undefined;
  if (body === undefined) {
    response.discard();
    // A HEAD answer has no body to tell more.
    return new DaemonProblem(status, fallback, `${server} answered with status ${status}`, {
      headers: response.headers,
      ...(isProblem ? {} : { help: 'Is that the address of a Slipway daemon? A proxy before it may have answered.' }),
    });
  }
  const code = text(body['code']);
  const help = text(body['help']);
  return new DaemonProblem(
    status,
    code !== undefined && isErrorCode(code) ? code : fallback,
    text(body['detail']) ?? text(body['title']) ?? `${server} answered with status ${status}`,
    { ...(help === undefined ? {} : { help }), mistakes: readMistakes(body['diagnostics']), headers: response.headers },
  );
}

function readMistakes(value: unknown): readonly RemoteDiagnostic[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isDiagnostic);
}

function isDiagnostic(value: unknown): value is RemoteDiagnostic {
  return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string';
}

function parseObject(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
