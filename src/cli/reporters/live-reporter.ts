import type { RunEvent } from '../../model/run-event.ts';
import { systemClock } from '../../util/clock.ts';
import { formatBytes, formatDuration } from '../terminal/format-duration.ts';
import { LiveRegion } from '../terminal/live-region.ts';
import type { OutputStream, Paint } from '../terminal/paint.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { padText } from '../terminal/text-width.ts';
import { renderFailure, renderFinished } from './failure.ts';
import type { Reporter } from './reporter.ts';
import { countInstructions, RunView, type StepView } from './run-view.ts';
import type { LogPlaces } from './step-logs.ts';
import { countSteps, onEngine, renderSummary } from './summary.ts';

const FRAME_MS = 100;
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const WIDEST_ID = 30;

interface LiveOptions {
  readonly paint: Paint;
  readonly logs: LogPlaces;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** For a person at a terminal: a line per running step that is redrawn, finished steps above it on one line each. */
export function createLiveReporter(stream: OutputStream, options: LiveOptions): Reporter {
  const now = options.now ?? (() => systemClock.monotonicMs());
  const view = new RunView();
  const region = new LiveRegion(stream);
  let above = '';
  let closed = false;

  const draw = (): void => {
    if (closed) return;
    region.draw(renderRegion(view, now(), region.rows - 1, options.paint), above);
    above = '';
  };
  const timer = setInterval(draw, FRAME_MS);
  timer.unref();
  const restore = (): void => region.close();
  stream.on('resize', draw);
  process.once('exit', restore);
  const close = (): void => {
    if (closed) return;
    draw();
    closed = true;
    clearInterval(timer);
    stream.off('resize', draw);
    process.off('exit', restore);
    region.close();
  };

  return {
    emit: (event) => {
      view.apply(event, now());
      const lines = lastingLines(event, view, options);
      if (event.type === 'run-finished') close();
      if (lines.length === 0) return;
      if (closed) stream.write(`${lines.join('\n')}\n`);
      else {
        above += `${lines.join('\n')}\n`;
        draw();
      }
    },
    say: (message) => {
      if (closed) stream.write(`${message}\n`);
      else {
        above += `${message}\n`;
        draw();
      }
    },
    close,
  };
}

function lastingLines(event: RunEvent, view: RunView, options: LiveOptions): string[] {
  const { paint } = options;
  switch (event.type) {
    case 'run-started':
      return [paint('dim', `Run ${event.run} of ${printable(event.task)}: ${countSteps(event.steps.length)}${onEngine(event.engine)}`)];
    case 'note': {
      const where = event.step === undefined ? '' : `${printable(event.step)}: `;
      return [
        event.level === 'warning'
          ? `${paint('yellow', 'warning:')} ${where}${printable(event.message)}`
          : paint('dim', `${where}${printable(event.message)}`),
      ];
    }
    case 'step-retrying':
      return [`${paint('yellow', '↻')} ${printable(event.step)} attempt ${event.attempt} failed: ${printable(event.because)}`];
    case 'step-finished': {
      const step = view.steps.get(event.step);
      if (step === undefined) return [];
      return event.status === 'failed' || event.status === 'errored' ? renderFailure(step, options) : [renderFinished(step, paint)];
    }
    case 'run-finished':
      return renderSummary(view, event, options);
    default:
      return [];
  }
}

/** The redrawn lines: as many running steps as fit, then one line about the whole run. */
function renderRegion(view: RunView, nowMs: number, rows: number, paint: Paint): string[] {
  if (view.finished !== undefined) return [];
  const active = [...view.steps.values()].filter(isActive);
  const fitting = active.length > rows - 1 ? active.slice(0, Math.max(0, rows - 2)) : active;
  const idWidth = Math.min(WIDEST_ID, Math.max(0, ...fitting.map((step) => step.id.length)));
  const lines = fitting.map((step) => renderActive(step, { nowMs, idWidth, paint }));
  if (fitting.length < active.length) lines.push(paint('dim', `  … and ${active.length - fitting.length} more running`));
  if (view.started !== undefined) lines.push(paint('dim', renderTotals(view)));
  return lines;
}

function isActive(step: StepView): boolean {
  return step.status === 'running' || step.status === 'retrying' || step.status === 'delayed';
}

function renderTotals(view: RunView): string {
  const waiting = view.countOf('waiting');
  const done = view.steps.size - waiting - view.countOf('running', 'retrying', 'delayed');
  return `  ${done} of ${countSteps(view.steps.size)} done${waiting > 0 ? `, ${waiting} waiting` : ''}`;
}

function renderActive(step: StepView, frame: { readonly nowMs: number; readonly idWidth: number; readonly paint: Paint }): string {
  const { paint } = frame;
  const elapsed = Math.max(0, frame.nowMs - step.startedAtMs);
  const spinner = SPINNER[Math.floor(frame.nowMs / FRAME_MS) % SPINNER.length] ?? '';
  const time = formatDuration(elapsed).padStart(7);
  return `${paint('cyan', spinner)} ${padText(printable(step.id), frame.idWidth)} ${paint('dim', time)}  ${renderActivity(step)}`;
}

function renderActivity(step: StepView): string {
  if (step.status === 'delayed') return 'waiting out its startDelay';
  const attempt = step.attempt > 1 ? `attempt ${step.attempt}: ` : '';
  if (step.status === 'retrying') return `retrying after: ${printable(step.activity)}`;
  const activity = step.activity === '' ? printable(step.detail) : withoutControls(step.activity);
  return `${attempt}${renderProgress(step)}${activity}`;
}

function renderProgress(step: StepView): string {
  const { total, done } = countInstructions(step);
  const built = total === 0 ? '' : `[${done}/${total}] `;
  let current = 0;
  let size = 0;
  for (const layer of step.layers.values()) {
    current += layer.current ?? 0;
    size += layer.total ?? 0;
  }
  return size === 0 || current >= size ? built : `${built}${formatBytes(current)} of ${formatBytes(size)} `;
}

/** Colours may stay in the shown last line, nothing that moves the cursor. */
function withoutControls(line: string): string {
  return line.replaceAll('\t', ' ').replaceAll('\r', '');
}
