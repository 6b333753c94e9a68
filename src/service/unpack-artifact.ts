import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../model/engine-error.ts';
import type { ContextFetcher } from '../model/ports/context-fetcher.ts';
import type { Descriptor, Registry } from '../model/ports/registry.ts';
import { resolveBelow } from './confined-path.ts';

const TITLE = 'org.opencontainers.image.title';
const UNPACK = 'io.deis.oras.content.unpack';

interface UnpackOptions {
  readonly fetcher: ContextFetcher;
  readonly registry: Pick<Registry, 'pullArtifact'>;
  readonly signal: AbortSignal;
}

/** Pulls an artifact into a directory: layers that are archives are unpacked, the others become files under their titles. */
export async function unpackArtifact(reference: string, directory: string, options: UnpackOptions): Promise<void> {
  const { fetcher, registry, signal } = options;
  const onLayer = async (layer: Descriptor, content: AsyncIterable<Uint8Array>): Promise<void> => {
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
  await mkdir(dirname(place), { recursive: true });
  await pipeline(Readable.from(content), createWriteStream(place, { flags: 'wx', mode: 0o644 }), { signal });
}
