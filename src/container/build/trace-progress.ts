import type { BuildIo, BuildProgress } from '../../model/ports/container-engine.ts';
import type { BuildTrace, TraceStatus, TraceVertex } from './build-trace.ts';
import { LogTail } from './log-tail.ts';

const TAIL_BYTES = 8 * 1024;
const TAIL_LINES = 20;
/** Nothing that does work ends sooner. */
const INSTANT_MS = 1;

interface VertexState {
  name: string;
  startedNs: bigint | undefined;
  completedNs: bigint | undefined;
  error: string;
  announced: boolean;
  /** An end that came at once, not yet told. */
  instant: BuildProgress | undefined;
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
   * Tells what was held back. The engine ends a vertex once when it has only computed its cache key and begins it again
   * when it does the work: ends that come at once are told when nothing more can follow.
   */
  finish(): void {
    for (const state of this.#vertexes.values()) if (state.instant !== undefined) this.#announce(state, state.instant);
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
    const state: VertexState = {
      name: '',
      startedNs: undefined,
      completedNs: undefined,
      error: '',
      announced: false,
      instant: undefined,
      transfers: new Map(),
      tail: undefined,
    };
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
    const absent = absentCache(vertex);
    state.error = absent === undefined ? vertex.error : '';
    const common = { vertex: vertex.digest, name: vertex.name };
    if (!completed) {
      if (started) this.#announce(state, { ...common, state: 'started' });
      return;
    }
    const durationMs = Math.max(0, Number((vertex.completedNs ?? 0n) - (state.startedNs ?? vertex.completedNs ?? 0n)) / 1e6);
    if (absent !== undefined) this.#announce(state, { ...common, state: 'done', durationMs, note: `no cache yet at ${absent}` });
    else if (vertex.error !== '') this.#announce(state, { ...common, state: 'failed', durationMs, error: vertex.error });
    else if (vertex.cached) this.#announce(state, { ...common, state: 'cached', durationMs });
    else if (state.announced || durationMs >= INSTANT_MS) this.#announce(state, { ...common, state: 'done', durationMs });
    else state.instant = { ...common, state: 'done', durationMs };
  }

  #announce(state: VertexState, progress: BuildProgress): void {
    state.announced = true;
    state.instant = undefined;
    this.#io.onProgress(progress);
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

/** The cache that a vertex looked for and that does not exist: so it is for the first build, and no failure. */
function absentCache({ name, error }: TraceVertex): string | undefined {
  const reference = /^importing cache manifest from (.+)$/.exec(name)?.[1];
  return reference !== undefined && /: not found$|manifest unknown|name unknown/i.test(error) ? reference : undefined;
}
