import type { SourceRange } from '../../model/diagnostic.ts';
import type { Result } from '../../util/result.ts';
import { type MappedText, mapWhole } from '../mapped-text.ts';
import { type DecodedMapping, decodeMapping, decodeStringMap, type LocatedItem } from '../schema/decode.ts';
import type { Problems } from '../schema/problems.ts';
import { type ALIAS_PROPERTIES, TASK_PROPERTIES } from '../schema/task-properties.ts';
import { parseYaml, type YamlLimits } from '../yaml/parse-yaml.ts';
import { PREDEFINED_ALIASES } from './predefined.ts';

export interface Aliases {
  readonly values: ReadonlyMap<string, string>;
  /** One character that starts a reference. */
  readonly directive: string;
}

/** Reads a file or URL that `alias.src` names; the error is one sentence. */
export type AliasSourceReader = (src: string) => Promise<Result<string, string>>;

interface AliasReading {
  readonly readSource: AliasSourceReader;
  /** Of each text. */
  readonly yaml: YamlLimits;
}

const DEFAULT_DIRECTIVE = '$';
const MOST_SOURCES = 100;
const ALIAS_NAME = /^[a-zA-Z0-9]+$/;
const BLOCK_PROPERTIES = { alias: TASK_PROPERTIES.alias };

/**
 * All aliases of a task file. `block` is the rendered `alias` block. What the block defines wins over the files it names,
 * later ones of these over earlier ones, and all over the predefined. Every problem goes to `problems`.
 */
export async function readAliases(block: MappedText, reading: AliasReading, problems: Problems): Promise<Aliases> {
  const fields = decodeBlock(block, reading.yaml, problems)?.fields;
  const values = new Map(PREDEFINED_ALIASES);
  const sources = fields?.src?.value ?? [];
  if (sources.length > MOST_SOURCES) {
    problems.error('alias-source-failed', `\`src\` names ${sources.length} sources.`, {
      range: fields?.src?.node.range,
      expected: `at most ${MOST_SOURCES} sources`,
    });
  } else {
    for (const source of sources) await addSource(source, reading, values, problems);
  }
  addAll(values, fields?.values?.value ?? new Map(), fields?.values?.node.range, problems);
  return { values, directive: readDirective(fields?.directive, problems) };
}

function decodeBlock(block: MappedText, limits: YamlLimits, problems: Problems): DecodedMapping<typeof ALIAS_PROPERTIES> | undefined {
  if (block.text === '') return undefined;
  const parsed = parseYaml(block, limits);
  if (!parsed.ok) {
    problems.add(parsed.error);
    return undefined;
  }
  if (parsed.value === undefined) return undefined;
  return decodeMapping(parsed.value, BLOCK_PROPERTIES, 'The `alias` block', problems)?.fields.alias?.value;
}

async function addSource(
  source: LocatedItem<string>,
  { readSource, yaml }: AliasReading,
  values: Map<string, string>,
  problems: Problems,
): Promise<void> {
  const { value: src, node } = source;
  const text = await readSource(src);
  if (!text.ok) {
    problems.error('alias-source-failed', `The aliases of \`${src}\` cannot be read: ${text.error}`, { range: node.range });
    return;
  }
  const parsed = parseYaml(mapWhole({ name: src, text: text.value }), yaml);
  if (!parsed.ok) {
    problems.add(parsed.error);
  } else if (parsed.value !== undefined) {
    addAll(values, decodeStringMap(parsed.value, `The alias file \`${src}\``, problems), node.range, problems);
  }
}

function addAll(
  values: Map<string, string>,
  added: ReadonlyMap<string, LocatedItem<string>>,
  place: SourceRange | undefined,
  problems: Problems,
): void {
  for (const [name, { value, node }] of added) {
    if (ALIAS_NAME.test(name)) {
      values.set(name, value);
    } else {
      problems.error('alias-bad-name', `\`${name}\` is no name for an alias.`, {
        range: node.range ?? place,
        expected: 'ASCII letters and digits',
      });
    }
  }
}

function readDirective(directive: DecodedMapping<typeof ALIAS_PROPERTIES>['fields']['directive'], problems: Problems): string {
  const written = directive?.value ?? '';
  if (written === '') return DEFAULT_DIRECTIVE;
  if ([...written].length === 1 && !ALIAS_NAME.test(written)) return written;
  problems.error('alias-bad-directive', `\`${written}\` cannot start references to aliases.`, {
    range: directive?.node.range,
    expected: 'one character that is no ASCII letter or digit',
  });
  return DEFAULT_DIRECTIVE;
}
