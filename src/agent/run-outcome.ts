import { EngineError } from '../model/engine-error.ts';
import type { ErrorCode } from '../model/error-codes.ts';
import type { AgentOutcome } from '../model/ports/agent-channel.ts';
import { RUN_EVENT_VERSION, type RunEvent, type RunFact } from '../model/run-event.ts';
import type { TerminalStatus } from '../model/run-record.ts';
import type { RunResult } from '../run/run-options.ts';

const NOTHING_MADE = { images: [], built: [], baseImages: [], dependencies: [] } as const;
/** What the author of the task can mend; everything else is the machine's. */
const AUTHORS: readonly ErrorCode[] = ['bad-task', 'policy-refused', 'context-rejected', 'dockerfile-missing'];

export function outcomeOf({ status, images, built, baseImages, dependencies, failure }: RunResult): AgentOutcome {
  return { status, images, built, baseImages, dependencies, ...(failure === undefined ? {} : { error: failure }) };
}

/** Of a run that ended before its first step. */
export function outcomeOfFailure(error: unknown): AgentOutcome {
  const message = error instanceof Error ? error.message : String(error);
  const errorCode: ErrorCode = error instanceof EngineError ? error.code : 'internal';
  return { ...NOTHING_MADE, status: AUTHORS.includes(errorCode) ? 'Failed' : 'Error', error: { message, errorCode } };
}

export function outcomeWithoutSteps(status: TerminalStatus, message: string): AgentOutcome {
  return { ...NOTHING_MADE, status, error: { message } };
}

/** The two events that whoever follows a run waits for, of a run that never came to its steps. */
export function eventsWithoutSteps(
  run: { readonly id: string; readonly task: string; readonly registry: string; readonly lastEvent: number; readonly durationMs: number },
  outcome: AgentOutcome,
  at: string,
): readonly RunEvent[] {
  const { error, ...rest } = outcome;
  const started: RunFact = { type: 'run-started', task: run.task, registry: run.registry, engine: '', steps: [] };
  const finished: RunFact = {
    ...{ type: 'run-finished', durationMs: run.durationMs, criticalPathMs: 0, ...rest },
    ...(error === undefined ? {} : { failure: error }),
  };
  const facts = run.lastEvent === 0 ? [started, finished] : [finished];
  return facts.map((fact, index): RunEvent => ({ version: RUN_EVENT_VERSION, seq: run.lastEvent + 1 + index, at, run: run.id, ...fact }));
}
