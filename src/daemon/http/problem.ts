import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { Problem } from '../../api/common.ts';
import { type Diagnostic, positionOf } from '../../model/diagnostic.ts';
import { EngineError } from '../../model/engine-error.ts';
import { ERROR_CODES, type ErrorCode } from '../../model/error-codes.ts';

const PROBLEM_TYPE = 'application/problem+json';
const RETRY_SECONDS = 5;
const MOST_DIAGNOSTICS = 100;

interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly help: string;
  readonly diagnostics: NonNullable<Problem['diagnostics']>;
  readonly retryAfter?: number;
}

/** Answers an error as RFC 9457. What is no EngineError and no fault of the request is logged in full, and told without its words. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const refusal = refusalOf(error);
  if (refusal.status >= 500) request.log.error({ err: error }, 'request failed');
  if (request.routeOptions.config?.delivery === true) {
    sendToSender(refusal, reply);
    return;
  }
  const problem: Problem = {
    type: `docs/errors.md#${refusal.code}`,
    title: ERROR_CODES[refusal.code].title,
    status: refusal.status,
    detail: refusal.detail,
    code: refusal.code,
    help: refusal.help,
    instance: request.id,
    ...(refusal.diagnostics.length === 0 ? {} : { diagnostics: refusal.diagnostics }),
  };
  if (refusal.status === 401) reply.header('www-authenticate', 'Bearer realm="slipway"');
  addHeaders(refusal, reply);
  reply.code(refusal.status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(problem);
}

function addHeaders({ status, retryAfter }: Refusal, reply: FastifyReply): void {
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  // A body that was not read to its end must not be taken for the next request.
  if (status === 413 || status === 408) reply.header('connection', 'close');
}

/** As all answers to deliveries are: forges show them to those who set the webhook up. */
function sendToSender(refusal: Refusal, reply: FastifyReply): void {
  addHeaders(refusal, reply);
  const error =
    refusal.code === 'too-large' ? 'the delivery is larger than `webhookBodyLimit`, a setting of the daemon, allows' : refusal.detail;
  reply.code(refusal.status).type('application/json').serializer(JSON.stringify).send({ error });
}

/** An EngineError with `Retry-After`. */
export class RetryLater extends EngineError {
  readonly seconds: number;

  constructor(code: ErrorCode, message: string, seconds: number) {
    super(code, message, { transient: true });
    this.seconds = seconds;
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof EngineError) return engineRefusal(error);
  if (hasZodFastifySchemaValidationErrors(error)) return validationRefusal(error.validation);
  if (isFastifyError(error)) return fastifyRefusal(error);
  return refusal('internal', 'the daemon failed at this request; its log has more under the id of `instance`');
}

function refusal(code: ErrorCode, detail: string, more: Partial<Refusal> = {}): Refusal {
  const { httpStatus: status, help } = ERROR_CODES[code];
  return { status, code, detail, help, diagnostics: [], ...more };
}

function engineRefusal(error: EngineError): Refusal {
  const { httpStatus: status } = ERROR_CODES[error.code];
  const again = error instanceof RetryLater ? error.seconds : status === 503 ? RETRY_SECONDS : undefined;
  return refusal(error.code, error.message, {
    help: error.help,
    diagnostics: error.diagnostics.slice(0, MOST_DIAGNOSTICS).map(showDiagnostic),
    ...(again === undefined ? {} : { retryAfter: again }),
  });
}

export function showDiagnostic(diagnostic: Diagnostic): NonNullable<Problem['diagnostics']>[number] {
  const { code, severity, message, expected, help, range, field } = diagnostic;
  return {
    code,
    severity,
    message,
    ...(expected === undefined ? {} : { expected }),
    ...(help === undefined ? {} : { help }),
    ...(field === undefined ? {} : { field }),
    ...(range === undefined ? {} : { source: range.source.name, ...positionOf(range.source.text, range.start) }),
  };
}

/** Each issue names its field as it is written in JSON: `step.values[0].name`. */
function validationRefusal(issues: readonly { readonly instancePath: string; readonly message?: string }[]): Refusal {
  const diagnostics = issues.slice(0, MOST_DIAGNOSTICS).map(({ instancePath, message = 'cannot be this' }) => {
    const field = fieldOf(instancePath);
    return { code: 'invalid-request', severity: 'error' as const, message, ...(field === '' ? {} : { field }) };
  });
  const [first] = diagnostics;
  const said = first === undefined ? 'the request cannot be read' : sentence(first.field, first.message);
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return refusal('invalid-request', `${said}${more}`, { diagnostics });
}

function sentence(field: string | undefined, message: string): string {
  return field === undefined ? message : `\`${field}\`: ${message}`;
}

function fieldOf(instancePath: string): string {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) && path !== '' ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`), '');
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
}

function fastifyRefusal({ statusCode = 500, code, message }: FastifyError): Refusal {
  switch (statusCode) {
    case 413:
      return refusal('too-large', 'the body of the request is larger than this route takes');
    case 415:
      return refusal('unsupported-media-type', 'the body of the request is not of a kind that this route takes');
    default:
      if (statusCode >= 400 && statusCode < 500) {
        return refusal('invalid-request', code === 'FST_ERR_CTP_INVALID_JSON_BODY' ? 'the body is no JSON' : message, {
          status: statusCode,
        });
      }
      return refusal('internal', 'the daemon failed at this request; its log has more under the id of `instance`');
  }
}
