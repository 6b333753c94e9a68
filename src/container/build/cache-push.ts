import type { BuildIo } from '../../model/ports/container-engine.ts';
import type { CredentialSource } from '../../model/ports/credential-source.ts';
import type { EngineApi } from '../engine-api.ts';
import { registryHostOf, splitTag, withTag } from '../image-name.ts';
import { readJsonLines } from './json-lines.ts';
import { registryAuth } from './registry-auth.ts';

/**
 * Pushes the image under the reference of a cache and takes the name away again, unless it is a name that the build gives
 * the image anyway, or the only one it has: the engine removes an image with its last name. A cache that cannot be pushed costs the
 * next build time and nothing else, so it is a warning and never a failure.
 */
export async function pushCache(
  api: EngineApi,
  reference: string,
  { tags, credentials }: { readonly tags: readonly string[]; readonly credentials: CredentialSource },
  io: BuildIo,
): Promise<void> {
  const vertex = `cache:${reference}`;
  const name = `exporting cache to ${reference}`;
  const startedAt = performance.now();
  io.onProgress({ vertex, name, state: 'started' });
  const trouble = await push(api, reference, credentials, io.signal).catch((error: unknown) =>
    error instanceof Error ? error.message : String(error),
  );
  const temporary = tags.length > 0 && !tags.some((tag) => withTag(tag) === withTag(reference));
  if (temporary)
    await api.json({ method: 'DELETE', path: `/images/${withTag(reference)}`, query: { noprune: true } }).catch(() => undefined);
  const durationMs = performance.now() - startedAt;
  io.onProgress({
    vertex,
    name,
    state: 'done',
    durationMs,
    ...(trouble === undefined ? {} : { warning: `the cache was not pushed: ${trouble}` }),
  });
}

async function push(api: EngineApi, reference: string, credentials: CredentialSource, signal: AbortSignal): Promise<string | undefined> {
  const { name, tag } = splitTag(withTag(reference));
  const stream = await api.stream({
    method: 'POST',
    path: `/images/${name}/push`,
    query: { tag },
    registryAuth: await registryAuth(credentials, registryHostOf(reference), signal),
    signal,
  });
  let trouble: string | undefined;
  for await (const message of readJsonLines(stream as AsyncIterable<Uint8Array>)) trouble ??= message.errorDetail?.message ?? message.error;
  return trouble;
}
