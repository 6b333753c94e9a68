import type { RunEvent, StepOutcomeStatus } from '../../model/run-event.ts';
import { TerminalFilter } from '../terminal/terminal-filter.ts';
import { TailBuffer } from './tail-buffer.ts';

const TAIL_LINES = 50;
/** `[2/5] RUN …`, `[stage 2/5] COPY …`. */
const INSTRUCTION = /^\[(?:[^\]]+ )?\d+\/\d+\] (?!FROM )/;

type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { readonly type: Type }>;

/** What a person sees of one step, folded from the events so far. Times are milliseconds of the reader's clock. */
export interface StepView {
  readonly id: string;
  readonly kind: 'cmd' | 'build' | 'push';
  readonly needs: readonly string[];
  status: 'waiting' | 'delayed' | 'running' | 'retrying' | StepOutcomeStatus;
  attempt: number;
  startedAtMs: number;
  detail: string;
  /** What the step is doing now: its last line of output, build vertex or transfer. */
  activity: string;
  readonly tail: TailBuffer;
  /** Output is passed through this before it is kept. */
  readonly filter: TerminalFilter;
  /** State of each build vertex by its id. */
  readonly vertices: Map<string, EventOf<'build-progress'>>;
  readonly layers: Map<string, EventOf<'transfer-progress'>>;
  finished?: EventOf<'step-finished'>;
}

/** A run as its events have told it so far. */
export class RunView {
  readonly steps = new Map<string, StepView>();
  started: EventOf<'run-started'> | undefined;
  finished: EventOf<'run-finished'> | undefined;

  apply(event: RunEvent, nowMs: number): void {
    switch (event.type) {
      case 'run-started':
        this.started = event;
        for (const step of event.steps) this.steps.set(step.id, newStep(step));
        return;
      case 'run-finished':
        this.finished = event;
        return;
      case 'note':
      case 'base-images':
      case 'image-built':
      case 'image-pushed':
      case 'container-created':
        return;
      default: {
        const step = this.steps.get(event.step);
        if (step !== undefined) applyToStep(step, event, nowMs);
      }
    }
  }

  countOf(...statuses: readonly StepView['status'][]): number {
    let count = 0;
    for (const step of this.steps.values()) if (statuses.includes(step.status)) count += 1;
    return count;
  }
}

/** BuildKit's own work around a build (loading the Dockerfile, metadata, the context), of no interest when it went well. */
export function isInternal(vertexName: string): boolean {
  return vertexName.startsWith('[internal] ');
}

/** How many instructions of a build there are, are done, and came from the cache. A FROM is no work of the build. */
export function countInstructions(step: StepView): { readonly total: number; readonly done: number; readonly cached: number } {
  let total = 0;
  let done = 0;
  let cached = 0;
  for (const { name, state } of step.vertices.values()) {
    if (!INSTRUCTION.test(name)) continue;
    total += 1;
    if (state === 'cached') cached += 1;
    if (state === 'cached' || state === 'done') done += 1;
  }
  return { total, done, cached };
}

type StepEvent = EventOf<
  'step-delayed' | 'step-started' | 'step-output' | 'build-progress' | 'transfer-progress' | 'step-retrying' | 'step-finished'
>;

function applyToStep(step: StepView, event: StepEvent, nowMs: number): void {
  switch (event.type) {
    case 'step-delayed':
      step.status = 'delayed';
      step.startedAtMs = nowMs;
      return;
    case 'step-started':
      if (step.status === 'waiting' || step.status === 'delayed') step.startedAtMs = nowMs;
      step.status = 'running';
      step.attempt = event.attempt;
      step.detail = event.detail;
      if (event.attempt > 1) resetAttempt(step);
      return;
    case 'step-output':
      step.tail.push(step.filter.write(event.partial === true ? event.text : `${event.text}\n`).replace(/\n$/, ''), event.partial === true);
      step.activity = lastShown(step.tail.lastLine);
      return;
    case 'build-progress':
      step.vertices.set(event.vertex, event);
      if (event.state === 'started' || event.state === 'running') step.activity = event.name;
      return;
    case 'transfer-progress':
      step.layers.set(`${event.image} ${event.layer}`, event);
      step.activity = `${event.direction === 'pull' ? 'pulling' : 'pushing'} ${event.image}`;
      return;
    case 'step-retrying':
      step.status = 'retrying';
      step.activity = event.because;
      return;
    case 'step-finished':
      step.status = event.status;
      step.finished = event;
  }
}

function newStep(step: { readonly id: string; readonly kind: StepView['kind']; readonly needs: readonly string[] }): StepView {
  return {
    ...step,
    status: 'waiting',
    attempt: 1,
    startedAtMs: 0,
    detail: '',
    activity: '',
    tail: new TailBuffer(TAIL_LINES),
    filter: new TerminalFilter(),
    vertices: new Map(),
    layers: new Map(),
  };
}

function resetAttempt(step: StepView): void {
  step.tail.clear();
  step.vertices.clear();
  step.layers.clear();
  step.activity = '';
}

/** A program that draws a progress line with CR shows what follows the last CR. */
export function lastShown(line: string): string {
  const trimmed = line.trimEnd();
  return trimmed.slice(trimmed.lastIndexOf('\r') + 1);
}
