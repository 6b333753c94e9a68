import type { BuildIo } from '../../model/ports/container-engine.ts';
import type { BuildTrace, TraceStatus, TraceVertex } from './build-trace.ts';
import { LogTail } from './log-tail.ts';

const TAIL_BYTES = 8 * 1024;
const TAIL_LINES = 20;

interface VertexState {
  name: string;
  startedNs: bigint | undefined;
  completedNs: bigint | undefined;
  error: string;
  readonly transfers: Map<string, TraceStatus>;
  tail: LogTail | undefined;
}

/** A vertex that failed, with the end of what it printed. */
export interface FailedVertex {
  readonly name: string;
  readonly error: string;
  readonly lastLines: readonly string[];
}

/** Turns the engine's trace into progress and output, and remembers what a failure's message needs. */
export class TraceProgress {
  readonly #io: BuildIo;
  readonly #vertexes = new Map<string, VertexState>();

  constructor(io: BuildIo) {
    this.#io = io;
  }

  /** Resolves when the output has been taken. */
  async handle(trace: BuildTrace): Promise<void> {
    for (const vertex of trace.vertexes) this.#update(vertex);
    for (const status of trace.statuses) this.#transfer(status);
    for (const warning of trace.warnings) {
      this.#io.onProgress({ vertex: warning.vertex, name: this.#state(warning.vertex).name, state: 'running', warning: warning.message });
    }
    for (const log of trace.logs) {
      const state = this.#state(log.vertex);
      state.tail ??= new LogTail(TAIL_BYTES);
      state.tail.add(log.bytes);
      await this.#io.onOutput(log.stream === 2 ? 'stderr' : 'stdout', log.bytes);
    }
  }

  /**
   * The vertex whose failure the engine reports: others are cancelled because of it and say so in their own words, so it
   * is the one whose error the report repeats, else the first that failed.
   */
  failure(report: string): FailedVertex | undefined {
    const failed = [...this.#vertexes.values()].filter((state) => state.error !== '');
    const cause = failed.find((state) => report.includes(state.error)) ?? failed[0];
    if (cause === undefined) return undefined;
    return { name: cause.name, error: cause.error, lastLines: cause.tail?.lines(TAIL_LINES) ?? [] };
  }

  #state(digest: string): VertexState {
    const known = this.#vertexes.get(digest);
    if (known !== undefined) return known;
    const state: VertexState = { name: '', startedNs: undefined, completedNs: undefined, error: '', transfers: new Map(), tail: undefined };
    this.#vertexes.set(digest, state);
    return state;
  }

  #update(vertex: TraceVertex): void {
    const state = this.#state(vertex.digest);
    state.name = vertex.name;
    const started = vertex.startedNs !== undefined && vertex.startedNs !== state.startedNs;
    const completed = vertex.completedNs !== undefined && vertex.completedNs !== state.completedNs;
    state.startedNs = vertex.startedNs ?? state.startedNs;
    state.completedNs = vertex.completedNs;
    state.error = vertex.error;
    const common = { vertex: vertex.digest, name: vertex.name };
    if (!completed) {
      if (started) this.#io.onProgress({ ...common, state: 'started' });
      return;
    }
    const durationMs = Math.max(0, Number((vertex.completedNs ?? 0n) - (state.startedNs ?? vertex.completedNs ?? 0n)) / 1e6);
    if (vertex.error !== '') this.#io.onProgress({ ...common, state: 'failed', durationMs, error: vertex.error });
    else this.#io.onProgress({ ...common, state: vertex.cached ? 'cached' : 'done', durationMs });
  }

  #transfer(status: TraceStatus): void {
    const state = this.#state(status.vertex);
    state.transfers.set(status.id, status);
    let current = 0;
    let total = 0;
    for (const transfer of state.transfers.values()) {
      current += transfer.current;
      total += transfer.total;
    }
    if (current === 0 && total === 0) return;
    this.#io.onProgress({ vertex: status.vertex, name: state.name, state: 'running', current, ...(total === 0 ? {} : { total }) });
  }
}
