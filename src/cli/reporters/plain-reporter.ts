import type { RunEvent } from '../../model/run-event.ts';
import { systemClock } from '../../util/clock.ts';
import { formatDuration } from '../terminal/format-duration.ts';
import type { OutputStream, Paint } from '../terminal/paint.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { writeText } from './output-writer.ts';
import type { Reporter } from './reporter.ts';
import { isInternal, RunView } from './run-view.ts';
import type { LogPlaces } from './step-logs.ts';
import { countSteps, describeOutcome, onEngine, renderSummary } from './summary.ts';

/** Lines `HH:MM:SS step | text` in the order things happen, for logs and for terminals without drawing. */
export function createPlainReporter(
  stream: OutputStream,
  options: { readonly paint: Paint; readonly logs: LogPlaces; readonly utc?: boolean },
): Reporter {
  const view = new RunView();
  const told = new Set<string>();
  const clock = options.utc === true ? (at: string) => at.slice(11, 19) : localTime;

  /** BuildKit tells the same state of a vertex several times. */
  const isNews = ({ step, vertex, state, name }: Extract<RunEvent, { readonly type: 'build-progress' }>): boolean => {
    const key = `${step} ${vertex} ${state}`;
    if (told.has(key) || (isInternal(name) && state !== 'failed')) return false;
    told.add(key);
    return true;
  };
  const render = (event: RunEvent): string => {
    const time = options.paint('dim', clock(event.at));
    const line = (step: string | undefined, text: string): string =>
      step === undefined ? `${time} ${text}\n` : `${time} ${options.paint('cyan', printable(step))} | ${text}\n`;
    switch (event.type) {
      case 'run-started':
        return line(undefined, `run ${event.run} of ${printable(event.task)}: ${countSteps(event.steps.length)}${onEngine(event.engine)}`);
      case 'note':
        return line(event.step, `${event.level === 'warning' ? options.paint('yellow', 'warning: ') : ''}${printable(event.message)}`);
      case 'step-delayed':
        return line(event.step, `starts in ${formatDuration(event.delayMs)}`);
      case 'step-started':
        return line(
          event.step,
          `${event.attempt > 1 ? `attempt ${event.attempt}: ` : ''}${options.paint('bold', printable(event.detail))}`,
        );
      case 'container-created':
        return '';
      case 'step-output':
        return renderOutput(event.text, line(event.step, ''), stream.isTTY === true ? view.steps.get(event.step)?.filter : undefined);
      case 'build-progress':
        return isNews(event) ? renderVertex(event, (text) => line(event.step, text)) : '';
      case 'transfer-progress': {
        const key = `${event.step} ${event.direction} ${event.image}`;
        if (told.has(key)) return '';
        told.add(key);
        return line(event.step, `${event.direction === 'pull' ? 'pulling' : 'pushing'} ${printable(event.image)}`);
      }
      case 'step-retrying':
        return line(event.step, `attempt ${event.attempt} failed (${printable(event.because)}), again in ${formatDuration(event.delayMs)}`);
      case 'base-images':
        return event.images
          .map((image) =>
            line(event.step, `base image ${printable(image.reference)} ${printable(image.indexDigest || (image.imageId ?? ''))}`.trimEnd()),
          )
          .join('');
      case 'image-built':
        return line(event.step, `built ${printable([event.id, ...event.tags].join(' '))}`);
      case 'image-pushed':
        return line(event.step, `pushed ${printable(event.reference)}@${printable(event.digest)}`);
      case 'step-finished': {
        const step = view.steps.get(event.step);
        const facts = step === undefined ? '' : describeOutcome(step);
        const time = event.status === 'skipped' ? '' : ` in ${formatDuration(event.durationMs)}`;
        return line(event.step, `${event.status}${time}${facts === '' ? '' : `: ${facts}`}`);
      }
      case 'run-finished':
        return `${renderSummary(view, event, options).join('\n')}\n`;
    }
  };

  return {
    emit: (event) => {
      if (event.type !== 'step-output') view.apply(event, systemClock.monotonicMs());
      return writeText(stream, render(event));
    },
    say: (message) => {
      stream.write(`${message}\n`);
    },
    close: () => undefined,
  };
}

function renderOutput(text: string, emptyLine: string, filter: { write(text: string): string } | undefined): string {
  const prefix = emptyLine.slice(0, -1);
  if (filter === undefined) return `${prefix}${text.replaceAll('\n', `\n${prefix}`)}\n`;
  const safe = filter.write(`${text}\n`).slice(0, -1);
  const end = safe.includes('\x1b[') ? '\x1b[0m\n' : '\n';
  return `${prefix}${safe.replaceAll('\n', `${end}${prefix}`)}${end}`;
}

function renderVertex(event: Extract<RunEvent, { readonly type: 'build-progress' }>, line: (text: string) => string): string {
  const name = printable(event.name);
  switch (event.state) {
    case 'running':
      return '';
    case 'started':
      return line(name);
    case 'cached':
      return line(`CACHED ${name}`);
    case 'failed':
      return line(`ERROR ${name}${event.error === undefined ? '' : `: ${printable(event.error)}`}`);
    case 'done':
      return event.durationMs === undefined ? '' : line(`DONE ${name} ${formatDuration(event.durationMs)}`);
  }
}

function localTime(at: string): string {
  return new Date(at).toTimeString().slice(0, 8);
}
