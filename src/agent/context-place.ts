import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The folder of one run below the agent's own: what is fetched for it stands there under its name only when it is whole. `context`: what it
 * runs on. `task`: where its task file is read, when that is another place.
 */
export class ContextPlace {
  readonly #folder: string;
  readonly #name: string;

  constructor(workDirectory: string, run: string, name: 'context' | 'task' = 'context') {
    this.#folder = join(workDirectory, run);
    this.#name = name;
  }

  get directory(): string {
    return join(this.#folder, this.#name);
  }

  /** Whether an earlier attempt fetched all of it. */
  async isThere(): Promise<boolean> {
    return stat(this.directory).then(
      (found) => found.isDirectory(),
      () => false,
    );
  }

  /** Gives an empty folder to `fetch`; what it leaves there becomes the context. On failure nothing of the run is left. */
  async fill<T>(fetch: (directory: string) => Promise<T>): Promise<T> {
    const directory = join(this.#folder, `${this.#name}-fetching`);
    for (const old of [directory, this.directory]) await rm(old, { recursive: true, force: true, maxRetries: 2 });
    await mkdir(directory, { recursive: true, mode: 0o700 });
    try {
      const fetched = await fetch(directory);
      await rename(directory, this.directory);
      return fetched;
    } catch (error) {
      await this.remove();
      throw error;
    }
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 2 });
  }
}

/** Makes the folder of contexts, and removes those of runs that are not `kept`. */
export async function tidyContexts(workDirectory: string, kept: ReadonlySet<string>): Promise<void> {
  await mkdir(workDirectory, { recursive: true, mode: 0o700 });
  const names = await readdir(workDirectory);
  await Promise.all(names.filter((name) => !kept.has(name)).map((name) => rm(join(workDirectory, name), { recursive: true, force: true })));
}
