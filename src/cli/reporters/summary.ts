import { ERROR_CODES, isErrorCode } from '../../model/error-codes.ts';
import type { RunEvent } from '../../model/run-event.ts';
import { formatDuration } from '../terminal/format-duration.ts';
import type { Paint } from '../terminal/paint.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { textTable } from '../terminal/text-table.ts';
import { countInstructions, type RunView, type StepView } from './run-view.ts';
import type { LogPlaces } from './step-logs.ts';

type RunFinished = Extract<RunEvent, { readonly type: 'run-finished' }>;

/** The closing report of a run: steps with times, images with digests, base images, how it ended. Lines without LF. */
export function renderSummary(
  view: RunView,
  finished: RunFinished,
  options: { readonly paint: Paint; readonly logs: LogPlaces },
): string[] {
  const { paint } = options;
  const steps = [...view.steps.values()].map((step) => stepRow(step, paint));
  // A run that waited too long, or whose task file is wrong, has none.
  const lines = steps.length === 0 ? [] : ['', paint('bold', 'Steps'), ...indented(steps)];
  if (finished.images.length > 0) {
    lines.push(
      '',
      paint('bold', 'Images'),
      ...finished.images.map((image) => `  ${printable(image.reference)}@${printable(image.digest)}`),
    );
  }
  if (finished.baseImages.length > 0) {
    lines.push('', paint('bold', 'Base images'), ...indented(uniqueBaseImages(finished).map((cells) => cells.map(printable))));
  }
  lines.push('', renderOutcome(finished, paint), ...renderHelp(finished));
  if (options.logs.hasFiles) lines.push(paint('dim', `Logs: ${options.logs.directory}`));
  return lines;
}

/** `Succeeded in 12.3s (critical path 10.1s)`, or what went wrong. */
function renderOutcome(finished: RunFinished, paint: Paint): string {
  const time = `${formatDuration(finished.durationMs)} (critical path ${formatDuration(finished.criticalPathMs)})`;
  if (finished.status === 'Succeeded') return paint(['green', 'bold'], `Succeeded in ${time}`);
  const { failure } = finished;
  const where = failure?.step === undefined ? '' : `${printable(failure.step)}: `;
  const why = failure === undefined ? '' : `: ${where}${printable(failure.message)}`;
  return paint([finished.status === 'Canceled' ? 'yellow' : 'red', 'bold'], `${finished.status} after ${time}${why}`);
}

/** How to mend what kept the engine or a registry from their work. */
function renderHelp({ failure }: RunFinished): string[] {
  const code = failure?.errorCode;
  return code !== undefined && isErrorCode(code) ? [`help: ${ERROR_CODES[code].help} [${code}]`] : [];
}

/** ` on docker 28.0 at unix:///…`; nothing when no engine answered. */
export function onEngine(engine: string): string {
  return engine === '' ? '' : ` on ${printable(engine)}`;
}

/** The sign that stands for a step's end. */
export function outcomeSign(step: StepView, paint: Paint): string {
  switch (step.status) {
    case 'succeeded':
      return step.finished?.ignored === true ? paint('yellow', '!') : paint('green', '✔');
    case 'failed':
    case 'errored':
      return paint('red', '✘');
    case 'canceled':
      return paint('yellow', '■');
    default:
      return paint('dim', '○');
  }
}

/** What a person wants to know about a step's end beside its time: attempts, cache hits, exit code, reason. */
export function describeOutcome(step: StepView): string {
  const { finished } = step;
  const parts: string[] = [];
  const { total, cached } = countInstructions(step);
  if (total > 0) parts.push(`${cached} of ${total} instructions cached`);
  if (finished === undefined) return parts.join(', ');
  if (finished.attempts > 1) parts.push(`${finished.attempts} attempts`);
  if (finished.status !== 'succeeded') {
    const exitCode = finished.exitCode === undefined ? '' : `exit code ${finished.exitCode}`;
    parts.push(finished.because === undefined ? exitCode : printable(finished.because));
  } else if (finished.ignored === true)
    parts.push(`failure ignored${finished.because === undefined ? '' : `: ${printable(finished.because)}`}`);
  return parts.filter((part) => part !== '').join(', ');
}

function stepRow(step: StepView, paint: Paint): string[] {
  const time = step.finished === undefined || step.status === 'skipped' ? '-' : formatDuration(step.finished.durationMs);
  const facts = describeOutcome(step);
  const outcome = step.status === 'succeeded' ? facts : [step.status, facts].filter((text) => text !== '').join(': ');
  return [`${outcomeSign(step, paint)} ${printable(step.id)}`, step.kind, time, outcome];
}

function uniqueBaseImages(finished: RunFinished): string[][] {
  const rows = new Map<string, string[]>();
  for (const image of finished.baseImages) {
    const digest = image.indexDigest || image.imageId || (image.source === 'scratch' ? '-' : 'digest unknown');
    const key = `${image.reference} ${image.platform} ${digest} ${image.role}`;
    const row = rows.get(key);
    if (row === undefined) rows.set(key, [image.reference, image.platform, digest, image.role, `for ${image.step}`]);
    else row[4] = `${row[4] ?? ''}, ${image.step}`;
  }
  return [...rows.values()];
}

export function countSteps(count: number): string {
  return `${count} ${count === 1 ? 'step' : 'steps'}`;
}

function indented(rows: readonly (readonly string[])[]): string[] {
  return textTable(rows).map((line) => `  ${line}`);
}
