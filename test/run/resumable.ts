import type { Plan } from '../../src/model/plan.ts';
import type { RunEvent } from '../../src/model/run-event.ts';
import type { RunResume } from '../../src/model/run-resume.ts';
import type { StepState } from '../../src/model/step-state.ts';
import type { OutputChunk } from '../../src/run/run-options.ts';

/** What a daemon would have on record of a run: its events and its output. */
export class RunRecorder {
  readonly events: RunEvent[] = [];
  readonly chunks: OutputChunk[] = [];

  readonly emit = (event: RunEvent): void => void this.events.push(event);
  readonly output = (chunk: OutputChunk): void => void this.chunks.push({ ...chunk, bytes: Uint8Array.from(chunk.bytes) });

  /** All output of an attempt, by stream. */
  text(step: string, stream: 'stdout' | 'stderr' = 'stdout', attempt = 1): string {
    const own = this.chunks.filter((chunk) => chunk.step === step && chunk.stream === stream && chunk.attempt === attempt);
    return Buffer.concat(own.map(({ bytes }) => bytes)).toString('latin1');
  }
}

/** What another attempt of the run is given, made from the record alone. */
export function resumeOf(plan: Plan, events: readonly RunEvent[], chunks: readonly Omit<OutputChunk, 'bytes'>[]): RunResume {
  const states: Record<string, StepState> = {};
  const begun = Date.parse(events[0]?.at ?? '');
  for (const event of events) {
    if (event.type === 'step-started') {
      const before = states[event.step];
      const startedAtMs = before?.status === 'running' ? before.startedAtMs : Date.parse(event.at) - begun;
      states[event.step] = { status: 'running', startedAtMs, attempt: event.attempt };
    } else if (event.type === 'container-created') {
      const before = states[event.step];
      if (before?.status === 'running') states[event.step] = { ...before, attempt: event.attempt, container: event.container };
    } else if (event.type === 'step-finished') states[event.step] = stateOf(event);
  }
  const positions = new Map(
    chunks.map(({ step, attempt, stream, position }) => [`${step} ${attempt} ${stream}`, { step, attempt, stream, position }]),
  );
  return {
    plan,
    states,
    positions: [...positions.values()],
    lastEvent: events.at(-1)?.seq ?? 0,
    facts: events.filter(({ type }) => ['base-images', 'image-built', 'image-pushed', 'step-retrying'].includes(type)),
    source: {},
    elapsedMs: Date.parse(events.at(-1)?.at ?? '') - begun,
  };
}

function stateOf({ status, attempts, durationMs, ...event }: Extract<RunEvent, { type: 'step-finished' }>): StepState {
  const { because = '', errorCode = '', timedOut = false } = event;
  const exited = event.exitCode === undefined ? {} : { exitCode: event.exitCode };
  switch (status) {
    case 'succeeded':
      return { status, attempts, durationMs, ...exited, ...(event.ignored === true ? { ignored: because } : {}) };
    case 'failed':
      return { status, attempts, durationMs, because, ...exited, timedOut };
    case 'errored':
      return { status, attempts, durationMs, because, errorCode };
    case 'canceled':
      return { status, attempts, durationMs, because };
    case 'skipped':
      return { status, because };
  }
}
