import type { Diagnostic, SourceRange } from '../../model/diagnostic.ts';
import type { DiagnosticCode } from '../../model/diagnostic-codes.ts';

interface ProblemDetails {
  readonly range?: SourceRange | undefined;
  readonly expected?: string | undefined;
  readonly help?: string | undefined;
  readonly related?: Diagnostic['related'] | undefined;
}

/** More than anybody reads; a hostile file must not make more diagnostics than text. */
const MOST = 500;

/** Collects what is wrong with a task file, in the order in which it is found. */
export class Problems {
  readonly errors: Diagnostic[] = [];
  readonly warnings: Diagnostic[] = [];
  #unlisted = 0;

  error(code: DiagnosticCode, message: string, details: ProblemDetails = {}): void {
    if (this.errors.length >= MOST) this.#unlisted += 1;
    else this.errors.push(makeDiagnostic('error', code, message, details));
  }

  warn(code: DiagnosticCode, message: string, details: ProblemDetails = {}): void {
    if (this.warnings.length < MOST) this.warnings.push(makeDiagnostic('warning', code, message, details));
  }

  /** Takes over diagnostics made elsewhere. */
  add(diagnostics: readonly Diagnostic[]): void {
    for (const diagnostic of diagnostics) (diagnostic.severity === 'error' ? this.errors : this.warnings).push(diagnostic);
  }

  /** Every error, the last saying how many more there are. */
  all(): readonly Diagnostic[] {
    if (this.#unlisted === 0) return this.errors;
    return [...this.errors, makeDiagnostic('error', 'too-many-problems', `There are ${this.#unlisted} more problems of this kind.`, {})];
  }
}

export function makeDiagnostic(
  severity: Diagnostic['severity'],
  code: DiagnosticCode,
  message: string,
  details: ProblemDetails,
): Diagnostic {
  const { range, expected, help, related } = details;
  return {
    code,
    severity,
    message,
    ...(expected !== undefined && { expected }),
    ...(help !== undefined && { help }),
    ...(range !== undefined && { range }),
    ...(related !== undefined && { related }),
  };
}
