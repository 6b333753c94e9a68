import type { Diagnostic, SourceText } from '../model/diagnostic.ts';
import { mapWhole } from '../task/mapped-text.ts';
import { parseYaml } from '../task/yaml/parse-yaml.ts';
import type { YamlEntry } from '../task/yaml/yaml-node.ts';
import { nearestName } from '../util/nearest-name.ts';
import { err, ok, type Result } from '../util/result.ts';
import { readSetting } from './read-setting.ts';
import { SETTING_KEYS } from './setting-keys.ts';
import type { Settings, SettingValue } from './settings.ts';

const LIMITS = { length: 64 * 1024, nodes: 1000, depth: 10 };

/** Reads a slipway.yaml; every problem of the file is reported. */
export function parseSettings(source: SourceText): Result<Settings, readonly Diagnostic[]> {
  const parsed = parseYaml(mapWhole(source), LIMITS);
  if (!parsed.ok) return parsed;
  if (parsed.value === undefined || (parsed.value.kind === 'scalar' && parsed.value.text === '')) return ok({});
  if (parsed.value.kind !== 'mapping') {
    return err([problem('setting-value', 'the file must be a mapping of settings', parsed.value.range)]);
  }
  let settings: Settings = {};
  const problems: Diagnostic[] = [];
  for (const entry of parsed.value.entries) {
    const read = readEntry(entry, source.name);
    if (read.ok) settings = { ...settings, ...read.value };
    else problems.push(read.error);
  }
  return problems.length > 0 ? err(problems) : ok(settings);
}

function readEntry(entry: YamlEntry, file: string): Result<Settings, Diagnostic> {
  const name = entry.key.kind === 'scalar' ? entry.key.text : '';
  const key = SETTING_KEYS.find((candidate) => candidate.name === name);
  if (key === undefined) return err(unknownKey(name, entry));
  const value: SettingValue = {
    ...textsOf(entry.value),
    place: `"${name}" in ${file}`,
    ...(entry.value.range === undefined ? {} : { range: entry.value.range }),
  };
  return readSetting(key, value);
}

function textsOf(node: YamlEntry['value']): { readonly texts: readonly string[]; readonly isList: boolean } {
  if (node.kind === 'scalar') return { texts: [node.text], isList: false };
  if (node.kind === 'sequence') return { texts: node.items.map((item) => (item.kind === 'scalar' ? item.text : '')), isList: true };
  return { texts: [''], isList: false };
}

function unknownKey(name: string, entry: YamlEntry): Diagnostic {
  const names = SETTING_KEYS.map((key) => key.name);
  const near = nearestName(name, names);
  return {
    ...problem('setting-unknown', `there is no setting ${JSON.stringify(name)}`, entry.key.range),
    expected: `one of ${names.join(', ')}`,
    ...(near === undefined ? {} : { help: `did you mean "${near}"?` }),
  };
}

function problem(code: Diagnostic['code'], message: string, range: Diagnostic['range']): Diagnostic {
  return { code, severity: 'error', message, ...(range === undefined ? {} : { range }) };
}
