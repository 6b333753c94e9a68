import type { SourceRange } from '../../model/diagnostic.ts';

/**
 * The place in the author's file of a part of a value. `range` covers the value as written (quotes, folding and indentation
 * included), `start` and `end` are offsets of the value. Falls back to the line, then to the whole range, where templates
 * or escapes made the value differ from what is written.
 */
export function rangeWithin(range: SourceRange, value: string, start: number, end: number): SourceRange {
  const written = range.source.text.slice(range.start, range.end);
  const whole = written.indexOf(value.trimEnd());
  if (whole !== -1 && value.trim() !== '') return moved(range, whole + start, whole + end);
  const lineStart = value.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = value.indexOf('\n', start);
  const line = value.slice(lineStart, lineEnd === -1 ? value.length : lineEnd).trim();
  const indent = value.slice(lineStart).search(/\S|$/);
  const place = line === '' ? -1 : written.indexOf(line);
  if (place !== -1) return moved(range, place + start - lineStart - indent, place + Math.min(end - lineStart - indent, line.length));
  const part = value.slice(start, end);
  const only = part === '' ? -1 : written.indexOf(part);
  return only !== -1 && written.indexOf(part, only + 1) === -1 ? moved(range, only, only + part.length) : range;
}

function moved(range: SourceRange, start: number, end: number): SourceRange {
  return { source: range.source, start: Math.min(range.start + start, range.end), end: Math.min(range.start + end, range.end) };
}
