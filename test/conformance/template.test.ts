import { describe, expect, test } from 'vitest';
import type { Diagnostic, SourceText } from '../../src/model/diagnostic.ts';
import type { RunVariables } from '../../src/model/run-variables.ts';
import { stripComments } from '../../src/task/comments.ts';
import { renderTemplate } from '../../src/task/template/render-template.ts';
import { loadValues } from '../../src/task/values.ts';
import { err, type Result } from '../../src/util/result.ts';
import { type Case, describePublished, difference, loadCases } from './cases.ts';

/** Where our result is another one on purpose (differences.json says why): the text we print, or undefined for an error. */
const OURS: Readonly<Record<string, string | undefined>> = {
  'tpl-sprig-b64-int': 'MTI=\n',
  'tpl-values-map-toplevel-only-flat': 'map[]\n',
  'tpl-values-list-of-maps': '12\n',
  'tpl-values-set-dotted': '[9] 1\n',
  'tpl-values-nested-intkey': undefined,
  'td-template-Azure/acr-builder-templating/testdata/fruits.yaml':
    '\'{"fruit":{"fruit":{"fruit":"nested","nested":"star"}},"fruits":["banana","apple","pear"],"title":"A grocery list"}\'\n',
};

/** These render; what is wrong with them is found when the result is read as a task, which tests of the loader look at. */
const FAIL_LATER: ReadonlySet<string> = new Set(['tpl-secrets-space-id', 'tpl-secrets-no-props', 'tpl-secrets-word-type-err']);

const RUN_FLAGS: Readonly<Record<string, keyof RunVariables>> = {
  '--id': 'ID',
  '--commit': 'Commit',
  '--repository': 'Repository',
  '--branch': 'Branch',
  '--triggered-by': 'TriggeredBy',
  '--git-tag': 'GitTag',
  '--registry': 'Registry',
  '-r': 'Registry',
  '--os-version': 'OSVersion',
  '--homevol': 'SharedVolume',
};

interface Inputs {
  readonly file: string;
  readonly values: SourceText | undefined;
  readonly set: readonly string[];
  readonly run: RunVariables;
}

function readInputs(one: Case): Inputs {
  const files = one.input.files ?? {};
  const flags = new Map<string, string>();
  const set: string[] = [];
  for (let index = 1; index + 1 < one.args.length; index += 2) {
    const [flag = '', value = ''] = one.args.slice(index, index + 2);
    if (flag === '--set') set.push(value);
    else flags.set(flag, value);
  }
  const encoded = flags.get('--encoded-values');
  const path = flags.get('--values');
  const text = encoded === undefined ? files[path ?? ''] : Buffer.from(encoded, 'base64').toString();
  if (path !== undefined && text === undefined) throw new Error(`no values file ${path}`);
  return {
    file: flags.get('-f') ?? 'acb.yaml',
    values: text === undefined ? undefined : { name: path ?? '<encoded values>', text },
    set,
    run: runVariables(flags, one.input.now),
  };
}

function runVariables(flags: ReadonlyMap<string, string>, now: string | undefined): RunVariables {
  const date = new Date(now ?? '2026-01-01T00:00:00Z').toISOString();
  const run = {
    ...{ ID: '', Commit: '', Branch: '', Repository: '', GitTag: '', TriggeredBy: '', Registry: '', RegistryName: '', SharedVolume: '' },
    ...{ OS: 'linux', OSVersion: '', Architecture: 'amd64', TaskName: '' },
    Date: `${date.slice(0, 10).replaceAll('-', '')}-${date.slice(11, 19).replaceAll(':', '')}z`,
  };
  for (const [flag, value] of flags) {
    const name = RUN_FLAGS[flag];
    if (name !== undefined) run[name] = value;
  }
  return { ...run, RegistryName: run.Registry.split('.', 1)[0] ?? '' };
}

/** What `task render --no-aliases` does: comment lines, the pass before secrets are known, the final pass. */
function render(one: Case): Result<string, readonly Diagnostic[]> {
  const inputs = readInputs(one);
  const values = loadValues(inputs.values, inputs.set);
  if (!values.ok) return values;
  const template = stripComments({ name: inputs.file, text: one.input.files?.[inputs.file] ?? '' });
  const data = { Run: inputs.run, Values: values.value.value, Secrets: new Map<string, string>() };
  const now = new Date(one.input.now ?? '2026-01-01T00:00:00Z');
  if (template.text.includes('secrets')) {
    const first = renderTemplate(template, inputs.file, data, { now, secrets: 'placeholders' });
    if (!first.ok) return first;
  }
  const result = renderTemplate(template, inputs.file, data, { now, secrets: 'resolved' });
  return result.ok ? { ok: true, value: result.value.text } : err(result.error);
}

function check(one: Case): void {
  if (one.id === 'tpl-values-missing-file') {
    expect(() => render(one)).toThrow('no values file');
    return;
  }
  const result = render(one);
  const known = difference(one.id);
  const expected = known === undefined ? (one.expect.ok === true ? one.expect.output : undefined) : OURS[one.id];
  if (expected !== undefined || FAIL_LATER.has(one.id)) {
    expect(result.ok ? result.value : result.error).toEqual(expected ?? expect.any(String));
    return;
  }
  expect(result.ok ? result.value : result.error).toEqual([expect.objectContaining({ severity: 'error', message: expect.any(String) })]);
}

describe('recorded template cases', () => {
  test.each(loadCases('template').map((one): [string, Case] => [one.id, one]))('%s', (_, one) => check(one));
});

describePublished('template', 'recorded template cases over published task files', check);
