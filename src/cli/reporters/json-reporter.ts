import type { RunEvent } from '../../model/run-event.ts';
import type { OutputStream } from '../terminal/paint.ts';
import { writeText } from './output-writer.ts';
import type { Reporter } from './reporter.ts';

type OutputEvent = Extract<RunEvent, { readonly type: 'step-output' }>;

/** A line longer than this (UTF-16 units) is printed in parts, all but the last with `partial`. */
const LONGEST_HELD = 1024 * 1024;

/**
 * One event a line. Output of steps becomes one event a line of output: lines that came in several events are put together,
 * and lines that came in one event share its number.
 */
export function createJsonReporter(stream: OutputStream): Reporter {
  const open = new Map<string, OutputEvent>();
  const takeOpen = (event: OutputEvent): string => {
    const key = `${event.stream} ${event.step}`;
    const text = open.get(key)?.text ?? '';
    open.delete(key);
    return text;
  };
  const render = (event: RunEvent): string => {
    if (event.type === 'step-finished') return `${flush(open, event.step)}${JSON.stringify(event)}\n`;
    if (event.type !== 'step-output') return `${JSON.stringify(event)}\n`;
    const { partial, ...line } = event;
    const text = takeOpen(event) + event.text;
    if (partial !== true) return renderLines(line, text);
    const end = text.lastIndexOf('\n');
    const rest = text.slice(end + 1);
    const whole = end === -1 ? '' : renderLines(line, text.slice(0, end));
    if (rest.length > LONGEST_HELD) return `${whole}${JSON.stringify({ ...event, text: rest })}\n`;
    open.set(`${event.stream} ${event.step}`, { ...line, text: rest });
    return whole;
  };
  return { emit: (event) => writeText(stream, render(event)), say: () => undefined, close: () => undefined };
}

/** Lines of a step that never ended. */
function flush(open: Map<string, OutputEvent>, step: string): string {
  let out = '';
  for (const [key, event] of open) {
    if (event.step !== step) continue;
    open.delete(key);
    out += `${JSON.stringify(event)}\n`;
  }
  return out;
}

function renderLines(event: OutputEvent, text: string): string {
  if (!text.includes('\n')) return `${JSON.stringify({ ...event, text })}\n`;
  const frame = JSON.stringify({ ...event, text: '' });
  const start = frame.lastIndexOf('"text":""');
  const before = `${frame.slice(0, start)}"text":`;
  const after = `${frame.slice(start + '"text":""'.length)}\n`;
  let out = '';
  for (const line of text.split('\n')) out += before + JSON.stringify(line) + after;
  return out;
}
