import { fstatSync, type Stats } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { loadSettings } from '../../config/load-settings.ts';
import { compileIgnoreRules, type IgnoreRules } from '../../container/build/ignore-patterns.ts';
import { classifyContext } from '../../task/build/context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { renderDiagnostics } from '../print-diagnostics.ts';
import { isDirectory } from '../source/find-task-file.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { defaultLogRoot } from './log-directory.ts';
import type { RunRequest } from './run-command.ts';
import type { CommandControl, RunControl } from './run-control.ts';

const DEBOUNCE_MS = 200;
/** Time for a superseded run to stop by itself: somebody waits for the next one. */
const SUPERSEDED_GRACE_MS = 1000;

/**
 * Runs, and runs again whenever something changes that the run reads; a run that is going on is cancelled first. Steps are
 * never skipped for looking unchanged: a `cmd` may depend on anything. Builds reuse what BuildKit has cached, and say how much.
 */
export async function watchAndRun(
  request: RunRequest,
  control: CommandControl,
  run: (request: RunRequest, control: RunControl) => Promise<unknown>,
): Promise<ExitCode> {
  const { io } = request;
  const place = await watchedPlace(request);
  if (place === undefined) {
    io.stderr.write(
      renderDiagnostics(
        [{ code: 'watch-context', severity: 'error', message: '--watch needs a context that is a folder of this machine' }],
        io.paintError,
      ),
    );
    return EXIT.badInput;
  }
  const changes = new ChangeQueue(await openWatcher(place));
  try {
    while (!control.runSignal.aborted) {
      const superseded = new AbortController();
      const changed = changes.next(control.runSignal);
      const running = run(request, control.forRun(superseded.signal));
      const first = await Promise.race([running.then(() => 'done' as const), changed]);
      if (first === 'done' && !control.runSignal.aborted) say(io, `Watching ${place.folder} for changes; Ctrl-C ends.`);
      const path = await changed;
      if (path === undefined) {
        await running;
        break;
      }
      superseded.abort();
      const impatience = setTimeout(() => control.hurry(), SUPERSEDED_GRACE_MS);
      await running;
      clearTimeout(impatience);
      await changes.quiet(control.runSignal);
      if (control.runSignal.aborted) break;
      say(
        io,
        `${printable(relative(io.directory, path))} changed: running again. Builds reuse cached instructions, other steps run in full.`,
      );
    }
    return EXIT.canceled;
  } finally {
    await changes.close();
  }
}

interface WatchedPlace {
  /** As the person gave it. */
  readonly folder: string;
  readonly directory: string;
  /** Files that count although they may lie outside of the context or be ignored there. */
  readonly files: readonly string[];
  /** Folders that runs themselves write to. */
  readonly logs: readonly string[];
}

async function watchedPlace({ flags, io, open }: RunRequest): Promise<WatchedPlace | undefined> {
  if (classifyContext(open.context).kind !== 'local') return undefined;
  const given = resolve(io.directory, open.context);
  const isFolder = isDirectory(given);
  const directory = isFolder ? given : dirname(given);
  const named = [flags.file, flags.values].filter((file) => file !== undefined && file !== '-');
  const files = named.flatMap((file) => [resolve(io.directory, file ?? ''), resolve(directory, file ?? '')]);
  const folder = isFolder ? open.context : dirname(open.context);
  return { folder, directory, files: isFolder ? files : [given, ...files], logs: await logFolders(flags.logDir, io) };
}

async function logFolders(flag: string | undefined, io: Io): Promise<readonly string[]> {
  const settings = await loadSettings({ directory: io.directory, environment: io.environment });
  const named = [flag, settings.ok ? settings.value.logDirectory : undefined].filter((folder) => folder !== undefined);
  return [defaultLogRoot(io.environment), ...named.map((folder) => resolve(io.directory, folder))];
}

async function openWatcher(place: WatchedPlace): Promise<FSWatcher> {
  const ignored = await ignoreFilter(place);
  const watcher = watch([place.directory, ...place.files], { ignored, ignoreInitial: true, followSymlinks: false });
  await new Promise<void>((resolveReady) => watcher.once('ready', resolveReady));
  return watcher;
}

/**
 * What .dockerignore leaves out of the context is not looked at; nor is git's own folder, nor what this program writes (logs, its
 * redirected output): each run would start the next.
 */
async function ignoreFilter(place: WatchedPlace): Promise<(path: string, stats?: Stats) => boolean> {
  const text = await readFile(join(place.directory, '.dockerignore'), 'utf8').catch(() => '');
  const rules = readRules(text);
  const always = new Set(place.files);
  const outputs = new Set([1, 2].map(identityOfOutput));
  return (path, stats) => {
    const inside = relative(place.directory, path);
    if (stats?.isFile() === true && outputs.has(identityOf(stats))) return true;
    if (place.logs.some((folder) => path === folder || path.startsWith(folder + sep))) return true;
    if (inside === '' || inside.startsWith('..') || always.has(path)) return false;
    if (inside === '.git' || inside.startsWith(`.git${sep}`)) return true;
    const name = inside.split(sep).join('/');
    return rules.ignores(name) && !(stats?.isDirectory() !== false && rules.mayReincludeBelow(name));
  };
}

function identityOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

/** Undefined for a stream that has been closed. */
function identityOfOutput(descriptor: number): string | undefined {
  try {
    return identityOf(fstatSync(descriptor));
  } catch {
    return undefined;
  }
}

/** A pattern that docker refuses is the run's to report; here nothing is ignored then. */
function readRules(text: string): IgnoreRules {
  try {
    return compileIgnoreRules(text.split(/\r?\n/));
  } catch {
    return compileIgnoreRules([]);
  }
}

/** Gathers changes until nothing happened for a moment. */
class ChangeQueue {
  readonly #watcher: FSWatcher;
  #wake: ((path: string) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pending: string | undefined;

  constructor(watcher: FSWatcher) {
    this.#watcher = watcher;
    watcher.on('all', (_event, path) => {
      this.#pending = path;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#deliver(), DEBOUNCE_MS);
    });
  }

  /** The next changed path, or undefined when `signal` aborts. */
  next(signal: AbortSignal): Promise<string | undefined> {
    return new Promise((resolveNext) => {
      if (signal.aborted) {
        resolveNext(undefined);
        return;
      }
      const onAbort = (): void => resolveNext(undefined);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#wake = (path) => {
        signal.removeEventListener('abort', onAbort);
        this.#wake = undefined;
        resolveNext(path);
      };
    });
  }

  /** Resolves when nothing happens any more or `signal` aborts. What has happened is forgotten: who reads now sees all of it. */
  async quiet(signal: AbortSignal): Promise<void> {
    if (this.#timer !== undefined) await this.next(signal);
    this.#pending = undefined;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#watcher.close();
  }

  #deliver(): void {
    this.#timer = undefined;
    const path = this.#pending;
    if (path === undefined || this.#wake === undefined) return;
    this.#pending = undefined;
    this.#wake(path);
  }
}

function say(io: Io, message: string): void {
  io.stderr.write(`${message}\n`);
}
