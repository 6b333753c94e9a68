import type { PullRequest, TransferIo, TransferOutcome } from '../model/ports/container-engine.ts';
import type { CredentialSource } from '../model/ports/credential-source.ts';
import { type EngineApi, type EngineCall, EngineRefusal } from './engine-api.ts';
import { imagePath, isLoopbackHost, registryHostOf, splitTag, withTag } from './image-name.ts';
import { readProgress } from './transfer-progress.ts';

/** What transfers of one run have in common. */
export interface TransferSettings {
  readonly credentials: CredentialSource;
  readonly insecureRegistries: readonly string[];
}

/** Pulls one image through the engine. Rejects with EngineError only when the engine itself is gone. */
export async function pullImage(
  api: EngineApi,
  request: PullRequest,
  settings: TransferSettings,
  io: TransferIo,
): Promise<TransferOutcome> {
  const reference = withTag(request.reference);
  const outcome = await transfer(api, 'pull', reference, io, {
    method: 'POST',
    path: '/images/create',
    query: {
      fromImage: reference,
      ...(request.platform === undefined ? {} : { platform: request.platform }),
      ...plainHttp(reference, settings),
    },
    registryAuth: await registryAuth(reference, settings.credentials, io.signal),
    signal: io.signal,
  });
  return outcome.ok && outcome.digest === '' ? { ok: true, digest: await storedDigest(api, reference) } : outcome;
}

/**
 * Pushes what a reference with a tag names, once, when `ready` has resolved. The digest is the one the registry confirmed to the engine.
 */
export async function pushReference(
  api: EngineApi,
  reference: string,
  settings: TransferSettings,
  io: TransferIo,
  ready?: Promise<unknown>,
): Promise<TransferOutcome> {
  const { name, tag } = splitTag(reference);
  const [auth] = await Promise.all([registryAuth(reference, settings.credentials, io.signal), ready]);
  return await transfer(api, 'push', reference, io, {
    method: 'POST',
    path: `/images/${imagePath(name)}/push`,
    query: { tag, ...plainHttp(reference, settings) },
    registryAuth: auth,
    signal: io.signal,
  });
}

async function transfer(
  api: EngineApi,
  direction: 'pull' | 'push',
  image: string,
  io: TransferIo,
  call: EngineCall,
): Promise<TransferOutcome> {
  let digest = '';
  let failure: string | undefined;
  let status: number | undefined;
  try {
    for await (const message of readProgress(await api.stream(call))) {
      if (message.error !== undefined || message.errorDetail !== undefined) {
        failure = message.errorDetail?.message ?? message.error ?? 'the engine reported a failure without a reason';
        status = message.errorDetail?.code;
      }
      digest = message.aux?.Digest ?? /digest:\s*(sha256:[0-9a-f]{64})/i.exec(message.status ?? '')?.[1] ?? digest;
      if (message.status !== undefined) {
        io.onTransfer({ image, direction, layer: message.id ?? '', state: message.status, ...progressCounts(message.progressDetail) });
      }
    }
  } catch (error) {
    if (io.signal.aborted) return canceled(direction, image);
    if (!(error instanceof EngineRefusal)) throw error;
    failure = error.message;
    status = error.status === 500 ? undefined : error.status;
  }
  if (io.signal.aborted && failure !== undefined) return canceled(direction, image);
  return failure === undefined ? { ok: true, digest } : failed(failure, status);
}

function progressCounts(detail: { readonly current?: number; readonly total?: number } | undefined): { current?: number; total?: number } {
  return {
    ...(detail?.current === undefined ? {} : { current: detail.current }),
    ...(detail?.total === undefined ? {} : { total: detail.total }),
  };
}

function canceled(direction: 'pull' | 'push', image: string): TransferOutcome {
  return { ok: false, message: `The ${direction} of ${image} was cancelled.`, permanent: false, canceled: true };
}

function failed(message: string, status: number | undefined): TransferOutcome {
  const retryAfter = /retry[- ]after"?[:=]?\s*"?(\d{1,6})/i.exec(message)?.[1];
  return {
    ok: false,
    message,
    permanent: isPermanent(message, status),
    ...(retryAfter === undefined ? {} : { retryAfterMs: Number(retryAfter) * 1000 }),
    canceled: false,
  };
}

const TEMPORARY =
  /too ?many ?requests|\b(408|429)\b|timeout|timed out|connection (refused|reset)|unexpected eof|no such host|temporary failure|unavailable/i;
const FINAL =
  /unauthorized|authentication required|denied|forbidden|not found|unknown|does not exist|no such image|invalid|not a valid|no basic auth|cannot push a digest|no matching manifest|server gave http response to https client|unsupported|certificate/i;

/**
 * Whether trying again is of no use: a 4xx of the registry other than 408 and 429. Engines pass the registry's answer on
 * as text, with an HTTP status in it only at times, so the error codes of the distribution protocol are looked for too.
 */
export function isPermanent(message: string, status: number | undefined): boolean {
  const named = status ?? Number(/(?:status(?: code)?:?|http)\s*"?([45]\d\d)\b/i.exec(message)?.[1] ?? Number.NaN);
  if (named === 408 || named === 429) return false;
  if (TEMPORARY.test(message)) return false;
  if (named >= 400 && named < 500) return true;
  if (named >= 500) return false;
  return FINAL.test(message);
}

async function registryAuth(reference: string, credentials: CredentialSource, signal: AbortSignal): Promise<object> {
  const host = registryHostOf(reference);
  const credential = await credentials.forHost(host, signal);
  if (credential === undefined) return {};
  const serveraddress = host === 'docker.io' ? 'https://index.docker.io/v1/' : host;
  return credential.kind === 'basic'
    ? { username: credential.username, password: credential.password, serveraddress }
    : { identitytoken: credential.token, serveraddress };
}

/** Podman is told per request; Docker allows plain HTTP for loopback and for what its own configuration names. */
function plainHttp(reference: string, settings: TransferSettings): { tlsVerify?: boolean } {
  const host = registryHostOf(reference);
  return isLoopbackHost(host) || settings.insecureRegistries.includes(host) ? { tlsVerify: false } : {};
}

async function storedDigest(api: EngineApi, reference: string): Promise<string> {
  const image = await api.json<{ RepoDigests?: readonly string[] | null }>({ method: 'GET', path: `/images/${imagePath(reference)}/json` });
  const digests = (image.RepoDigests ?? []).map((entry) => entry.split('@'));
  const { name } = splitTag(reference.split('@')[0] ?? reference);
  return (digests.find(([repository]) => repository === name || repository?.endsWith(`/${name}`)) ?? digests[0])?.[1] ?? '';
}
