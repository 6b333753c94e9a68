import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkFolders } from '../service/runs/retention.ts';

/** The folders of running runs' contexts below one directory. */
export function createWorkFolders(directory: string): WorkFolders {
  return {
    list: async () => (await readdir(directory, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name),
    remove: async (name) => {
      const path = join(directory, name);
      const bytes = await sizeOf(path);
      await rm(path, { recursive: true, force: true });
      return bytes;
    },
  };
}

async function sizeOf(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}
