import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { EngineError } from '../model/engine-error.ts';

/** Packs a directory as a tar stream, leaving out what the lines of a .dockerignore exclude. */
export type PackWorkspace = (directory: string, ignore: readonly string[]) => Readable | Promise<Readable>;

/**
 * A directory as the first content of a workspace. The Dockerfile and the .dockerignore stay in even where a pattern
 * excludes them, as they do for a build: later steps build from the workspace.
 */
export async function workspaceSeed(directory: string, pack: PackWorkspace): Promise<Readable> {
  try {
    return await pack(directory, await ignoreLines(directory));
  } catch (error) {
    throw new EngineError('context-rejected', `${join(directory, '.dockerignore')}: ${(error as Error).message}`, { cause: error });
  }
}

async function ignoreLines(directory: string): Promise<readonly string[]> {
  const text = await readFile(join(directory, '.dockerignore'), 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  return [...lines, '!Dockerfile', '!.dockerignore'];
}
