import type { RunEvent } from '../../model/run-event.ts';
import type { OutputStream } from '../terminal/paint.ts';
import { writeText } from './output-writer.ts';
import type { Reporter } from './reporter.ts';

/** One event a line. Output of steps becomes one event a line of output; these share the number of the event they came from. */
export function createJsonReporter(stream: OutputStream): Reporter {
  return {
    emit: (event) => writeText(stream, renderJson(event)),
    say: () => undefined,
    close: () => undefined,
  };
}

function renderJson(event: RunEvent): string {
  if (event.type !== 'step-output' || !event.text.includes('\n')) return `${JSON.stringify(event)}\n`;
  const frame = JSON.stringify({ ...event, text: '' });
  const start = frame.lastIndexOf('"text":""');
  const before = `${frame.slice(0, start)}"text":`;
  const after = `${frame.slice(start + '"text":""'.length)}\n`;
  let out = '';
  for (const line of event.text.split('\n')) out += before + JSON.stringify(line) + after;
  return out;
}
