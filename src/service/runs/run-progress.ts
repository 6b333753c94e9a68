import type { SecretBox } from '../../model/ports/secret-box.ts';
import type { RunEvent } from '../../model/run-event.ts';
import type { StepRecord } from '../../model/run-record.ts';
import type { HeldRun } from './held-run.ts';
import type { HeldRuns } from './held-runs.ts';
import { type Planned, sealPlanned } from './run-checkpoint.ts';
import type { EndingParts } from './run-endings.ts';
import type { RunNews } from './run-news.ts';
import { projectRun } from './run-projection.ts';

export interface RunProgressParts extends Pick<EndingParts, 'store' | 'queue'> {
  readonly box: SecretBox;
  readonly held: HeldRuns;
  readonly news: RunNews;
}

/** Keeps what agents tell of their runs, and tells it on. */
export class RunProgress {
  readonly #parts: RunProgressParts;

  constructor(parts: RunProgressParts) {
    this.#parts = parts;
  }

  /** Events that are to be kept; those that are already are left out. To be called in the turn of the run. */
  async store(held: HeldRun, events: readonly RunEvent[]): Promise<void> {
    const unstored = held.unstored(events);
    if (unstored.length === 0) return;
    // Readers take output up to the last event: it is there before the event is.
    const written = held.log.written();
    if (written !== undefined) await written;
    await this.#append(held, unstored);
  }

  /** The plan, sealed, and its steps. Likewise. */
  async planned(held: HeldRun, planned: Planned): Promise<void> {
    const { store, box } = this.#parts;
    const steps = planned.plan.steps.map(({ id, kind, needs }): StepRecord => ({ id, kind, needs, status: 'pending', attempts: 0 }));
    const [kept] = await Promise.all([
      store.runs.checkpoint(held.run, held.attempt, sealPlanned(box, held.run, planned)),
      store.runs.append(held.run, held.attempt, [], { steps, status: 'Running', source: planned.source }),
    ]);
    if (kept === 'stale') throw this.#parts.held.fenced(held);
    held.view = { ...held.view, steps };
    this.#running(held);
  }

  async #append(held: HeldRun, events: readonly RunEvent[]): Promise<void> {
    const view = projectRun(held.view, events);
    const runs = held.record.status === 'Running' || events.some(({ type }) => type === 'run-started');
    const { steps, images } = view;
    const progress = {
      ...{ steps, ...(runs ? { status: 'Running' as const } : {}) },
      ...(images === held.view.images ? {} : { images }),
    };
    if ((await this.#parts.store.runs.append(held.run, held.attempt, events, progress)) === 'stale') throw this.#parts.held.fenced(held);
    held.view = view;
    held.lastEvent += events.length;
    for (const event of events) this.#parts.news.event(held, event, true);
    if (runs) this.#running(held);
  }

  #running(held: HeldRun): void {
    if (held.record.status === 'Running') return;
    held.record = { ...held.record, status: 'Running' };
    this.#parts.queue.notify(held.record);
    this.#parts.news.status(held);
  }
}
