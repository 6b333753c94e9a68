import type { Clock } from '../../model/ports/clock.ts';
import type { ImageWatchStore } from '../../model/ports/image-watch-store.ts';
import type { AnalysedTask, TaskAnalyser } from '../../model/ports/task-analyser.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import { exponentialBackoffMs } from '../../util/backoff.ts';

export interface AnalysisParts {
  readonly watch: Pick<ImageWatchStore, 'setStatic' | 'analysis'>;
  readonly clock: Clock;
  readonly analyse: TaskAnalyser;
  /** Reads the task again when its turn comes: it may have changed since. */
  readonly current: (name: string) => Promise<TaskRecord | undefined>;
  /** What is known of the task has changed. */
  readonly onRead: (record: TaskRecord) => Promise<void>;
  readonly onProblem: (what: string, error: unknown) => void;
}

/** Contexts are fetched for it: more would take the network from runs. */
const AT_ONCE = 2;
const MOST_MS = 300_000;
const BACKOFF = { firstMs: 60_000, longestMs: 3_600_000 };

/** Reads tasks for their images in the background, one version of each once; again later when what it takes was not to be had. */
export class TaskAnalysis {
  readonly #parts: AnalysisParts;
  readonly #closed = new AbortController();
  /** Names of tasks, in order. */
  readonly #waiting = new Set<string>();
  readonly #failures = new Map<string, number>();
  /** Names of tasks that are read again after a while. */
  readonly #postponed = new Set<string>();
  readonly #working = new Set<Promise<void>>();
  readonly #idlers = new Set<() => void>();

  constructor(parts: AnalysisParts) {
    this.#parts = parts;
  }

  /** Reads the task unless this version of it was read before. */
  async look(record: TaskRecord): Promise<void> {
    const known = await this.#parts.watch.analysis(record.id);
    if (known?.version !== record.version || known.error !== undefined) this.again(record.definition.name);
  }

  /** Reads the task whatever is known. */
  again(name: string): void {
    this.#waiting.add(name);
    this.#begin();
  }

  /** Resolves when nothing is to be read but what is waited for. */
  async idle(): Promise<void> {
    if (this.#working.size > 0 || this.#waiting.size > 0) await new Promise<void>((resolve) => this.#idlers.add(resolve));
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#waiting.clear();
    await Promise.allSettled(this.#working);
  }

  #begin(): void {
    while (this.#working.size < AT_ONCE && !this.#closed.signal.aborted) {
      const [name] = this.#waiting;
      if (name === undefined) break;
      this.#waiting.delete(name);
      const work = this.#read(name)
        .catch(
          (error: unknown) => this.#closed.signal.aborted || this.#parts.onProblem(`task ${name} could not be read for its images`, error),
        )
        .then(() => {
          this.#working.delete(work);
          this.#begin();
        });
      this.#working.add(work);
    }
    if (this.#working.size > 0) return;
    for (const resolve of this.#idlers) resolve();
    this.#idlers.clear();
  }

  async #read(name: string): Promise<void> {
    const { watch, current, onRead } = this.#parts;
    const record = await current(name);
    if (record === undefined) return void this.#failures.delete(name);
    const found = await this.#analyse(record);
    if (this.#closed.signal.aborted) return;
    const { transient, ...read } = found;
    const { id, version } = record;
    await watch.setStatic({ id, name, version }, read);
    if (transient === true) void this.#later(name);
    else this.#failures.delete(name);
    await onRead(record);
  }

  /** Whatever goes wrong is said of the task. */
  async #analyse(record: TaskRecord): Promise<AnalysedTask> {
    const deadline = AbortSignal.timeout(MOST_MS);
    try {
      return await this.#parts.analyse(record, AbortSignal.any([deadline, this.#closed.signal]));
    } catch (error) {
      const why = deadline.aborted ? `it took more than ${MOST_MS / 1000} s` : error instanceof Error ? error.message : String(error);
      return { dependencies: [], outputs: [], error: why, transient: true };
    }
  }

  /** Once, however often it was read in vain meanwhile. */
  async #later(name: string): Promise<void> {
    if (this.#postponed.has(name)) return;
    this.#postponed.add(name);
    const failures = this.#failures.get(name) ?? 0;
    this.#failures.set(name, failures + 1);
    await this.#parts.clock.sleep(exponentialBackoffMs(failures, BACKOFF), this.#closed.signal);
    this.#postponed.delete(name);
    if (!this.#closed.signal.aborted) this.again(name);
  }
}
