import type { LogWriter } from '../model/ports/log-store.ts';
import { BlockCache } from './block-cache.ts';
import { LogFile } from './log-file.ts';
import type { LogPaths } from './log-paths.ts';

/** Logs that nobody uses at the moment and that stay open for the next reader. */
const MOST_IDLE = 32;

interface Entry {
  readonly opening: Promise<LogFile | undefined>;
  users: number;
  writer: Promise<LogWriter> | undefined;
  /** Taken out of the map: closed as soon as nobody uses it. */
  forgotten: boolean;
}

/**
 * The logs that are open, each once: its writer and all its readers share what is known of its index. Of those that nobody uses only
 * the ones used last stay open.
 */
export class OpenLogs {
  readonly #entries = new Map<string, Entry>();
  readonly #cache = new BlockCache();

  /** Gives the log (undefined when there is none) to `work` and keeps it open until that has ended. */
  async use<T>(paths: LogPaths, work: (file: LogFile | undefined) => Promise<T>): Promise<T> {
    const entry = this.#entry(paths, false);
    try {
      return await work(await entry.opening);
    } finally {
      this.#release(paths.run, entry);
    }
  }

  /** The one writer of a log, which is made when it is missing; `closed` must be called when the writer has written its last. */
  async writer(paths: LogPaths, make: (file: LogFile, closed: () => void) => LogWriter): Promise<LogWriter> {
    let entry = this.#entry(paths, true);
    if ((await entry.opening) === undefined) {
      // It was looked for while it did not exist yet.
      this.#forget(paths.run, entry);
      this.#release(paths.run, entry);
      entry = this.#entry(paths, true);
    }
    if (entry.writer !== undefined) {
      const { writer } = entry;
      this.#release(paths.run, entry);
      return writer;
    }
    entry.writer = this.#newWriter(paths.run, entry, make);
    return entry.writer;
  }

  async #newWriter(run: string, entry: Entry, make: (file: LogFile, closed: () => void) => LogWriter): Promise<LogWriter> {
    const closed = (): void => {
      entry.writer = undefined;
      this.#release(run, entry);
    };
    try {
      const file = await entry.opening;
      if (file === undefined) throw new Error('bug: a log that is written must be there');
      return make(file, closed);
    } catch (error) {
      closed();
      throw error;
    }
  }

  /** Closes the writer, and the files when the last reader has ended. The next use opens the log anew. */
  async forget(run: string): Promise<void> {
    const entry = this.#entries.get(run);
    if (entry === undefined) return;
    entry.users += 1;
    this.#forget(run, entry);
    try {
      await (await entry.writer)?.close();
    } finally {
      this.#release(run, entry);
    }
  }

  async closeAll(): Promise<void> {
    const closed = await Promise.allSettled([...this.#entries.keys()].map((run) => this.forget(run)));
    const failed = closed.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #entry(paths: LogPaths, create: boolean): Entry {
    let entry = this.#entries.get(paths.run);
    if (entry === undefined) {
      entry = { opening: LogFile.open(paths, { create, cache: this.#cache }), users: 0, writer: undefined, forgotten: false };
      this.#entries.set(paths.run, entry);
      const opened = entry;
      entry.opening.catch(() => this.#forget(paths.run, opened));
    } else {
      // Last in the map's order: used last.
      this.#entries.delete(paths.run);
      this.#entries.set(paths.run, entry);
    }
    entry.users += 1;
    return entry;
  }

  #release(run: string, entry: Entry): void {
    entry.users -= 1;
    void entry.opening.then(
      (file) => this.#settle(run, entry, file),
      () => undefined,
    );
  }

  async #settle(run: string, entry: Entry, file: LogFile | undefined): Promise<void> {
    if (entry.users > 0) return;
    if (file === undefined) this.#forget(run, entry);
    else if (entry.forgotten) await file.close();
    else this.#forgetOldest();
  }

  #forgetOldest(): void {
    const idle = [...this.#entries].filter(([, entry]) => entry.users === 0);
    for (const [run, entry] of idle.slice(0, Math.max(0, idle.length - MOST_IDLE))) {
      entry.users += 1;
      this.#forget(run, entry);
      this.#release(run, entry);
    }
  }

  #forget(run: string, entry: Entry): void {
    entry.forgotten = true;
    if (this.#entries.get(run) === entry) this.#entries.delete(run);
  }
}
