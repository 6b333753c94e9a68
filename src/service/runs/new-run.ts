import { randomUUID } from 'node:crypto';
import type { NewRun } from '../../model/ports/store.ts';
import type { RunHold } from '../../model/run-hold.ts';
import type { RunRequest } from '../../model/run-record.ts';
import type { Principal } from '../../model/security.ts';
import type { NewTriggerEvent } from '../../model/trigger-event.ts';

/** A run as the store takes it. */
export function newRun(request: RunRequest, sealed: Uint8Array | undefined, hold: RunHold | undefined): NewRun {
  return { request, ...(sealed === undefined ? {} : { sealed }), ...(hold === undefined ? {} : { hold }) };
}

/** That somebody asked for a run of a task is an event like any other, and settled at once. */
export function manualEvent({ task }: RunRequest, by: Pick<Principal, 'name'>): NewTriggerEvent | undefined {
  if (task === undefined) return undefined;
  return { dedupKey: `manual:${randomUUID()}`, origin: 'manual', happening: { kind: 'manual', task, by: by.name } };
}
