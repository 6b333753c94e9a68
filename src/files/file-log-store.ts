import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../model/ports/clock.ts';
import type { LogStore } from '../model/ports/log-store.ts';
import { createChanges } from './changes.ts';
import { diskError, systemCode } from './disk-error.ts';
import { logPaths, runOfIndex } from './log-paths.ts';
import { readLogPage } from './log-reader.ts';
import { FileLogWriter } from './log-writer.ts';
import { OpenLogs } from './open-logs.ts';

const DEFAULT_CAP_BYTES = 64 * 1024 * 1024;
const DEFAULT_SYNC_MS = 500;

export interface FileLogStoreOptions {
  /** Made (0700) when it is missing. One process at a time may use it. */
  readonly directory: string;
  readonly clock: Clock;
  /** Most bytes of one run's output; 64 MiB by default. */
  readonly capBytes?: number;
  /** Longest time that written output stays unsynced; 500 ms by default. */
  readonly syncMs?: number;
}

/**
 * Logs in files: for each run its merged bytes, an index of fixed-size records and the names of its steps, readable by nobody else.
 * Methods reject with EngineError `not-found` for what is no id of a run, `disk-full` and `data-directory` for a disk that fails.
 */
export function createFileLogStore({
  directory,
  clock,
  capBytes = DEFAULT_CAP_BYTES,
  syncMs = DEFAULT_SYNC_MS,
}: FileLogStoreOptions): LogStore {
  const logs = new OpenLogs();
  const changes = createChanges();
  const pathsOf = (run: string) => logPaths(directory, run);

  return {
    open: (run) =>
      guarded('open the log of a run', () =>
        logs.writer(
          pathsOf(run),
          (file, onClosed) => new FileLogWriter(file, { clock, capBytes, syncMs, onClosed, onChanged: () => changes.wake(run, file) }),
        ),
      ),
    positions: (run) => guarded('read the log of a run', () => logs.use(pathsOf(run), async (file) => file?.positions() ?? [])),
    stat: (run) =>
      guarded('read the log of a run', () =>
        logs.use(pathsOf(run), async (file) =>
          file === undefined ? undefined : { bytes: file.bytes, droppedBytes: file.droppedBytes, sealed: file.sealed },
        ),
      ),
    read: (run, query) =>
      guarded('read the log of a run', () =>
        logs.use(pathsOf(run), async (file) =>
          file === undefined ? { chunks: [], next: query.offset, end: false } : readLogPage(file, query),
        ),
      ),
    changed: (run, after, signal) =>
      guarded('read the log of a run', async () => {
        const paths = pathsOf(run);
        await changes.wait(run, { after, signal }, () => logs.use(paths, async (file) => file));
      }),
    delete: (run) =>
      guarded('delete the log of a run', async () => {
        const paths = pathsOf(run);
        await logs.forget(run);
        // The index last: a log is listed, and so deleted again after a crash, as long as it has one.
        for (const path of [paths.data, paths.steps, paths.index]) await rm(path, { force: true });
        changes.wake(run, { bytes: Number.POSITIVE_INFINITY, sealed: true });
      }),
    size: () => guarded('read the folder of logs', () => sizeOf(directory)),
    list: () => listRuns(directory),
    close: () => guarded('close the logs', () => logs.closeAll()),
  };
}

async function guarded<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // A defect of this program stays one.
    throw systemCode(error) === '' ? error : diskError(what, error);
  }
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  for await (const { folder, name } of filesOf(directory)) {
    if (!name.endsWith('.log')) continue;
    try {
      bytes += (await stat(join(folder, name))).size;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
  return bytes;
}

async function* listRuns(directory: string): AsyncGenerator<string> {
  for await (const { name } of filesOf(directory)) {
    const run = runOfIndex(name);
    if (run !== undefined) yield run;
  }
}

async function* filesOf(directory: string): AsyncGenerator<{ readonly folder: string; readonly name: string }> {
  for (const fan of (await namesIn(directory)).sort()) {
    const folder = join(directory, fan);
    for (const name of (await namesIn(folder)).sort()) yield { folder, name };
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return [];
    throw error;
  }
}
