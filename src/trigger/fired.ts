import type { RunStarter } from '../model/ports/run-starter.ts';
import type { RunStore } from '../model/ports/store.ts';
import type { TriggerDecision } from '../model/trigger-event.ts';

type Decision = Omit<TriggerDecision, 'event' | 'at'>;

/** For which trigger of which task an event is decided on. */
export interface DecidedTrigger {
  readonly task: string;
  readonly trigger: string;
}

export function skipped(of: Partial<DecidedTrigger>, code: TriggerDecision['code'], because: string, run?: string): Decision {
  return { ...of, outcome: 'skipped', code, because, ...(run === undefined ? {} : { run }) };
}

/**
 * What came of firing. A run that this very event made before (the daemon ended before the decision was kept) is told as made, one that
 * another event made as `already-fired`.
 */
export async function firedDecision(
  runs: Pick<RunStore, 'get'>,
  of: DecidedTrigger,
  event: string,
  result: Awaited<ReturnType<RunStarter['fire']>>,
  because: string,
): Promise<Decision> {
  if (result === undefined) return skipped(of, 'task-gone', `task ${of.task} was deleted meanwhile`);
  if (result.created) return { ...of, outcome: 'run', code: 'fired', because, run: result.run.id };
  const run = await runs.get(result.run);
  const own = run?.request.causes.some((cause) => 'eventId' in cause && cause.eventId === event) ?? false;
  if (own) return { ...of, outcome: 'run', code: 'fired', because, run: result.run };
  return skipped(of, 'already-fired', `run ${result.run} was started for the same before`, result.run);
}
