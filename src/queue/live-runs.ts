import type { RunStore } from '../model/ports/store.ts';
import type { RunRecord } from '../model/run-record.ts';
import { type LiveRun, liveRunOf } from './live-run.ts';
import { QueueBook } from './queue-book.ts';

/** The mirror of the store's live runs: read once, then kept by what the queue is told, read anew when it was wrong. */
export class LiveRuns {
  readonly #store: Pick<RunStore, 'live'>;
  readonly #nowMs: () => number;
  readonly #book = new QueueBook();
  /** Taken here, not yet in the store: what the store says of them is older. */
  readonly #reserved = new Set<string>();
  /** Told of while the store was being read: newer than what is read. */
  readonly #learned = new Set<string>();
  #loading: Promise<void> | undefined;
  #stale = true;

  constructor(store: Pick<RunStore, 'live'>, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  /** Always the same object: what it holds changes. */
  async book(): Promise<QueueBook> {
    while (this.#stale || this.#loading !== undefined) {
      this.#loading ??= this.#load().finally(() => {
        this.#loading = undefined;
      });
      await this.#loading;
    }
    return this.#book;
  }

  /** The next look reads the store. */
  forget(): void {
    this.#stale = true;
  }

  learn(record: RunRecord): void {
    if (this.#loading !== undefined) this.#learned.add(record.id);
    const run = liveRunOf(record);
    if (run === undefined) this.#book.remove(record.id, this.#nowMs());
    else this.#put(run);
  }

  /** Counts a waiting run as taken by the agent. The returned function takes that back, unless more is known of the run by then. */
  reserve(run: LiveRun, agent: string): () => void {
    this.#reserved.add(run.id);
    const taken: LiveRun = { ...run, phase: 'preparing', agent };
    this.#book.put(taken, this.#nowMs());
    return () => {
      this.#reserved.delete(run.id);
      if (this.#book.get(run.id) === taken) this.#book.put(run, this.#nowMs());
    };
  }

  #put(run: LiveRun): void {
    const known = this.#book.get(run.id);
    if (this.#reserved.has(run.id)) {
      if (known !== undefined && run.attempt <= known.attempt) return;
      this.#reserved.delete(run.id);
    }
    if (known === undefined || supersedes(run, known)) this.#book.put(run, this.#nowMs());
  }

  async #load(): Promise<void> {
    this.#stale = false;
    this.#learned.clear();
    let records: readonly RunRecord[];
    try {
      records = await this.#store.live();
    } catch (error) {
      this.#stale = true;
      throw error;
    }
    const kept = new Set(records.map(({ id }) => id));
    const isNewer = (id: string): boolean => this.#learned.has(id) || this.#reserved.has(id);
    for (const { id } of [...this.#book.runs()]) if (!kept.has(id) && !isNewer(id)) this.#book.remove(id, this.#nowMs());
    for (const record of records) {
      const run = liveRunOf(record);
      if (run !== undefined && !isNewer(record.id)) this.#book.put(run, this.#nowMs());
    }
  }
}

const PHASES: readonly LiveRun['phase'][] = ['preparing', 'running', 'queued'];

/** Within an attempt a run is prepared, runs, and may be given back; messages may overtake one another. */
function supersedes(run: LiveRun, known: LiveRun): boolean {
  if (run.attempt !== known.attempt) return run.attempt > known.attempt;
  return PHASES.indexOf(run.phase) >= PHASES.indexOf(known.phase);
}
