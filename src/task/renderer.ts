import type { Checked, Diagnostic, SourceText } from '../model/diagnostic.ts';
import type { RunVariables } from '../model/run-variables.ts';
import { ok, type Result } from '../util/result.ts';
import type { TaskLimits } from './limits.ts';
import type { MappedText } from './mapped-text.ts';
import type { Budget } from './template/budget.ts';
import { loadValues } from './values.ts';

/** Values of secrets by id, or the word that they are not known yet: every secret is then the empty text. */
export type KnownSecrets = ReadonlyMap<string, string> | 'unknown';

/** Renders the texts of one task, each with the same values. */
export interface Renderer {
  render(text: MappedText, name: string, secrets: KnownSecrets): Promise<Result<MappedText, readonly Diagnostic[]>>;
}

interface RendererInputs {
  readonly run: RunVariables;
  readonly values?: SourceText;
  readonly set: readonly string[];
  readonly now: Date;
  readonly limits: TaskLimits;
}

/** Reads the values of a task and makes its renderer; fails when the values are wrong. */
export function makeRenderer(inputs: RendererInputs): Checked<Renderer> {
  const { limits } = inputs;
  const values = loadValues(inputs.values, inputs.set, limits.yaml);
  if (!values.ok) return values;
  const { value, warnings } = values.value;
  let budget: Budget | undefined;
  const render: Renderer['render'] = async (text, name, secrets) => {
    if (!/\{\{|<no value>/.test(text.text)) return ok(text);
    // The template engine is a third of the program; a text without templates need not wait for it.
    const { renderTemplate } = await import('./template/render-template.ts');
    if (limits.template !== undefined && budget === undefined) {
      const { Budget } = await import('./template/budget.ts');
      budget = new Budget(limits.template);
    }
    const options = { now: inputs.now, ...(budget === undefined ? {} : { budget }) };
    return secrets === 'unknown'
      ? renderTemplate(text, name, { Run: inputs.run, Values: value }, { ...options, secrets: 'placeholders' })
      : renderTemplate(text, name, { Run: inputs.run, Values: value, Secrets: secrets }, { ...options, secrets: 'resolved' });
  };
  return ok({ value: { render }, warnings });
}
