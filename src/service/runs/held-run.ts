import { EngineError } from '../../model/engine-error.ts';
import type { Lease } from '../../model/ports/agent-channel.ts';
import type { LogStore } from '../../model/ports/log-store.ts';
import type { RunEvent, RunFact } from '../../model/run-event.ts';
import type { RunRecord } from '../../model/run-record.ts';
import { RunLog } from './run-log.ts';
import type { RunView } from './run-projection.ts';

const NEVER_STORED: ReadonlySet<RunFact['type']> = new Set(['step-output', 'build-progress', 'transfer-progress']);

/** A run that an agent has, or had when it was lost: what of it is kept in memory. */
export class HeldRun {
  readonly agent: string;
  readonly log: RunLog;
  /** As it was when it was claimed, with the status of now. */
  record: RunRecord;
  view: RunView;
  /** Monotonic. Until then the agent is believed to live. */
  expiresAtMs: number;
  /** Monotonic; set when the lease expired: the run waits for its agent until then. */
  goneAtMs: number | undefined;
  cancel: { readonly reason: string } | undefined;
  lastEvent: number;
  /** Added to the numbers of an agent that began anew after an earlier attempt had told something. */
  readonly #base: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    record: RunRecord,
    parts: { readonly agent: string; readonly logs: LogStore; readonly expiresAtMs: number; readonly resumed: boolean },
  ) {
    this.record = record;
    this.agent = parts.agent;
    this.log = new RunLog(parts.logs, record.id);
    this.view = { steps: parts.resumed ? record.steps : [], images: record.images };
    this.expiresAtMs = parts.expiresAtMs;
    this.cancel = record.cancel;
    this.lastEvent = record.lastEvent;
    this.#base = parts.resumed ? 0 : record.lastEvent;
  }

  get run(): string {
    return this.record.id;
  }

  get attempt(): number {
    return this.record.attempt;
  }

  get lease(): Lease {
    return { run: this.run, attempt: this.attempt };
  }

  /** One after the other, in the order of the calls; one that fails holds up nothing. */
  inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** The number under which the store knows an event of the agent. */
  storedNumber(seq: number): number {
    return this.#base + seq;
  }

  /**
   * The events to store under the store's numbers; those there already are left out. Throws EngineError `invalid-request` for a gap, for
   * events of another run, and for output and progress, which are not stored.
   */
  unstored(events: readonly RunEvent[]): readonly RunEvent[] {
    const unstored: RunEvent[] = [];
    let next = this.lastEvent + 1;
    for (const event of events) {
      if (event.run !== this.run) throw refused(this.run, `an event of run ${event.run}`);
      if (NEVER_STORED.has(event.type)) throw refused(this.run, `an event of type ${event.type}, which is not stored`);
      const seq = this.storedNumber(event.seq);
      if (seq > next) throw refused(this.run, `event ${seq} where ${next} was due`);
      if (seq < next) continue;
      unstored.push(this.#base === 0 ? event : { ...event, seq });
      next += 1;
    }
    return unstored;
  }
}

function refused(run: string, what: string): EngineError {
  return new EngineError('invalid-request', `the events of run ${run} cannot be taken: among them is ${what}`, {
    help: 'Events of a run are numbered from 1 without gaps, each sent after those before it.',
  });
}
