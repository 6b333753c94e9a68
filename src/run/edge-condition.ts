import type { PlanStep } from '../model/plan.ts';

/** How a predecessor ended, as the edge to its successor sees it. */
export interface Ending {
  readonly status: 'succeeded' | 'failed' | 'errored' | 'canceled';
  /**
   * Exit code of the last container of a `cmd` step; 0 of a `build` or `push` step that succeeded, 1 of one that said no. Absent
   * when nothing exited: timeouts, engine errors, cancellation.
   */
  readonly exitCode?: number;
  /** The failure counts as success (`ignoreErrors`); `status` is then `succeeded` and `exitCode` the real one. */
  readonly ignored?: boolean;
}

/**
 * The extension `exitedWith` / `exitedWithout` (ACR parses and ignores them). Both stand on the step that waits and are asked of
 * each of its predecessors:
 *
 * - `exitedWith: [1, 2]`: the step runs only if every predecessor exited with one of these codes;
 * - `exitedWithout: [0]`: the step runs only if no predecessor exited with one of these codes;
 * - both: both must hold. A predecessor that has no exit code (timed out, engine error, canceled, skipped) meets neither.
 *
 * A step without them runs after success, as always. When a predecessor fails with a code that one of its successors waits for,
 * that failure is expected: it does not end the run, and the run may still succeed. Successors that do not
 * wait for the code are skipped, as is everything behind them.
 */
export function meetsEdge(step: Pick<PlanStep, 'edgeCondition'>, ending: Ending): boolean {
  if (!hasCondition(step)) return ending.status === 'succeeded';
  const { exitCode } = ending;
  if (exitCode === undefined) return false;
  const { exitedWith, exitedWithout } = step.edgeCondition;
  return (exitedWith.length === 0 || exitedWith.includes(exitCode)) && !exitedWithout.includes(exitCode);
}

/** Whether a failure with this ending is what the successor waits for. */
export function awaitsFailure(successor: Pick<PlanStep, 'edgeCondition'>, ending: Ending): boolean {
  return hasCondition(successor) && meetsEdge(successor, ending);
}

function hasCondition<T extends Pick<PlanStep, 'edgeCondition'>>(step: T): step is T & Required<Pick<PlanStep, 'edgeCondition'>> {
  const condition = step.edgeCondition;
  return condition !== undefined && (condition.exitedWith.length > 0 || condition.exitedWithout.length > 0);
}
