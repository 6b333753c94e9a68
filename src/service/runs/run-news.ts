import type { RunEvent, RunStatus } from '../../model/run-event.ts';
import type { HeldRun } from './held-run.ts';
import type { RunHub } from './hub.ts';

/** What the gateway tells those who watch runs. */
export class RunNews {
  readonly #hub: Pick<RunHub, 'publish'>;

  constructor(hub: Pick<RunHub, 'publish'>) {
    this.#hub = hub;
  }

  event(held: HeldRun, event: RunEvent, stored: boolean): void {
    this.#hub.publish({ kind: 'event', ...about(held), event, stored });
  }

  output(held: HeldRun): void {
    this.#hub.publish({ kind: 'output', ...about(held) });
  }

  status(held: HeldRun, status: RunStatus = held.record.status): void {
    this.#hub.publish({ kind: 'status', ...about(held), status });
  }
}

function about({ run, record: { request } }: HeldRun): { readonly run: string; readonly task?: string } {
  return request.task === undefined ? { run } : { run, task: request.task };
}
