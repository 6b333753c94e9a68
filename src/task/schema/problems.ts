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
    this.#push(makeDiagnostic('error', code, message, details));
  }

  warn(code: DiagnosticCode, message: string, details: ProblemDetails = {}): void {
    this.#push(makeDiagnostic('warning', code, message, details));
  }

  /** Whether another warning would be listed: making one may be costly. */
  get listsWarnings(): boolean {
    return this.warnings.length < MOST;
  }

  /** Takes over diagnostics made elsewhere. */
  add(diagnostics: readonly Diagnostic[]): void {
    for (const diagnostic of diagnostics) this.#push(diagnostic);
  }

  #push(diagnostic: Diagnostic): void {
    const list = diagnostic.severity === 'error' ? this.errors : this.warnings;
    if (list.length < MOST) list.push(diagnostic);
    else if (diagnostic.severity === 'error') this.#unlisted += 1;
  }

  /** Every error, the last saying how many more there are, then the warnings: a misspelt key often explains an error. */
  all(): readonly Diagnostic[] {
    if (this.#unlisted === 0) return [...this.errors, ...this.warnings];
    const more = makeDiagnostic('error', 'too-many-problems', `There are ${this.#unlisted} more problems.`, {});
    return [...this.errors, more, ...this.warnings];
  }
}

function makeDiagnostic(severity: Diagnostic['severity'], code: DiagnosticCode, message: string, details: ProblemDetails): Diagnostic {
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
