import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import type { RunVariables } from '../../../src/model/run-variables.ts';
import { mapWhole } from '../../../src/task/mapped-text.ts';
import { type RenderOptions, renderTemplate, type TemplateData } from '../../../src/task/template/render-template.ts';
import { GoList, GoMap, goInt, type Value } from '../../../src/task/template/value.ts';

export const RUN: RunVariables = {
  ID: 'ab12',
  Commit: 'c0ffee',
  Branch: 'main',
  Repository: 'git/repo',
  GitTag: 'v9',
  TriggeredBy: 'cli',
  Registry: 'r.io',
  RegistryName: 'r',
  Date: '20260102-030405z',
  SharedVolume: 'vol',
  OS: 'linux',
  OSVersion: '',
  Architecture: 'amd64',
  TaskName: '',
};

/** The values with which the recorded cases were made. */
export function recordedValues(): GoMap {
  const map = (entries: Record<string, Value>): GoMap => new GoMap(new Map(Object.entries(entries)));
  const list = (...items: Value[]): GoList => new GoList(items);
  return map({
    s: 'str',
    i: goInt(5),
    f: 1.5,
    b: true,
    n: null,
    e: '',
    list: list(goInt(3), goInt(1), goInt(2)),
    words: list('pear', 'apple'),
    nested: map({ a: goInt(1), d: map({ k: 'v' }) }),
    lol: list(list(goInt(1), goInt(2)), list('x')),
  });
}

export const NOW = new Date('2026-01-02T03:04:05Z');

interface Overrides {
  readonly data?: Partial<TemplateData>;
  readonly options?: Partial<RenderOptions>;
}

/** The rendered text, or the only diagnostic. */
export function render(text: string, { data, options }: Overrides = {}): string | Diagnostic {
  const all = { Run: RUN, Values: recordedValues(), Secrets: new Map<string, string>(), ...data };
  const result = renderTemplate(mapWhole({ name: 'task.yaml', text }), 'task.yaml', all, { now: NOW, secrets: 'resolved', ...options });
  if (result.ok) return result.value.text;
  const [problem] = result.error;
  if (problem === undefined) throw new Error('a failure without a diagnostic');
  return problem;
}

/** Message and marked text of the diagnostic a template gives. */
export function failure(text: string, overrides: Overrides = {}): { readonly code: string; readonly message: string; readonly at: string } {
  const problem = render(text, overrides);
  if (typeof problem === 'string') throw new Error(`rendered: ${problem.slice(0, 200)}`);
  const { code, message, range } = problem;
  return { code, message, at: range === undefined ? '' : text.slice(range.start, range.end) };
}
