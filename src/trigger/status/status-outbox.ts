import type { Clock } from '../../model/ports/clock.ts';
import type { Forge } from '../../model/ports/forge.ts';
import type { StatusStore } from '../../model/ports/status-store.ts';
import type { RunStore } from '../../model/ports/store.ts';
import { ACTIVE_STATUSES, type RunRecord, type RunSummary } from '../../model/run-record.ts';
import type { SourceControlType, SourceTrigger } from '../../model/trigger-definition.ts';
import { commitStatusOf, type SourceRun, sourceRunOf } from './run-status.ts';
import { StatusDelivery } from './status-delivery.ts';

export interface StatusOutboxParts {
  readonly statuses: StatusStore;
  readonly runs: Pick<RunStore, 'list'>;
  forge(kind: SourceControlType): Pick<Forge, 'setStatus'> | undefined;
  /** A source trigger of a task as it is now. */
  triggerOf(task: string, trigger: string): Promise<SourceTrigger | undefined>;
  /** The token that speaks to its forge. */
  tokenOf(task: string, trigger: string): Promise<string | undefined>;
  readonly clock: Clock;
  /** Of the daemon, as people reach it; statuses link to `publicUrl/runs/ID`. */
  readonly publicUrl: string;
  onProblem(what: string, error: unknown): void;
  /** 0 to below 1; Math.random by default. */
  readonly random?: () => number;
}

/**
 * Tells forges how the runs of their commits stand. What is to be told is stored first and brought there in the background, again and again
 * if need be; nothing here holds up a run or fails it.
 */
export interface StatusOutbox {
  /** The run was made, began, ended, or waits for something else. Returns at once and never throws. */
  runChanged(run: RunRecord | RunSummary): void;
  /** Looks at the runs of the last day and the live ones: a change may have been lost with a process. For the start of a daemon. */
  reconcile(): Promise<void>;
  /** Resolves when what `runChanged` was told is stored. */
  stored(): Promise<void>;
  close(): Promise<void>;
}

const LOOK_BACK_MS = 24 * 3_600_000;
const PAGE = 200;
/** Runs of the look back, so that a busy daemon starts in time. */
const MOST_RUNS = 5_000;

/** Delivery begins at once. */
export function createStatusOutbox(parts: StatusOutboxParts): StatusOutbox {
  return new Outbox(parts);
}

class Outbox implements StatusOutbox {
  readonly #parts: StatusOutboxParts;
  readonly #delivery: StatusDelivery;
  /** By run: only its newest state is of interest. */
  readonly #changed = new Map<string, SourceRun>();
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(parts: StatusOutboxParts) {
    this.#parts = parts;
    this.#delivery = new StatusDelivery({ random: Math.random, ...parts });
  }

  runChanged(run: RunRecord | RunSummary): void {
    const source = sourceRunOf(run);
    if (source === undefined || this.#closed) return;
    // At the end of the map: a change of a run comes after what was told before it.
    this.#changed.delete(run.id);
    this.#changed.set(run.id, source);
    this.#writing ??= this.#write();
  }

  async reconcile(): Promise<void> {
    const since = new Date(this.#parts.clock.now().getTime() - LOOK_BACK_MS).toISOString();
    const recent = await this.#list({ since });
    const live = await this.#list({ status: ['Queued', ...ACTIVE_STATUSES] });
    for (const run of [...live, ...recent].sort((a, b) => a.number - b.number)) this.runChanged(run);
    await this.stored();
    this.#delivery.wake();
  }

  async stored(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.stored();
    await this.#delivery.close();
  }

  async #list(query: Pick<Parameters<RunStore['list']>[0], 'since' | 'status'>): Promise<readonly RunSummary[]> {
    const found: RunSummary[] = [];
    for (;;) {
      const last = found.at(-1);
      const page = await this.#parts.runs.list({ ...query, limit: PAGE, ...(last === undefined ? {} : { before: last.number }) });
      found.push(...page);
      if (page.length < PAGE || found.length >= MOST_RUNS) return found;
    }
  }

  async #write(): Promise<void> {
    // Many changes of one moment are one: the caller goes on first.
    await Promise.resolve();
    for (const [id, source] of this.#changed) {
      this.#changed.delete(id);
      await this.#put(source).catch((error: unknown) => this.#parts.onProblem(`the commit status of run ${id} could not be kept`, error));
    }
    this.#writing = undefined;
  }

  async #put(source: SourceRun): Promise<void> {
    const trigger = await this.#parts.triggerOf(source.task, source.cause.trigger);
    if (trigger?.commitStatus !== true || this.#parts.forge(trigger.sourceRepository.sourceControlType) === undefined) return;
    await this.#parts.statuses.put(commitStatusOf(source, trigger, this.#parts.publicUrl));
    this.#delivery.wake();
  }
}
