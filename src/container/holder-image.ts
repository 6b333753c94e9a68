import { createHash } from 'node:crypto';
import { EngineError } from '../model/engine-error.ts';
import type { EngineDescription } from '../model/ports/container-engine.ts';
import { type EngineApi, isRefusal } from './engine-api.ts';
import { imagePath } from './image-name.ts';
import { pauseProgram } from './pause-program.ts';
import { packEntries } from './tar.ts';
import { readProgress } from './transfer-progress.ts';

/** The image of containers that only hold something: a network namespace, a mounted tmpfs, a volume to copy into. */
export interface HolderImage {
  readonly reference: string;
  /** False where no pause program exists for the architecture: containers of it can be created but not run. */
  readonly runs: boolean;
}

const REPOSITORY = 'slipway-holder';

/** Makes sure that the engine has the image; it is imported once per engine, from bytes made here. Safe to call concurrently. */
export async function ensureHolderImage(api: EngineApi, description: EngineDescription): Promise<HolderImage> {
  const program = pauseProgram(description.architecture);
  const archive = await packEntries([
    { path: 'workspace', mode: 0o755 },
    { path: 'acb', mode: 0o755 },
    { path: 'acb/home', mode: 0o755 },
    ...(program === undefined ? [] : [{ path: 'pause', mode: 0o755, content: program }]),
  ]);
  // The tag is the content's: another version of this program brings its own image and never uses a stranger's.
  const tag = createHash('sha256').update(archive).update(description.architecture).digest('hex').slice(0, 16);
  const image = { reference: `${REPOSITORY}:${tag}`, runs: program !== undefined };
  if (await imageExists(api, image.reference)) return image;
  // Podman forgets the tag of an import, so the image is tagged by its id.
  const id = await importImage(api, archive, `${description.os}/${description.architecture}`);
  await api.json({ method: 'POST', path: `/images/${imagePath(id)}/tag`, query: { repo: REPOSITORY, tag } });
  return image;
}

async function importImage(api: EngineApi, archive: Buffer, platform: string): Promise<string> {
  const query = { fromSrc: '-', platform, changes: 'ENTRYPOINT ["/pause"]' };
  let id: string | undefined;
  for await (const message of readProgress(await api.stream({ method: 'POST', path: '/images/create', query, file: archive }))) {
    if (message.error !== undefined) throw new EngineError('engine-failed', `Importing the image of holders: ${message.error}`);
    id = /^(?:sha256:)?[0-9a-f]{64}$/.exec(message.status?.trim() ?? '')?.[0] ?? id;
  }
  if (id === undefined) throw new EngineError('engine-failed', 'Importing the image of holders: the engine named no image.');
  return id;
}

async function imageExists(api: EngineApi, reference: string): Promise<boolean> {
  try {
    await api.json({ method: 'GET', path: `/images/${reference}/json` });
    return true;
  } catch (error) {
    if (isRefusal(error, 404)) return false;
    throw error;
  }
}
