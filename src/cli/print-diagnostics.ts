import { type Diagnostic, positionOf } from '../model/diagnostic.ts';
import { renderDiagnostic } from '../model/render-diagnostic.ts';
import type { Paint } from './terminal/paint.ts';
import { TerminalFilter } from './terminal/terminal-filter.ts';

/** All diagnostics with their excerpts, then how many there are. Empty for none. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], paint: Paint): string {
  if (diagnostics.length === 0) return '';
  const filter = new TerminalFilter();
  const blocks = diagnostics.map((diagnostic) => paintHeadline(filter.write(renderDiagnostic(diagnostic)), diagnostic, paint));
  return `${blocks.join('\n\n')}\n\n${countText(diagnostics)}\n`;
}

/** The same as data: one array, positions one-based. */
export function diagnosticsJson(diagnostics: readonly Diagnostic[]): string {
  return `${JSON.stringify(diagnostics.map(toJson), undefined, 2)}\n`;
}

function toJson({ range, related, ...diagnostic }: Diagnostic): object {
  return {
    ...diagnostic,
    ...(range === undefined ? {} : placeOf(range)),
    ...(related === undefined ? {} : { related: related.map((item) => ({ message: item.message, ...placeOf(item.range) })) }),
  };
}

function placeOf({ source, start, end }: NonNullable<Diagnostic['range']>): object {
  const last = positionOf(source.text, end);
  return { file: source.name, ...positionOf(source.text, start), endLine: last.line, endColumn: last.column };
}

function paintHeadline(text: string, { severity }: Diagnostic, paint: Paint): string {
  return text.replace(`${severity}: `, `${paint([severity === 'error' ? 'red' : 'yellow', 'bold'], `${severity}:`)} `);
}

function countText(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.length - errors;
  return [plural(errors, 'error'), plural(warnings, 'warning')].filter((text) => text !== '').join(', ');
}

function plural(count: number, word: string): string {
  return count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`;
}
