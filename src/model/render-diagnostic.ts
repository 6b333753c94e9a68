import { type Diagnostic, positionOf, type SourceRange } from './diagnostic.ts';

const LONGEST_EXCERPT = 160;

/** `file:line:column: error: message [code]`, a caret excerpt, what was expected and how to mend it. Ends without a newline. */
export function renderDiagnostic(diagnostic: Diagnostic): string {
  const place = diagnostic.range === undefined ? '' : `${renderPlace(diagnostic.range)}: `;
  const lines = [`${place}${diagnostic.severity}: ${diagnostic.message} [${diagnostic.code}]`];
  if (diagnostic.range !== undefined) lines.push(...renderExcerpt(diagnostic.range));
  if (diagnostic.expected !== undefined) lines.push(`  expected: ${diagnostic.expected}`);
  if (diagnostic.help !== undefined) lines.push(`  help: ${diagnostic.help}`);
  for (const related of diagnostic.related ?? []) {
    lines.push(`  ${renderPlace(related.range)}: ${related.message}`, ...renderExcerpt(related.range));
  }
  return lines.join('\n');
}

/** `file:line:column` of a range's start. */
export function renderPlace(range: SourceRange): string {
  const { line, column } = positionOf(range.source.text, range.start);
  return `${range.source.name}:${line}:${column}`;
}

function renderExcerpt(range: SourceRange): string[] {
  const { text } = range.source;
  const { line, column } = positionOf(text, range.start);
  const lineStart = range.start - (column - 1);
  const newline = text.indexOf('\n', lineStart);
  const lineEnd = newline === -1 ? text.length : newline;
  const from = Math.max(lineStart, range.start - LONGEST_EXCERPT / 2);
  const shown = text
    .slice(from, Math.min(lineEnd, from + LONGEST_EXCERPT))
    .replaceAll('\t', ' ')
    .trimEnd();
  const width = Math.max(1, Math.min(range.end, lineEnd) - range.start);
  const gutter = String(line);
  const caret = '^'.padEnd(Math.min(width, Math.max(1, shown.length - (range.start - from))), '~');
  return [`  ${gutter} | ${shown}`, `  ${' '.repeat(gutter.length)} | ${' '.repeat(range.start - from)}${caret}`];
}
