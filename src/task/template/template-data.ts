import type { RunVariables } from '../../model/run-variables.ts';
import type { Budget } from './budget.ts';
import { TemplateFailure } from './failure.ts';
import { deepCopy } from './functions/dicts.ts';
import { NotJson, writeJson } from './json.ts';
import { GoMap, type Value } from './value.ts';

/** What a template sees, apart from `.Build.ID`, `.ValuesJSON` and `.RunJSON`, which are made of it. */
export interface TemplateData {
  readonly Run: RunVariables;
  readonly Values: GoMap;
  /** Absent where there are no secrets to speak of (a build's own argument line): `.Secrets.x` then fails. */
  readonly Secrets?: ReadonlyMap<string, string>;
}

const NAMED = { typeName: 'templating.Values' };

/** The root of a template: dot and `$`. The values are a copy, so that `set` in one rendering is not seen by the next. */
export function templateData(data: TemplateData, secrets: 'resolved' | 'placeholders', budget: Budget): GoMap {
  const run = new GoMap(new Map<string, Value>(Object.entries(data.Run)));
  const root = new Map<string, Value>([
    ['Build', new GoMap(new Map([['ID', data.Run.ID]]))],
    ['Run', run],
    ['RunJSON', shellQuote(writeJson(run, budget))],
    ['Values', deepCopy(data.Values, budget)],
    ['ValuesJSON', shellQuote(valuesJson(data.Values, budget))],
  ]);
  // A map of strings answers "" for what it does not hold.
  if (secrets === 'placeholders') root.set('Secrets', new GoMap(new Map(), { ...NAMED, elem: 'string' }));
  else if (data.Secrets !== undefined) root.set('Secrets', new GoMap(new Map(data.Secrets), NAMED));
  return new GoMap(root, NAMED);
}

function valuesJson(values: GoMap, budget: Budget): string {
  try {
    return writeJson(values, budget);
  } catch (error) {
    if (error instanceof NotJson)
      throw new TemplateFailure('template-failed', `the values cannot be written as JSON: ${error.message}`, 0, 0);
    throw error;
  }
}

const SHELL_SAFE = /^[A-Za-z0-9_^@=+%,:./-]+$/;

/** A text as one word of a shell. */
function shellQuote(text: string): string {
  if (text === '') return "''";
  return SHELL_SAFE.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}
