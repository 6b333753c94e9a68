import type { Plan } from '../../model/plan.ts';
import type { SecretBox } from '../../model/ports/secret-box.ts';
import type { RunCheckpoint } from '../../model/ports/store.ts';
import type { RunRecord } from '../../model/run-record.ts';

/** What a run goes on from. */
export interface Planned {
  readonly plan: Plan;
  readonly source: NonNullable<RunRecord['source']>;
}

/** Sealed, bound to the run: a plan can hold rendered secrets. */
export function sealPlanned(box: SecretBox, run: string, planned: Planned): RunCheckpoint {
  return { plan: box.seal(JSON.stringify(planned), bindingOf(run)) };
}

/** Throws EngineError `secret-unavailable` when the key is another. */
export function openPlanned(box: SecretBox, run: string, { plan }: RunCheckpoint): Planned {
  return JSON.parse(box.open(plan, bindingOf(run)).toString('utf8'));
}

function bindingOf(run: string): string {
  return `run:${run}:plan`;
}
