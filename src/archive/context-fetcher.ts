import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import type { ContextFetcher } from '../model/ports/context-fetcher.ts';
import type { AddressPolicy } from '../util/address-policy.ts';
import { createHttpClient, type HttpResponse } from '../util/http.ts';
import { HttpError } from '../util/http-error.ts';
import { isTransientStatus, printable } from '../util/http-retry.ts';
import { type Attempt, type RetryPolicy, retryAfterMs, withRetries } from '../util/retry.ts';
import { peek, untilAborted } from './byte-streams.ts';
import { type ContentKind, decompress, detectContent, MAGIC_LENGTH } from './compression.ts';
import { type ArchiveLimits, DEFAULT_LIMITS } from './limits.ts';
import { unpackTar } from './unpack-tar.ts';

export interface ContextFetcherOptions {
  readonly addresses: AddressPolicy;
  readonly limits?: Partial<ArchiveLimits>;
  readonly retry?: RetryPolicy;
}

const RETRY: RetryPolicy = { attempts: 3, baseMs: 1000, capMs: 30_000 };
const MAX_DOCKERFILE = 4 * 1024 * 1024;

/** Archive contexts over HTTP and from streams. On failure the directory is left empty. */
export function createContextFetcher(options: ContextFetcherOptions): ContextFetcher {
  const http = createHttpClient({ addresses: options.addresses });
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const retry = options.retry ?? RETRY;
  return {
    fetchArchive: (text, directory, { signal }) =>
      withRetries({ ...retry, signal }, async (_number, last): Promise<Attempt<void>> => {
        const source = sourceOf(text);
        let response: HttpResponse | undefined;
        try {
          response = await http.request({ url: source.url, headers: source.headers, signal, maxBytes: limits.maxBytes });
          if (!last && isTransientStatus(response.status)) {
            response.discard();
            const afterMs = retryAfterMs(response.headers['retry-after'], new Date());
            return { done: false, ...(afterMs === undefined ? {} : { afterMs }) };
          }
          await unpackResponse(response, source.shown, directory, { limits, signal });
          return { done: true, value: undefined };
        } catch (error) {
          // What is refused in the middle goes on arriving otherwise.
          response?.discard();
          await emptyDirectory(directory);
          if (!last && error instanceof HttpError && error.transient) return { done: false };
          throw failure(error, source.shown, signal);
        }
      }),
    unpackStream: async (content, directory, { signal, name: shown = 'standard input' }) => {
      const source = untilAborted(content, signal);
      try {
        const { head, whole } = await peek(source, MAGIC_LENGTH);
        const kind = detectContent(head);
        if (kind === 'text') return { kind: 'dockerfile', text: await readDockerfile(whole, shown) };
        await unpackContent(kind, whole, directory, { limits, signal, shown, contentType: '' });
        return { kind: 'archive' };
      } catch (error) {
        await emptyDirectory(directory);
        throw failure(error, shown, signal);
      } finally {
        // Not awaited: it may be waiting for a source that says nothing.
        source.return(undefined).catch(() => undefined);
      }
    },
  };
}

/** A URL without its credentials, and how to name it: queries are left out, they hold signatures. */
function sourceOf(text: string): { readonly url: string; readonly shown: string; readonly headers: Readonly<Record<string, string>> } {
  if (!URL.canParse(text)) throw new EngineError('context-rejected', 'the URL of the context is malformed');
  const url = new URL(text);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  url.hash = '';
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const headers: Record<string, string> =
    username === '' && password === '' ? {} : { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  return { url: url.href, shown: `${url.origin}${url.pathname}`, headers };
}

interface Unpacking {
  readonly limits: ArchiveLimits;
  readonly signal: AbortSignal;
}

async function unpackResponse(response: HttpResponse, shown: string, directory: string, unpacking: Unpacking): Promise<void> {
  if (response.status !== 200) {
    const words = printable((await response.text().catch(() => '')).slice(0, 500)).trim();
    throw new EngineError('context-failed', `${shown} answered with status ${response.status}${words === '' ? '' : `: ${words}`}`, {
      transient: isTransientStatus(response.status),
    });
  }
  const { head, whole } = await peek(response.body, MAGIC_LENGTH);
  const contentType = response.headers['content-type'] ?? '';
  await unpackContent(detectContent(head), whole, directory, { ...unpacking, shown, contentType });
}

interface Content extends Unpacking {
  readonly shown: string;
  readonly contentType: string;
}

async function unpackContent(kind: ContentKind, source: AsyncIterable<Uint8Array>, directory: string, content: Content): Promise<void> {
  if (kind === 'zip' || kind === 'text' || kind === 'unknown' || kind === 'empty') throw notAnArchive(kind, content);
  const received = { bytes: 0 };
  const unpacked = await decompress(kind, counted(source, received));
  const { head, whole } = await peek(unpacked, MAGIC_LENGTH);
  const inner = detectContent(head);
  if (inner !== 'tar')
    throw new EngineError('context-rejected', `${content.shown} is compressed (${kind}), but what it holds is no tar archive`);
  await unpackTar(bounded(whole, received, content), directory, content.limits, content.signal);
}

function notAnArchive(kind: ContentKind, { shown, contentType }: Content): EngineError {
  if (kind === 'empty') return new EngineError('context-rejected', `${shown} is empty`);
  if (kind === 'zip') {
    return new EngineError('context-rejected', `${shown} is a zip archive, which is not supported`, {
      help: 'Pack the context as tar, plain or with gzip, bzip2, xz or zstd.',
    });
  }
  const type = contentType === '' ? '' : ` (its content type is ${printable(contentType).slice(0, 100)})`;
  return new EngineError('context-rejected', `${shown} is not a tar archive${type}`, {
    help: 'Archives are tar, plain or with gzip, bzip2, xz or zstd. The URL of a git repository ends in `.git`.',
  });
}

async function* counted(source: AsyncIterable<Uint8Array>, received: { bytes: number }): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    received.bytes += chunk.length;
    yield chunk;
  }
}

/** Stops bombs: too many bytes, or far too many for what was received. Cut into pieces so that memory stays small. */
async function* bounded(
  source: AsyncIterable<Uint8Array>,
  received: { readonly bytes: number },
  { limits, shown }: Content,
): AsyncGenerator<Uint8Array, void, undefined> {
  let unpacked = 0;
  for await (const chunk of source) {
    unpacked += chunk.length;
    if (unpacked > limits.maxBytes) throw new EngineError('context-rejected', `${shown} unpacks to more than ${limits.maxBytes} bytes`);
    if (unpacked > limits.ratioFromBytes && unpacked > received.bytes * limits.maxRatio) {
      throw new EngineError('context-rejected', `${shown} unpacks to more than ${limits.maxRatio} times its size`);
    }
    yield chunk;
  }
}

async function readDockerfile(source: AsyncIterable<Uint8Array>, shown: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > MAX_DOCKERFILE)
      throw new EngineError('context-rejected', `a Dockerfile has at most ${MAX_DOCKERFILE} bytes, and ${shown} has more`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new EngineError('context-rejected', `${shown} is neither a tar archive nor a Dockerfile in UTF-8`);
  }
}

function failure(error: unknown, shown: string, signal: AbortSignal): unknown {
  if (signal.aborted) return new EngineError('context-failed', `fetching ${shown} was cancelled`, { cause: signal.reason });
  if (error instanceof EngineError) return error;
  if (error instanceof HttpError) {
    const refused =
      error.kind === 'refused-address' || error.kind === 'refused-redirect' || error.kind === 'bad-url' || error.kind === 'too-large';
    return new EngineError(refused ? 'context-rejected' : 'context-failed', `cannot fetch ${shown}: ${error.message}`, {
      cause: error,
      transient: error.transient,
    });
  }
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
    return new EngineError('disk-full', `no space is left to unpack ${shown}`, { cause: error });
  const message = printable(error instanceof Error ? error.message : String(error)).slice(0, 300);
  return new EngineError('context-failed', `${shown} is damaged or cannot be unpacked: ${message}`, { cause: error });
}

async function emptyDirectory(directory: string): Promise<void> {
  for (const entry of await readdir(directory)) await rm(join(directory, entry), { recursive: true, force: true });
}
