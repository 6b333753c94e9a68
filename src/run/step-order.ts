import type { PlanStep } from '../model/plan.ts';

/**
 * Whether containers of two of these steps can exist at the same time. Steps that wait for each other cannot, unless the earlier one
 * is detached: it lives to the end of the run. Linear in steps and edges.
 */
export function stepsOverlap(steps: readonly PlanStep[], ids: ReadonlySet<string>): boolean {
  const position = new Map(steps.map((step, index) => [step.id, index]));
  let previous: number | undefined;
  for (const [index, step] of steps.entries()) {
    if (!ids.has(step.id)) continue;
    if (previous !== undefined) {
      const earlier = steps[previous] as PlanStep;
      if (earlier.kind === 'cmd' && earlier.detach) return true;
      // In file order each step must wait for the one before: then every two of them are ordered.
      if (!waitsFor(steps, position, index, previous)) return true;
    }
    previous = index;
  }
  return false;
}

/** Whether a later step waits for an earlier one, directly or not. Looks only at steps between the two: needs point back in file order. */
function waitsFor(steps: readonly PlanStep[], position: ReadonlyMap<string, number>, later: number, earlier: number): boolean {
  const stack = [later];
  const seen = new Set(stack);
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    for (const need of (steps[index] as PlanStep).needs) {
      const before = position.get(need) ?? -1;
      if (before === earlier) return true;
      if (before < earlier || seen.has(before)) continue;
      seen.add(before);
      stack.push(before);
    }
  }
  return false;
}

/**
 * The builds that run before any `cmd` step can have changed the workspace: all `cmd` steps wait for them. They may read the
 * seed directory of this machine instead of the run's volume.
 */
export function buildsBeforeAllCommands(steps: readonly PlanStep[]): ReadonlySet<string> {
  const commands = steps.filter((step) => step.kind === 'cmd').length;
  const successors = new Map<string, PlanStep[]>(steps.map((step) => [step.id, []]));
  for (const step of steps) for (const need of step.needs) successors.get(need)?.push(step);
  const found = new Set<string>();
  const behindCommand = new Set<string>();
  for (const step of steps) {
    if (step.kind === 'cmd' || step.needs.some((need) => behindCommand.has(need))) behindCommand.add(step.id);
    else if (step.kind === 'build' && countCommandsBehind(step, successors) === commands) found.add(step.id);
  }
  return found;
}

function countCommandsBehind(step: PlanStep, successors: ReadonlyMap<string, readonly PlanStep[]>): number {
  const stack = [step];
  const seen = new Set(stack);
  let commands = 0;
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next.kind === 'cmd') commands += 1;
    for (const successor of successors.get(next.id) ?? []) {
      if (seen.has(successor)) continue;
      seen.add(successor);
      stack.push(successor);
    }
  }
  return commands;
}
