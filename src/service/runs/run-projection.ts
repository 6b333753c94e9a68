import type { PushedImage } from '../../model/image.ts';
import type { Plan } from '../../model/plan.ts';
import type { LogPosition } from '../../model/ports/log-store.ts';
import type { RunOutcome } from '../../model/ports/store.ts';
import { RUN_EVENT_VERSION, type RunEvent } from '../../model/run-event.ts';
import { isTerminal, type RunRecord, type StepRecord, type TerminalStatus } from '../../model/run-record.ts';
import type { RunResume } from '../../model/run-resume.ts';
import type { StepState } from '../../model/step-state.ts';

/** What the events of a run say of its steps and images. */
export interface RunView {
  readonly steps: readonly StepRecord[];
  readonly images: readonly PushedImage[];
}

/** Folds events into the view. Pure; events of steps that `run-started` did not name are left out. */
export function projectRun(view: RunView, events: readonly RunEvent[]): RunView {
  let { steps, images } = view;
  for (const event of events) {
    if (event.type === 'run-started') steps = startedSteps(steps, event.steps);
    else if (event.type === 'image-pushed') images = withImage(images, event);
    else if ('step' in event && event.step !== undefined) steps = withStep(steps, event.step, event);
  }
  return { steps, images };
}

/** A run that goes on says again how it started: what is known of its steps stays. */
function startedSteps(known: readonly StepRecord[], named: Extract<RunEvent, { type: 'run-started' }>['steps']): readonly StepRecord[] {
  const byId = new Map(known.map((step) => [step.id, step]));
  return named.map((step): StepRecord => byId.get(step.id) ?? { ...step, status: 'pending', attempts: 0 });
}

function withImage(images: readonly PushedImage[], { step, reference, digest }: PushedImage): readonly PushedImage[] {
  const others = images.filter((image) => image.step !== step || image.reference !== reference);
  return [...others, { step, reference, digest }];
}

function withStep(steps: readonly StepRecord[], id: string, event: RunEvent): readonly StepRecord[] {
  const index = steps.findIndex((step) => step.id === id);
  const step = steps[index];
  const next = step === undefined ? undefined : nextStep(step, event);
  return next === undefined ? steps : steps.with(index, next);
}

function nextStep(step: StepRecord, event: RunEvent): StepRecord | undefined {
  switch (event.type) {
    case 'step-started': {
      const { attempt, detail, container, at } = event;
      const { container: _, ...rest } = step;
      const started = { status: 'running' as const, attempts: attempt, detail, startTime: step.startTime ?? at };
      return { ...rest, ...started, ...(container === undefined ? {} : { container }) };
    }
    case 'container-created':
      return { ...step, container: event.container };
    case 'step-finished': {
      const { status, attempts, durationMs, exitCode, because, errorCode, ignored, at } = event;
      return {
        ...step,
        ...{ status, attempts, durationMs, finishTime: at },
        ...(exitCode === undefined ? {} : { exitCode }),
        ...(because === undefined ? {} : { reason: because }),
        ...(errorCode === undefined ? {} : { errorCode }),
        ...(ignored === undefined ? {} : { ignored }),
      };
    }
    default:
      return undefined;
  }
}

/** Whether a step has begun, so that the run must not begin anew. */
export function hasBegun({ steps }: Pick<RunRecord, 'steps'>): boolean {
  return steps.some(({ status }) => status !== 'pending');
}

/** What an agent goes on from. `events` are all of the run; times are compared by the events' own. */
export function resumeOf(parts: {
  readonly record: Pick<RunRecord, 'startTime' | 'lastEvent'>;
  readonly plan: Plan;
  readonly source: NonNullable<RunRecord['source']>;
  readonly events: readonly RunEvent[];
  readonly positions: readonly LogPosition[];
  readonly now: Date;
}): RunResume {
  const { record, plan, source, events, positions, now } = parts;
  const startMs = Date.parse(record.startTime ?? events[0]?.at ?? now.toISOString());
  const states = stepStates(events, startMs);
  return {
    ...{ plan, source, states, positions },
    lastEvent: record.lastEvent,
    facts: events.filter((event) => isKeptFact(event, states)),
    elapsedMs: Math.max(0, now.getTime() - startMs),
  };
}

function stepStates(events: readonly RunEvent[], startMs: number): Record<string, StepState> {
  const states: Record<string, StepState> = {};
  for (const event of events) {
    if (event.type === 'step-started') {
      const { attempt, container, at } = event;
      const known = states[event.step];
      const startedAtMs = known?.status === 'running' ? known.startedAtMs : Math.max(0, Date.parse(at) - startMs);
      states[event.step] = { status: 'running', startedAtMs, attempt, ...(container === undefined ? {} : { container }) };
    } else if (event.type === 'container-created') {
      const known = states[event.step];
      if (known?.status === 'running') states[event.step] = { ...known, attempt: event.attempt, container: event.container };
    } else if (event.type === 'step-finished') states[event.step] = endedState(event);
  }
  return states;
}

function endedState(event: Extract<RunEvent, { type: 'step-finished' }>): StepState {
  const { status, attempts, durationMs, exitCode, because = '', timedOut = false, errorCode = 'internal', ignored } = event;
  const counted = { attempts, durationMs };
  const code = exitCode === undefined ? {} : { exitCode };
  switch (status) {
    case 'succeeded':
      return { status, ...counted, ...code, ...(ignored === true ? { ignored: because } : {}) };
    case 'failed':
      return { status, ...counted, ...code, because, timedOut };
    case 'errored':
      return { status, ...counted, because, errorCode };
    case 'canceled':
      return { status, ...counted, because };
    case 'skipped':
      return { status, because };
  }
}

/** Images of a build that was under way are made again; pushes go on by what is there; a retry is told from a repetition by its event. */
function isKeptFact(event: RunEvent, states: Readonly<Record<string, StepState>>): boolean {
  if (event.type === 'image-pushed') return true;
  if (event.type === 'step-retrying') return states[event.step]?.status === 'running';
  if (event.type !== 'image-built' && event.type !== 'base-images') return false;
  const state = states[event.step];
  return state !== undefined && state.status !== 'running';
}

/** The outcome that the run's own last event told, when its agent was lost before it could say so. */
export function outcomeTold(view: RunView, last: RunEvent | undefined): RunOutcome | undefined {
  if (last?.type !== 'run-finished') return undefined;
  const { status, images, built, baseImages, dependencies, failure } = last;
  const steps = endedSteps(view.steps, status, failure?.message ?? 'the run had ended');
  return { status, images, built, baseImages, dependencies, steps, ...(failure === undefined ? {} : { error: failure }) };
}

/** An outcome that the daemon decides: what the run made stays told; steps that ran are errored, the rest is skipped. */
export function outcomeOfDaemon(
  record: Pick<RunRecord, 'steps' | 'images' | 'built' | 'baseImages' | 'dependencies'>,
  status: TerminalStatus,
  error: { readonly message: string; readonly errorCode?: string },
): RunOutcome {
  const { images, built, baseImages, dependencies, steps } = record;
  return { status, images, built, baseImages, dependencies, steps: endedSteps(steps, status, error.message), error };
}

/** Steps of a run that is over: nothing runs or waits any more, also where no event told how it ended. */
export function endedSteps(steps: readonly StepRecord[], status: TerminalStatus, because: string): readonly StepRecord[] {
  return steps.map((step): StepRecord => {
    if (step.status === 'running') return { ...step, status: status === 'Canceled' ? 'canceled' : 'errored', reason: because };
    return step.status === 'pending' ? { ...step, status: 'skipped', reason: because } : step;
  });
}

/**
 * The event that ends the stream of a run which the daemon ended itself (canceled in the queue, lost), made from its row: the same at each
 * call. Undefined while the run lives.
 */
export function closingEvent(record: RunRecord): RunEvent | undefined {
  if (!isTerminal(record)) return undefined;
  const { status, images, built, baseImages, dependencies, error, finishTime, startTime, createTime } = record;
  const at = finishTime ?? record.lastUpdatedTime;
  return {
    ...{ version: RUN_EVENT_VERSION, seq: record.lastEvent + 1, at, run: record.id, type: 'run-finished' },
    ...{ status, images, built, baseImages, dependencies, criticalPathMs: 0 },
    durationMs: Math.max(0, Date.parse(at) - Date.parse(startTime ?? createTime)),
    ...(error === undefined ? {} : { failure: error }),
  };
}
