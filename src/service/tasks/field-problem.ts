import type { Diagnostic, SourceRange } from '../../model/diagnostic.ts';
import { EngineError } from '../../model/engine-error.ts';
import { renderDiagnostic } from '../../model/render-diagnostic.ts';

/** A field of a request or document that cannot be. */
export interface FieldProblem {
  /** As `step.values[0].name`. */
  readonly field: string;
  /** What is wrong, a part of a sentence that begins after the field's name. */
  readonly message: string;
  readonly expected?: string;
  readonly help?: string;
  /** `task-field` unless given. */
  readonly code?: Diagnostic['code'];
}

/** With the place in a file where there is one. */
export function diagnosticOf({ field, message, expected, help, code }: FieldProblem, range?: SourceRange): Diagnostic {
  return {
    code: code ?? 'task-field',
    severity: 'error',
    message: `\`${field}\` ${message}`,
    field,
    ...(expected === undefined ? {} : { expected }),
    ...(help === undefined ? {} : { help }),
    ...(range === undefined ? {} : { range }),
  };
}

/** Throws EngineError `invalid-request` when there are problems: the first one is its message, all are its diagnostics. */
export function refuseFields(problems: readonly FieldProblem[]): void {
  if (problems.length > 0) throw refusalOf(problems.map((problem) => diagnosticOf(problem)));
}

/** EngineError `invalid-request`: the first mistake is its message and help, all are its diagnostics. */
export function refusalOf(diagnostics: readonly Diagnostic[]): EngineError {
  const [first] = diagnostics;
  if (first === undefined) throw new Error('bug: a refusal without a reason');
  const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : '';
  const help = [first.expected === undefined ? '' : `Expected: ${first.expected}.`, first.help ?? '']
    .filter((text) => text !== '')
    .join(' ');
  return new EngineError('invalid-request', `${inOneLine(first)}${more}`, { diagnostics, ...(help === '' ? {} : { help }) });
}

/** With its place where there is one. */
export function inOneLine(diagnostic: Diagnostic): string {
  return diagnostic.range === undefined ? diagnostic.message : (renderDiagnostic(diagnostic).split('\n', 1)[0] ?? diagnostic.message);
}
