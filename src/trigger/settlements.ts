import type { EventStore } from '../model/ports/event-store.ts';
import type { Evaluation } from './parts.ts';

/** Most of one transaction. */
const LARGEST_BATCH = 256;

interface Settlement extends Evaluation {
  readonly id: string;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** Ends events in batches: what comes while one is written is the next. */
export interface Settlements {
  /** Resolves when it is durable. */
  settle(id: string, evaluation: Evaluation): Promise<void>;
}

export function createSettlements(events: Pick<EventStore, 'settle'>): Settlements {
  let waiting: Settlement[] = [];
  let writing = false;

  async function write(): Promise<void> {
    writing = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, LARGEST_BATCH);
      waiting = waiting.slice(LARGEST_BATCH);
      try {
        await events.settle(batch.map(({ id, decisions, then = [] }) => ({ id, decisions, then })));
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    writing = false;
  }

  return {
    settle: (id, evaluation) =>
      new Promise((resolve, reject) => {
        waiting.push({ id, ...evaluation, done: resolve, failed: reject });
        if (!writing) void write();
      }),
  };
}
