import type { PlanStep } from '../model/plan.ts';
import type { StepState } from '../model/step-state.ts';

/** Milliseconds of the longest chain of steps that waited for each other, with their start delays: no machine could have run this plan faster. */
export function criticalPathMs(steps: readonly PlanStep[], states: ReadonlyMap<string, StepState>): number {
  const until = new Map<string, number>();
  let longest = 0;
  for (const step of steps) {
    const state = states.get(step.id);
    const own = state !== undefined && 'durationMs' in state ? state.durationMs + step.startDelayMs : 0;
    const before = step.needs.reduce((most, need) => Math.max(most, until.get(need) ?? 0), 0);
    until.set(step.id, before + own);
    longest = Math.max(longest, before + own);
  }
  return longest;
}
