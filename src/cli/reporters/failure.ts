import { formatDuration } from '../terminal/format-duration.ts';
import type { Paint } from '../terminal/paint.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { lastShown, type StepView } from './run-view.ts';
import type { LogPlaces } from './step-logs.ts';
import { describeOutcome, outcomeSign } from './summary.ts';

/** A failed step: one line of why, its last lines of output, and where all of it is. */
export function renderFailure(step: StepView, options: { readonly paint: Paint; readonly logs: LogPlaces }): string[] {
  const { paint } = options;
  const lines = [`${renderFinished(step, paint)}`];
  const margin = paint('dim', '  │ ');
  if (step.tail.dropped) lines.push(`${margin}${paint('dim', '…')}`);
  for (const line of step.tail.lines) lines.push(`${margin}${lastShown(line)}${line.includes('\x1b[') ? '\x1b[0m' : ''}`);
  const file = options.logs.fileOf(step.id);
  if (file !== undefined) lines.push(paint('dim', `  └ full log: ${file}`));
  return lines;
}

/** A finished step on one line: `✔ build-web 12.3s  3 of 8 build steps cached`. */
export function renderFinished(step: StepView, paint: Paint): string {
  const time = step.finished === undefined || step.status === 'skipped' ? '' : ` ${formatDuration(step.finished.durationMs)}`;
  const status = step.status === 'succeeded' ? '' : ` ${step.status}`;
  const facts = describeOutcome(step);
  return `${outcomeSign(step, paint)} ${paint('bold', printable(step.id))}${status}${paint('dim', time)}${facts === '' ? '' : `  ${facts}`}`;
}
