import type { Clock } from '../model/ports/clock.ts';
import { RUN_EVENT_VERSION, type RunEvent, type RunFact } from '../model/run-event.ts';
import type { Masker } from '../util/masker.ts';
import { maskFact } from './mask-fact.ts';

/** Takes one event; a returned promise holds back output until the taker is ready for more. */
export type EventSink = (event: RunEvent) => void | Promise<void>;

/** Turns facts into the numbered, timed, masked events of one run, in the order of the calls. */
export interface EventLog {
  /** Never throws and never rejects; wait for the returned promise to follow the taker's pace. */
  emit(fact: RunFact): void | Promise<void>;
  /** Resolves when the taker has taken everything so far. */
  drained(): Promise<void>;
  /** Drops what comes later: a step that would not stop may still speak after the run's end. */
  close(): void;
}

export interface EventLogParts {
  readonly runId: string;
  readonly clock: Clock;
  readonly masker: Masker;
  readonly sink: EventSink;
  /** The taker threw or rejected. Called once; later events are still offered to it. */
  onBroken(error: unknown): void;
  /** Number of the last event of earlier attempts; 0 unless given. */
  readonly lastEvent?: number | undefined;
}

export function createEventLog(parts: EventLogParts): EventLog {
  const { clock, masker, sink } = parts;
  const taking = new Set<Promise<void>>();
  let seq = parts.lastEvent ?? 0;
  let closed = false;
  let broken = false;
  function fail(error: unknown): void {
    if (broken) return;
    broken = true;
    parts.onBroken(error);
  }
  return {
    emit(fact) {
      if (closed) return;
      seq += 1;
      const event: RunEvent = {
        version: RUN_EVENT_VERSION,
        seq,
        at: clock.now().toISOString(),
        run: parts.runId,
        ...maskFact(fact, masker),
      };
      let taken: Promise<void> | undefined;
      try {
        taken = sink(event) ?? undefined;
      } catch (error) {
        fail(error);
      }
      if (taken === undefined) return;
      const settled = taken.catch(fail).finally(() => taking.delete(settled));
      taking.add(settled);
      return settled;
    },
    async drained() {
      while (taking.size > 0) await Promise.all(taking);
    },
    close() {
      closed = true;
    },
  };
}
