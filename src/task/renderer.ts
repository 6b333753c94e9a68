import type { Checked, Diagnostic, SourceText } from '../model/diagnostic.ts';
import type { RunVariables } from '../model/run-variables.ts';
import { ok, type Result } from '../util/result.ts';
import type { MappedText } from './mapped-text.ts';
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
}

/** Reads the values of a task and makes its renderer; fails when the values are wrong. */
export function makeRenderer(inputs: RendererInputs): Checked<Renderer> {
  const values = loadValues(inputs.values, inputs.set);
  if (!values.ok) return values;
  const { value, warnings } = values.value;
  const render: Renderer['render'] = async (text, name, secrets) => {
    if (!/\{\{|<no value>/.test(text.text)) return ok(text);
    // The template engine is a third of the program; a text without templates need not wait for it.
    const { renderTemplate } = await import('./template/render-template.ts');
    return secrets === 'unknown'
      ? renderTemplate(text, name, { Run: inputs.run, Values: value }, { now: inputs.now, secrets: 'placeholders' })
      : renderTemplate(text, name, { Run: inputs.run, Values: value, Secrets: secrets }, { now: inputs.now, secrets: 'resolved' });
  };
  return ok({ value: { render }, warnings });
}
