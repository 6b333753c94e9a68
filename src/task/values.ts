import type { Checked, Diagnostic, SourceRange, SourceText } from '../model/diagnostic.ts';
import { err, ok, type Result } from '../util/result.ts';
import { mapWhole } from './mapped-text.ts';
import { GoInt, GoList, GoMap, goInt, type Value } from './template/value.ts';
import { parseYaml, type YamlLimits } from './yaml/parse-yaml.ts';
import { resolveScalar } from './yaml/scalar.ts';
import type { YamlMapping, YamlNode, YamlScalar } from './yaml/yaml-node.ts';

/**
 * The `.Values` of templates: what a values file says, overlaid with `--set` assignments, which are always strings. The
 * file is typed by YAML 1.1 and may nest; keys become strings at every level.
 * Errors: `values-set`, `values-not-a-mapping`, `values-key`, `values-number`, and those of reading YAML.
 */
export function loadValues(file: SourceText | undefined, set: readonly string[], limits?: YamlLimits): Checked<GoMap> {
  const assigned = parseAssignments(set);
  const read: Result<GoMap, readonly Diagnostic[]> = file === undefined ? ok(emptyValues()) : readFile(file, limits);
  if (!assigned.ok || !read.ok) return err([...(assigned.ok ? [] : assigned.error), ...(read.ok ? [] : read.error)]);
  for (const [key, value] of assigned.value) read.value.entries.set(key, value);
  return ok({ value: read.value, warnings: [] });
}

function emptyValues(): GoMap {
  return new GoMap(new Map(), { typeName: 'templating.Values' });
}

function parseAssignments(set: readonly string[]): Result<ReadonlyMap<string, string>, readonly Diagnostic[]> {
  const values = new Map<string, string>();
  const problems: Diagnostic[] = [];
  for (const assignment of set) {
    const sign = assignment.indexOf('=');
    if (sign > 0) values.set(assignment.slice(0, sign), assignment.slice(sign + 1));
    else problems.push(badAssignment(assignment, sign));
  }
  return problems.length > 0 ? err(problems) : ok(values);
}

function badAssignment(assignment: string, sign: number): Diagnostic {
  const source = { name: '--set', text: assignment };
  return {
    code: 'values-set',
    severity: 'error',
    message: sign === -1 ? `--set ${JSON.stringify(assignment)} has no "="` : `--set ${JSON.stringify(assignment)} has no name before "="`,
    expected: 'name=value, as in --set tag=1.2',
    range: { source, start: 0, end: assignment.length },
  };
}

function readFile(file: SourceText, limits: YamlLimits | undefined): Result<GoMap, readonly Diagnostic[]> {
  const parsed = parseYaml(mapWhole(file), limits);
  if (!parsed.ok) return parsed;
  const root = parsed.value;
  if (root === undefined || (root.kind === 'scalar' && resolveScalar(root).type === 'null')) return ok(emptyValues());
  if (root.kind !== 'mapping') return err([notAMapping(root)]);
  const problems: Diagnostic[] = [];
  const values = mapOf(root, problems, 'templating.Values');
  return problems.length > 0 ? err(problems) : ok(values);
}

function notAMapping(root: YamlNode): Diagnostic {
  return {
    code: 'values-not-a-mapping',
    severity: 'error',
    message: `a values file holds a mapping of names to values, not a ${root.kind === 'scalar' ? 'single value' : 'list'}`,
    expected: 'name: value',
    help: 'Try the file with `task render -f FILE --values VALUES`.',
    ...rangeOf(root),
  };
}

function rangeOf(node: YamlNode): { readonly range: SourceRange } | Record<string, never> {
  return node.range === undefined ? {} : { range: node.range };
}

function nodeValue(node: YamlNode, problems: Diagnostic[]): Value {
  if (node.kind === 'mapping') return mapOf(node, problems);
  if (node.kind === 'sequence') return new GoList(node.items.map((item) => nodeValue(item, problems)));
  const scalar = resolveScalar(node);
  switch (scalar.type) {
    case 'null':
      return null;
    case 'int':
      return scalar.value < 1n << 63n ? goInt(scalar.value) : new GoInt('uint64', scalar.value);
    case 'float':
      if (!Number.isFinite(scalar.value)) problems.push(notANumber(node));
      return scalar.value;
    default:
      return scalar.value;
  }
}

/** `.ValuesJSON` has to hold every value, and JSON knows no infinities. */
function notANumber(node: YamlScalar): Diagnostic {
  return {
    code: 'values-number',
    severity: 'error',
    message: `${node.text} cannot be a value: JSON has no such number`,
    help: 'Write it in quotes to keep it as text.',
    ...rangeOf(node),
  };
}

function mapOf(mapping: YamlMapping, problems: Diagnostic[], typeName?: string): GoMap {
  const entries = new Map<string, Value>();
  for (const { key, value } of mapping.entries) {
    if (key.kind === 'scalar') entries.set(keyText(key), nodeValue(value, problems));
    else problems.push({ code: 'values-key', severity: 'error', message: `a ${key.kind} cannot be the name of a value`, ...rangeOf(key) });
  }
  return new GoMap(entries, typeName === undefined ? {} : { typeName });
}

/** The source text of a key; that of a null is empty. */
function keyText(key: YamlScalar): string {
  return resolveScalar(key).type === 'null' ? '' : key.text;
}
