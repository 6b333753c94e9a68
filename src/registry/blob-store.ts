import { createHash } from 'node:crypto';
import { EngineError } from '../model/engine-error.ts';
import type { Descriptor } from '../model/ports/registry.ts';
import type { HttpBody, HttpResponse } from '../util/http.ts';
import { type Attempt, type RetryPolicy, withRetries } from '../util/retry.ts';
import type { Repository } from './manifest-store.ts';
import type { RegistryHttp, RegistryRequest } from './registry-http.ts';

/** Bytes sent in one PATCH; a blob up to this size goes in one PUT. */
const CHUNK = 8 * 1024 * 1024;

/** Blobs of repositories. Content read is checked against its digest. */
export interface BlobStore {
  /** Throws at its end when size or digest differ from the descriptor. */
  read(repository: Repository, blob: Descriptor, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Copies a blob unless it is there; within one registry it is mounted where the registry can. */
  copy(from: Repository, to: Repository, blob: Descriptor, signal?: AbortSignal): Promise<void>;
  /** Starts an upload and drops it. */
  probeUpload(repository: Repository, signal?: AbortSignal): Promise<void>;
}

export function createBlobStore(http: RegistryHttp, retry: RetryPolicy): BlobStore {
  return {
    read: (repository, blob, signal) => readBlob(http, repository, blob, signal),
    copy: (from, to, blob, signal) =>
      withRetries({ ...retry, signal }, async (_number, last): Promise<Attempt<void>> => {
        try {
          await copyOnce(http, { from, to, blob, signal });
          return { done: true, value: undefined };
        } catch (error) {
          if (last || !(error instanceof EngineError) || !error.transient || signal?.aborted === true) throw error;
          return { done: false };
        }
      }),
    probeUpload: async (repository, signal) => {
      const started = await location(http, repository, await http.send(startRequest(repository, undefined, signal)));
      const dropped = await http.send({ ...uploadRequest(repository, started, signal), method: 'DELETE' });
      dropped.discard();
    },
  };
}

interface BlobCopy {
  readonly from: Repository;
  readonly to: Repository;
  readonly blob: Descriptor;
  readonly signal: AbortSignal | undefined;
}

/** Looks first whether the blob is there: an earlier attempt may have brought it although its answer was lost. */
async function copyOnce(http: RegistryHttp, { from, to, blob, signal }: BlobCopy): Promise<void> {
  const present = await http.send({ ...blobRequest(to, blob.digest, 'pull', signal), method: 'HEAD' });
  present.discard();
  if (present.status === 200) return;
  const mountFrom = from.host === to.host ? { repository: from.repository, digest: blob.digest } : undefined;
  const started = await http.send(startRequest(to, mountFrom, signal));
  if (started.status === 201) started.discard();
  else await upload(http, { to, blob, signal, read: () => readBlob(http, from, blob, signal) }, await location(http, to, started));
}

function startRequest(
  to: Repository,
  mount: { readonly repository: string; readonly digest: string } | undefined,
  signal: AbortSignal | undefined,
): RegistryRequest {
  const query = mount === undefined ? '' : `?mount=${mount.digest}&from=${encodeURIComponent(mount.repository)}`;
  const request = blobRequest(to, `uploads/${query}`, 'pull,push', signal);
  const source = mount === undefined || mount.repository === to.repository ? [] : [`repository:${mount.repository}:pull`];
  return { ...request, scopes: [...request.scopes, ...source], method: 'POST', body: Buffer.alloc(0) };
}

function blobRequest({ host, repository }: Repository, path: string, action: string, signal: AbortSignal | undefined): RegistryRequest {
  return { host, target: `/v2/${repository}/blobs/${path}`, scopes: [`repository:${repository}:${action}`], signal };
}

function uploadRequest({ host, repository }: Repository, target: string, signal: AbortSignal | undefined): RegistryRequest {
  return { host, target, scopes: [`repository:${repository}:pull,push`], signal };
}

/** Where to go on with an upload; relative to where the answer came from. */
async function location(http: RegistryHttp, repository: Repository, response: HttpResponse): Promise<string> {
  const header = response.headers.location;
  if (response.status !== 202 || header === undefined || !URL.canParse(header, response.url)) {
    throw await http.errorOf(repository.host, `an upload to ${repository.host}/${repository.repository}`, response);
  }
  response.discard();
  return new URL(header, response.url).href;
}

async function* readBlob(
  http: RegistryHttp,
  repository: Repository,
  blob: Descriptor,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const response = await http.send({ ...blobRequest(repository, blob.digest, 'pull', signal), maxBytes: blob.size });
  if (response.status !== 200) throw await http.errorOf(repository.host, `the request for blob ${blob.digest}`, response);
  const hash = createHash(blob.digest.slice(0, blob.digest.indexOf(':')));
  let size = 0;
  try {
    for await (const chunk of response.body) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw http.failure(repository.host, error);
  }
  const actual = `${blob.digest.slice(0, blob.digest.indexOf(':'))}:${hash.digest('hex')}`;
  if (actual !== blob.digest || size !== blob.size) {
    throw new EngineError(
      'registry-failed',
      `${repository.host} sent ${size} bytes with digest ${actual} for blob ${blob.digest} of ${blob.size} bytes`,
    );
  }
}

interface Upload {
  readonly to: Repository;
  readonly blob: Descriptor;
  readonly signal: AbortSignal | undefined;
  read(): AsyncIterable<Uint8Array>;
}

/** One PUT for a small blob, PATCHes and a closing PUT for a big one. Sent once: a broken upload is started anew by the caller. */
async function upload(http: RegistryHttp, { to, blob, signal, read }: Upload, started: string): Promise<void> {
  let target = started;
  let offset = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunksOf(read(), CHUNK)) {
    rest = chunk;
    if (offset + chunk.length >= blob.size) break;
    const headers = { 'content-type': 'application/octet-stream', 'content-range': `${offset}-${offset + chunk.length - 1}` };
    const response = await http.send({ ...uploadRequest(to, target, signal), method: 'PATCH', headers, body: chunk, retry: false });
    target = await location(http, to, response);
    offset += chunk.length;
  }
  await finish(http, { to, blob, signal }, target, { body: rest, offset });
}

async function finish(
  http: RegistryHttp,
  { to, blob, signal }: Omit<Upload, 'read'>,
  target: string,
  last: { readonly body: HttpBody & Buffer; readonly offset: number },
): Promise<void> {
  const url = new URL(target);
  url.searchParams.set('digest', blob.digest);
  const range: Record<string, string> =
    last.offset === 0 ? {} : { 'content-range': `${last.offset}-${last.offset + last.body.length - 1}` };
  const headers = { 'content-type': 'application/octet-stream', ...range };
  const response = await http.send({
    ...uploadRequest(to, url.href, signal),
    method: 'PUT',
    headers,
    body: last.body,
    retry: false,
    idleTimeoutMs: 300_000,
  });
  if (response.status !== 201 && response.status !== 204) throw await http.errorOf(to.host, `the upload of blob ${blob.digest}`, response);
  response.discard();
}

/** Pieces of exactly `size` bytes, the last one shorter; the whole stream is read so that its end can be checked. */
async function* chunksOf(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer, void, undefined> {
  let pending: Uint8Array[] = [];
  let length = 0;
  for await (const piece of source) {
    let rest = piece;
    while (length + rest.length > size) {
      const taken = size - length;
      yield Buffer.concat([...pending, rest.subarray(0, taken)]);
      rest = rest.subarray(taken);
      pending = [];
      length = 0;
    }
    pending.push(rest);
    length += rest.length;
  }
  yield Buffer.concat(pending);
}
