import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../model/engine-error.ts';
import type { ContextFetcher } from '../model/ports/context-fetcher.ts';
import type { Descriptor, Registry } from '../model/ports/registry.ts';
import { resolveBelow } from '../util/confined-path.ts';

const TITLE = 'org.opencontainers.image.title';
const UNPACK = 'io.deis.oras.content.unpack';
/** Of all layers together, as the registry sends them: as much as an archive context may have. */
const MOST_BYTES = 4 * 1024 ** 3;

interface UnpackOptions {
  readonly fetcher: ContextFetcher;
  readonly registry: Pick<Registry, 'pullArtifact'>;
  readonly signal: AbortSignal;
}

/**
 * Pulls an artifact into a directory: layers that are archives are unpacked, the others become files under their titles.
 * Rejects with EngineError.
 */
export async function unpackArtifact(reference: string, directory: string, options: UnpackOptions): Promise<void> {
  const { fetcher, registry, signal } = options;
  let announced = 0;
  const onLayer = async (layer: Descriptor, content: AsyncIterable<Uint8Array>): Promise<void> => {
    announced += layer.size;
    if (announced > MOST_BYTES)
      throw new EngineError('context-rejected', `the artifact \`${reference}\` has more than ${MOST_BYTES} bytes`);
    const title = layer.annotations?.[TITLE] ?? '';
    if (title !== '' && !isArchive(layer)) await writeLayer(directory, title, content, signal);
    else {
      const unpacked = await fetcher.unpackStream(content, directory, { signal, name: `the artifact ${reference}` });
      if (unpacked.kind !== 'archive')
        throw new EngineError('context-failed', `the artifact \`${reference}\` has a layer that is neither an archive nor a named file`);
    }
  };
  await registry.pullArtifact(reference, onLayer, { signal });
}

function isArchive(layer: Descriptor): boolean {
  return layer.annotations?.[UNPACK] === 'true' || /[.+](?:tar|tar[.+](?:gzip|gz|zstd))$/.test(layer.mediaType);
}

async function writeLayer(directory: string, title: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const place = await resolveBelow(directory, title);
  if (place === undefined || place === directory)
    throw new EngineError('context-rejected', `the artifact names a file \`${title}\` outside of its directory`);
  try {
    await mkdir(dirname(place), { recursive: true });
    await pipeline(Readable.from(content), createWriteStream(place, { flags: 'wx', mode: 0o644 }), { signal });
  } catch (error) {
    throw writeFailure(error, title);
  }
}

/** What the registry's side did wrong is an EngineError already; the rest is about the file. */
function writeFailure(error: unknown, title: string): unknown {
  if (error instanceof EngineError || !(error instanceof Error && 'code' in error)) return error;
  if (error.code === 'EEXIST' || error.code === 'ENOTDIR' || error.code === 'EISDIR')
    return new EngineError('context-rejected', `the artifact names the file \`${title}\` twice, or once as a directory`, { cause: error });
  if (error.code === 'ENOSPC')
    return new EngineError('disk-full', `no space is left for the file \`${title}\` of the artifact`, { cause: error });
  return error.code === 'ABORT_ERR'
    ? error
    : new EngineError('context-failed', `cannot write the file \`${title}\` of the artifact (${String(error.code)})`, { cause: error });
}
