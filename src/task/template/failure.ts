/** A function of a template says no: the message goes into the diagnostic of the call. Never leaves src/task/template. */
export class FunctionFailure extends Error {}

/** Where a template is wrong: offsets in the template's text. Never leaves src/task/template. */
export class TemplateFailure extends Error {
  readonly code: 'template-syntax' | 'template-failed' | 'template-limit';
  readonly start: number;
  readonly end: number;

  constructor(code: TemplateFailure['code'], message: string, start: number, end: number) {
    super(message);
    this.code = code;
    this.start = start;
    this.end = end;
  }
}

/** The work of a template reached a limit. Becomes a diagnostic with the code `template-limit`. */
export class LimitReached extends Error {}
