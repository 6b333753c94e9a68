import type { Store } from '../model/ports/store.ts';
import type { Evaluator } from './evaluator.ts';
import type { Holds } from './holds.ts';
import type { Handlers } from './parts.ts';

const MOST_PENDING = 10_000;

type EndHandler = NonNullable<Handlers['run-ended']>;

export interface RunReleaseParts {
  readonly store: Pick<Store, 'events' | 'runs'>;
  readonly holds: Pick<Holds, 'ended'>;
  /** Resolves when the events are decided on, or the signal aborts. */
  settled: Evaluator['settled'];
  onProblem(what: string, error: unknown): void;
}

/** Lets runs that wait for a run go on when its end, and what it pushed, have been decided on. */
export class RunReleases {
  readonly #parts: RunReleaseParts;
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: RunReleaseParts) {
    this.#parts = parts;
  }

  /** The handler, with a release in the background after it. */
  after(handle: EndHandler): EndHandler {
    return async (event, signal) => {
      const evaluation = await handle(event, signal);
      const { run } = event.happening;
      const release = this.#release(run, event.id)
        .catch((error: unknown) => this.#parts.onProblem(`what waits for run ${run} could not be let go on`, error))
        .finally(() => this.#underWay.delete(release));
      this.#underWay.add(release);
      return evaluation;
    };
  }

  /** No release begins to wait for anything more. */
  stop(): void {
    this.#closing.abort();
  }

  /** After `stop`: resolves when none is under way. */
  async ended(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #release(run: string, event: string): Promise<void> {
    const { holds, settled } = this.#parts;
    const { events, runs } = this.#parts.store;
    const { signal } = this.#closing;
    await settled([event], signal);
    if (!(await runs.held()).some(({ hold }) => hold?.runs?.includes(run) === true)) return;
    const changed = await events.list({ kind: 'image-changed', status: 'pending', limit: MOST_PENDING });
    const pushed = changed.filter(({ happening }) => happening.kind === 'image-changed' && happening.run === run);
    await settled(
      pushed.map(({ id }) => id),
      signal,
    );
    if (!signal.aborted) await holds.ended(run);
  }
}
