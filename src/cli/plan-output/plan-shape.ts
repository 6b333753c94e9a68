import type { PlanStep } from '../../model/plan.ts';

/** What the edges of a plan say: when each step can start at the earliest, and the longest chain. */
export interface PlanShape {
  /** Zero-based: a step's wave is one more than the highest wave it waits for. */
  readonly waveOf: ReadonlyMap<string, number>;
  /** Ids by wave, in file order. */
  readonly waves: readonly (readonly string[])[];
  /** Ids of one longest chain, from first to last. */
  readonly criticalPath: readonly string[];
}

/** Steps come in topological order, as a Plan has them. */
export function shapeOf(steps: readonly PlanStep[]): PlanShape {
  const waveOf = new Map<string, number>();
  const waves: string[][] = [];
  for (const step of steps) {
    let wave = 0;
    for (const need of step.needs) wave = Math.max(wave, (waveOf.get(need) ?? 0) + 1);
    waveOf.set(step.id, wave);
    const members = waves[wave];
    if (members === undefined) waves[wave] = [step.id];
    else members.push(step.id);
  }
  return { waveOf, waves, criticalPath: longestChain(steps, waveOf) };
}

function longestChain(steps: readonly PlanStep[], waveOf: ReadonlyMap<string, number>): string[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  let last: PlanStep | undefined;
  for (const step of steps) if (last === undefined || (waveOf.get(step.id) ?? 0) > (waveOf.get(last.id) ?? 0)) last = step;
  const chain: string[] = [];
  for (let step = last; step !== undefined; ) {
    chain.push(step.id);
    const wave = waveOf.get(step.id) ?? 0;
    const before: string | undefined = step.needs.find((need) => waveOf.get(need) === wave - 1);
    step = before === undefined ? undefined : byId.get(before);
  }
  return chain.reverse();
}
