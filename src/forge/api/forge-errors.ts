import { EngineError } from '../../model/engine-error.ts';
import type { HttpError } from '../../util/http-error.ts';
import { isTransientStatus, printable } from '../../util/http-retry.ts';
import { retryAfterMs } from '../../util/retry.ts';
import type { ForgeAnswer, ForgeCall, ForgeDialect } from './forge-call.ts';
import { jsonOf } from './forge-json.ts';
import { rightsHelp } from './rights.ts';

/** Whether the forge may answer otherwise later. */
export function isBusy(answer: ForgeAnswer, dialect: ForgeDialect): boolean {
  return isTransientStatus(answer.status) || dialect.passing?.includes(answer.status) === true || limitedFor(answer) !== undefined;
}

/**
 * Milliseconds until a limit of requests is over. GitHub answers 403 as well as 429 for its limits, so it is not the
 * status that tells.
 */
function limitedFor({ status, headers }: ForgeAnswer): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const asked = retryAfterMs(headers['retry-after'], new Date());
  if (asked !== undefined) return asked;
  const reset = Number(headers['x-ratelimit-reset']);
  return headers['x-ratelimit-remaining'] === '0' && Number.isFinite(reset) ? Math.max(0, reset * 1000 - Date.now()) : undefined;
}

/** The error of an answer that nobody wanted. */
export function statusError(call: ForgeCall, answer: ForgeAnswer, dialect: ForgeDialect): EngineError {
  const { host } = new URL(call.url);
  const words = wordsOf(answer.text, [call.access.token, ...(call.secrets ?? [])]);
  const said = words === '' ? `status ${answer.status}` : `status ${answer.status}: ${words}`;
  const limited = limitedFor(answer);
  if (isBusy(answer, dialect)) {
    const retry = limited ?? retryAfterMs(answer.headers['retry-after'], new Date());
    return new EngineError('forge-failed', `${host} answered ${call.doing} with ${said}`, { transient: true, retryAfterMs: retry });
  }
  const help = rightsHelp(dialect.kind);
  if (answer.status === 404)
    return new EngineError('forge-denied', `${host} does not know the repository, or hides it from the token: ${call.doing}, ${said}`, {
      help,
    });
  if (answer.status === 401 || answer.status === 403 || dialect.denies?.(answer.status, answer.headers.location ?? '') === true)
    return new EngineError('forge-denied', `${host} denied ${call.doing} (${said})`, { help });
  return new EngineError('forge-failed', `${host} refused ${call.doing} (${said})`);
}

/** What the forge says itself, without secrets, in one line. */
function wordsOf(text: string, secrets: readonly string[]): string {
  let words = printable(messageIn(jsonOf(text)) ?? (/^\s*</.test(text) ? '' : text));
  for (const secret of secrets) if (secret !== '') words = words.replaceAll(secret, '***');
  return words.trim().slice(0, 300);
}

function messageIn(body: unknown): string | undefined {
  if (typeof body === 'string') return body;
  if (typeof body !== 'object' || body === null) return undefined;
  const said = 'message' in body ? body.message : 'error' in body ? body.error : undefined;
  const details = 'errors' in body && Array.isArray(body.errors) && body.errors.length > 0 ? ` ${JSON.stringify(body.errors)}` : '';
  if (typeof said === 'string') return `${said}${details}`;
  if (typeof said === 'object' && said !== null) return messageIn(said) ?? JSON.stringify(said);
  return JSON.stringify(body);
}

/** The error of a request that got no answer. */
export function connectionError(call: ForgeCall, error: HttpError): EngineError {
  const { host } = new URL(call.url);
  if (error.kind === 'refused-address') {
    return new EngineError('policy-refused', `${host}: ${error.message}`, { cause: error });
  }
  return new EngineError('forge-failed', `${host} could not be asked for ${call.doing}: ${error.message}`, {
    cause: error,
    transient: error.transient || error.kind === 'canceled',
    ...(error.kind === 'tls'
      ? { help: 'Add the authority of the forge to the trusted certificates of this machine, or to NODE_EXTRA_CA_CERTS.' }
      : {}),
  });
}
