/** The answer of one check. `code` is stable; `help` says how to mend what is not ok. */
export interface CheckResult {
  readonly code: string;
  readonly title: string;
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly message: string;
  readonly help?: string;
}

/** One question about the machine. It never rejects: `runCheck` turns a rejection into a failed result. */
export interface Check {
  readonly code: string;
  readonly title: string;
  run(): Promise<Omit<CheckResult, 'code' | 'title'>>;
}

/** Runs a check; whatever it throws becomes a failed result with the error's own help. */
export async function runCheck(check: Check): Promise<CheckResult> {
  const { code, title } = check;
  try {
    return { code, title, ...(await check.run()) };
  } catch (error) {
    const help = error instanceof Error && 'help' in error && typeof error.help === 'string' ? { help: error.help } : {};
    return { code, title, status: 'failed', message: error instanceof Error ? error.message : String(error), ...help };
  }
}
