import type { Result } from '../util/result.ts';
import type { DiagnosticCode } from './diagnostic-codes.ts';

/** A text with a name a person knows it by: the path as the user gave it, `<stdin>`, `--set`, or a URL. */
export interface SourceText {
  readonly name: string;
  readonly text: string;
}

/** A half-open range of UTF-16 offsets in the text of `source`. */
export interface SourceRange {
  readonly source: SourceText;
  readonly start: number;
  readonly end: number;
}

/**
 * An expected user mistake (or a lint warning), returned as a value.
 *
 * - `code`: stable kebab-case name, for example `step-missing-type`; listed in docs/errors.md.
 * - `message`: one sentence saying what is wrong.
 * - `expected`: what the program expected at this place.
 * - `help`: how to mend it, including a near-miss suggestion (`did you mean "when"?`).
 * - `range`: the place in the file as the author wrote it; absent only for problems of flags and of the environment.
 * - `field`: the field of a request or document, as `step.values[0].name`.
 */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly expected?: string;
  readonly help?: string;
  readonly range?: SourceRange;
  readonly field?: string;
  readonly related?: readonly { readonly message: string; readonly range: SourceRange }[];
}

/** The usual return of the front end: a value with its warnings, or every problem found. */
export type Checked<T> = Result<{ readonly value: T; readonly warnings: readonly Diagnostic[] }, readonly Diagnostic[]>;

/** One-based line and column (columns count UTF-16 units) of an offset. */
export function positionOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let lineStart = 0;
  for (let next = text.indexOf('\n'); next !== -1 && next < offset; next = text.indexOf('\n', next + 1)) {
    line += 1;
    lineStart = next + 1;
  }
  return { line, column: offset - lineStart + 1 };
}
