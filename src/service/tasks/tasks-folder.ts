import { realpath, stat } from 'node:fs/promises';
import { type FSWatcher, watch } from 'chokidar';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { EngineError } from '../../model/engine-error.ts';
import { renderDiagnostic } from '../../model/render-diagnostic.ts';
import type { Principal } from '../../model/security.ts';
import { systemClock } from '../../util/clock.ts';
import { type AppliedTask, allTasks, applyTasks, FOLDER_OWNER } from './apply.ts';
import { inOneLine } from './field-problem.ts';
import { type FolderFile, readTasksFolder, withoutTwice } from './folder-files.ts';
import type { TaskDocument } from './task-documents.ts';
import type { TaskService } from './task-service.ts';

export interface TasksFolderOptions {
  readonly directory: string;
  readonly tasks: TaskService;
  /** On whose behalf the folder acts: `daemonPrincipal('tasks.d')`. */
  readonly principal: Principal;
  /** A file cannot be used as it is now; its tasks stay as they were. Said once for each state of the file; '' is the folder itself. */
  readonly onProblem: (file: string, problem: { readonly message: string; readonly diagnostics: readonly Diagnostic[] }) => void;
  /** What changed; never empty, and never `unchanged`. */
  readonly onApplied: (changes: readonly AppliedTask[]) => void;
  /** Ends the watching. */
  readonly signal: AbortSignal;
  /** Quiet time after a change before the folder is read: editors write in several steps. */
  readonly settleMs?: number;
  /** How often to look whether the folder is still the one that is watched: it may be moved away, made anew, or a link to another one. */
  readonly lookMs?: number;
}

const SETTLE_MS = 200;
const LOOK_MS = 2000;

/**
 * Keeps the tasks of a daemon as the files of a folder say, from now until the signal aborts. The files are the whole of what they own: a
 * task that is taken out of a file, or whose file is removed, is deleted, and may move to another file. A file that is broken, empty,
 * unreadable or refused changes nothing, and neither does a folder that cannot be read. Resolves when the folder has been applied once.
 */
export async function watchTasksFolder(options: TasksFolderOptions): Promise<{ readonly ended: Promise<void> }> {
  const { directory, signal } = options;
  const folder = new TasksFolder(options);
  // Watches first: a change during the first reading is seen.
  let place = await placeOf(directory);
  let watcher = await startWatching(place?.path ?? directory, folder, signal);
  await folder.reconcile();
  const ended = (async (): Promise<void> => {
    while (!signal.aborted) {
      await systemClock.sleep(options.lookMs ?? LOOK_MS, signal);
      const now = await placeOf(directory);
      if (signal.aborted || now?.identity === place?.identity) continue;
      place = now;
      await watcher.close();
      watcher = await startWatching(place?.path ?? directory, folder, signal);
      folder.changed();
    }
    await watcher.close();
    await folder.close();
  })();
  return { ended };
}

/** Where the folder really is; another identity when its name leads to another one. Undefined while there is none. */
async function placeOf(directory: string): Promise<{ readonly path: string; readonly identity: string } | undefined> {
  try {
    const path = await realpath(directory);
    const { dev, ino } = await stat(path);
    return { path, identity: `${path} ${dev} ${ino}` };
  } catch {
    return undefined;
  }
}

async function startWatching(path: string, folder: TasksFolder, signal: AbortSignal): Promise<FSWatcher> {
  const watcher = watch(path, { ignoreInitial: true, depth: 0, followSymlinks: false });
  watcher.on('all', () => folder.changed());
  watcher.on('error', (error) => folder.failed(error));
  await ready(watcher, signal);
  return watcher;
}

/** A folder that is not there yet may never be ready. */
function ready(watcher: FSWatcher, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  watcher.once('ready', () => resolve());
  watcher.once('error', () => resolve());
  if (signal.aborted) resolve();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}

class TasksFolder {
  readonly #options: TasksFolderOptions;
  /** What was last said of a file. */
  readonly #said = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: TasksFolderOptions) {
    this.#options = options;
  }

  changed(): void {
    clearTimeout(this.#timer);
    if (this.#options.signal.aborted) return;
    this.#timer = setTimeout(() => void this.reconcile(), this.#options.settleMs ?? SETTLE_MS);
  }

  failed(error: unknown): void {
    this.#say('', `the folder cannot be watched: ${messageOf(error)}`, []);
  }

  /** One at a time, in order. Never rejects: the folder is read again at the next change. */
  reconcile(): Promise<void> {
    this.#work = this.#work.then(() => this.#reconcile()).catch((error: unknown) => this.#say('', messageOf(error), []));
    return this.#work;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#work;
  }

  async #reconcile(): Promise<void> {
    const read = await readTasksFolder(this.#options.directory).catch((error: unknown) => {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (code === '') throw error;
      const what = code === 'ENOENT' ? 'is not there; it is read when it is' : `cannot be read (${code})`;
      return this.#say('', `the folder ${this.#options.directory} ${what}`, []);
    });
    if (read === undefined) return;
    const files = withoutTwice(read);
    const changes: AppliedTask[] = [];
    const kept = new Set<string>();
    for (const file of files) {
      const applied = await this.#applyFile(file);
      if (applied === undefined) kept.add(`${FOLDER_OWNER}${file.name}`);
      else changes.push(...applied.filter(({ action }) => action !== 'unchanged'));
    }
    changes.push(...(await this.#prune(files, kept)));
    this.#forget(files);
    if (changes.length > 0) this.#options.onApplied(changes);
  }

  /** Undefined when the file cannot be used: its tasks stay. */
  async #applyFile({ name, read }: FolderFile): Promise<readonly AppliedTask[] | undefined> {
    if (!read.ok) return this.#say(name, read.error.slice(0, 1).map(inOneLine).join(''), read.error);
    try {
      const { tasks, principal } = this.#options;
      const applied = await applyTasks(tasks, principal, read.value, { source: `${FOLDER_OWNER}${name}`, takesFrom: FOLDER_OWNER });
      this.#said.delete(name);
      return applied.tasks;
    } catch (error) {
      const diagnostics = error instanceof EngineError ? error.diagnostics : [];
      return this.#say(name, messageOf(error), diagnostics);
    }
  }

  /** Tasks of files that are gone, and those that a sound file no longer has. */
  async #prune(files: readonly FolderFile[], kept: ReadonlySet<string>): Promise<readonly AppliedTask[]> {
    const { tasks, principal } = this.#options;
    const defined = new Set(files.flatMap(({ read }) => (read.ok ? read.value.map(({ input }: TaskDocument) => input.name) : [])));
    const gone: AppliedTask[] = [];
    for (const { definition, managedBy, version } of await allTasks(tasks, principal)) {
      if (managedBy === undefined || !managedBy.startsWith(FOLDER_OWNER) || kept.has(managedBy) || defined.has(definition.name)) continue;
      await tasks.delete(principal, definition.name, { managedBy, version });
      gone.push({ name: definition.name, action: 'deleted', changes: [], warnings: [] });
    }
    return gone;
  }

  #say(file: string, message: string, diagnostics: readonly Diagnostic[]): undefined {
    const text = `${message}\n${diagnostics.map(renderDiagnostic).join('\n')}`;
    if (this.#said.get(file) === text) return;
    this.#said.set(file, text);
    this.#options.onProblem(file, { message, diagnostics });
  }

  /** A file that comes back with the same mistake is told of again; the folder itself was read. */
  #forget(files: readonly FolderFile[]): void {
    const names = new Set(files.map(({ name }) => name));
    for (const file of this.#said.keys()) if (!names.has(file)) this.#said.delete(file);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
