import type { Diagnostic } from '../../model/diagnostic.ts';
import { err, ok, type Result } from '../../util/result.ts';
import { type MappedText, MappedTextBuilder, originOf } from '../mapped-text.ts';
import { Budget, DEFAULT_LIMITS, type RenderLimits } from './budget.ts';
import { execute, type OutputSink } from './exec.ts';
import { LimitReached, TemplateFailure } from './failure.ts';
import { TEMPLATE_FUNCTIONS } from './functions/table.ts';
import { toWellFormed } from './go-string.ts';
import { parseTemplate } from './parser.ts';
import { type TemplateData, templateData } from './template-data.ts';

export type { TemplateData } from './template-data.ts';

export interface RenderOptions {
  /** The clock of `now` and of relative dates. */
  readonly now: Date;
  /**
   * `placeholders`: before secrets are known every secret is the empty string, so that functions that take strings work
   * with it. `resolved`: `.Secrets` is what the data says.
   */
  readonly secrets: 'resolved' | 'placeholders';
  readonly limits?: Partial<RenderLimits>;
  /** Shared with other renderings, in place of one with `limits`. */
  readonly budget?: Budget;
}

const NO_VALUE = '<no value>';

/**
 * Renders a text as a Go template with the functions of sprig 2.22. Text is copied exactly, the output of an action stands
 * for the action. `<no value>` is removed from the result wherever it stands, and a text that renders to nothing is an error.
 * Errors: `template-syntax`, `template-failed`, `template-limit`, `template-empty`.
 */
export function renderTemplate(
  template: MappedText,
  name: string,
  data: TemplateData,
  options: RenderOptions,
): Result<MappedText, readonly Diagnostic[]> {
  const { text } = template;
  const budget = options.budget ?? new Budget({ ...DEFAULT_LIMITS, ...options.limits });
  try {
    const output = text.includes('{{') ? run(template, name, data, options, budget) : template;
    const rendered = withoutNoValue(output);
    if (rendered.text === '' && text !== '') return err([emptyResult(template)]);
    return ok(rendered);
  } catch (error) {
    return err([diagnosticOf(template, asFailure(error, text.length))]);
  }
}

function run(template: MappedText, name: string, data: TemplateData, options: RenderOptions, budget: Budget): MappedText {
  const { text } = template;
  const templates = parseTemplate(name, text, (word) => Object.hasOwn(TEMPLATE_FUNCTIONS, word));
  const builder = new MappedTextBuilder();
  execute(name, templateData(data, options.secrets, budget), {
    text,
    templates,
    functions: TEMPLATE_FUNCTIONS,
    budget,
    now: options.now,
    sink: sinkInto(builder, template, budget),
  });
  return builder.build();
}

function sinkInto(builder: MappedTextBuilder, template: MappedText, budget: Budget): OutputSink {
  return {
    copy(start, end) {
      budget.output(builder.length, end - start);
      builder.copy(template, start, end);
    },
    generate(made, start, end) {
      budget.output(builder.length, made.length);
      const origin = originOf(template, start, end);
      if (origin !== undefined) builder.generate(toWellFormed(made), origin);
    },
  };
}

/** Removes every `<no value>`, also one that only came together from several pieces. */
function withoutNoValue(output: MappedText): MappedText {
  if (!output.text.includes(NO_VALUE)) return output;
  const builder = new MappedTextBuilder();
  let at = 0;
  for (let found = output.text.indexOf(NO_VALUE); found !== -1; found = output.text.indexOf(NO_VALUE, at)) {
    builder.copy(output, at, found);
    at = found + NO_VALUE.length;
  }
  builder.copy(output, at, output.text.length);
  return builder.build();
}

/** @throws what is no failure of the template */
function asFailure(error: unknown, length: number): TemplateFailure {
  if (error instanceof TemplateFailure) return error;
  if (error instanceof LimitReached) return new TemplateFailure('template-limit', error.message, 0, length);
  // The limits on depth keep well below the stack; this is for a caller that itself runs deep in it.
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    return new TemplateFailure('template-limit', 'the template is nested too deeply', 0, length);
  }
  throw error;
}

function diagnosticOf(template: MappedText, failure: TemplateFailure): Diagnostic {
  const end = Math.max(failure.end, failure.start + 1);
  const range = originOf(template, Math.min(failure.start, Math.max(0, template.text.length - 1)), Math.min(end, template.text.length));
  return {
    code: failure.code,
    severity: 'error',
    message: failure.message,
    ...(range === undefined ? {} : { range }),
    ...helpFor(failure),
  };
}

function helpFor({ code, message }: TemplateFailure): { readonly help: string } | Record<string, never> {
  if (code === 'template-limit') return { help: 'Make the template do less; a loop or a template that calls itself may never end.' };
  if (message.includes('incompatible types'))
    return { help: 'Values given with --set are strings: convert them, as in {{if gt (int .Values.n) 3}}.' };
  if (message.startsWith('bad character') && message.includes("'-'")) {
    return { help: 'A name with a hyphen is read with index, as in {{index .Values "my-name"}}.' };
  }
  if (/expected string; got interface|^invalid value; expected/.test(message)) {
    return { help: 'The value is missing: give it, or a default, as in {{.Values.x | default "none"}}.' };
  }
  return {};
}

function emptyResult(template: MappedText): Diagnostic {
  const range = originOf(template, 0, template.text.length);
  return {
    code: 'template-empty',
    severity: 'error',
    message: 'the rendered template is empty',
    ...(range === undefined ? {} : { range }),
    help: 'Some text has to be left after rendering; look at the conditions around it and at the values they test.',
  };
}
