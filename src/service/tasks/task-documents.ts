import type { Diagnostic, SourceRange, SourceText } from '../../model/diagnostic.ts';
import type { TaskInput } from '../../model/task-input.ts';
import { MappedTextBuilder, mapWhole } from '../../task/mapped-text.ts';
import { firstDocumentEnd } from '../../task/yaml/first-document.ts';
import { parseYaml } from '../../task/yaml/parse-yaml.ts';
import { isNullScalar } from '../../task/yaml/scalar.ts';
import type { YamlNode } from '../../task/yaml/yaml-node.ts';
import { err, ok, type Result } from '../../util/result.ts';
import { decodeDocument } from './decode-document.ts';
import { TASK_FIELDS } from './definition-shape.ts';

/** A task as a file defines it, and where its parts stand there. Made by API clients without places. */
export interface TaskDocument {
  readonly input: TaskInput;
  /** The place of a field, or of the nearest part around it; the whole document for ''. */
  readonly placeOf?: (field: string) => SourceRange | undefined;
}

const LIMITS = { length: 4 * 1024 * 1024, nodes: 100_000, depth: 64 };
const MOST_DOCUMENTS = 500;

/**
 * The tasks of a YAML or JSON text: one a document, separated by `---`, or a list of them; empty documents are left out. A document is the JSON of a task, with
 * `kind: Task` before it if you like, and with the task file of an inline task as text (`step.taskContent`). Secret values are references,
 * never values. Every problem of the text is reported with its place.
 */
export function readTaskDocuments(source: SourceText): Result<readonly TaskDocument[], readonly Diagnostic[]> {
  const documents: TaskDocument[] = [];
  const problems: Diagnostic[] = [];
  let count = 0;
  for (const text of splitDocuments(source)) {
    count += 1;
    if (count > MOST_DOCUMENTS || documents.length > MOST_DOCUMENTS) return err([...problems, tooMany(source)]);
    const parsed = parseYaml(text, LIMITS);
    if (!parsed.ok) problems.push(...parsed.error);
    else if (parsed.value !== undefined && !(parsed.value.kind === 'scalar' && isNullScalar(parsed.value))) {
      for (const node of parsed.value.kind === 'sequence' ? parsed.value.items : [parsed.value]) {
        const read = readDocument(node);
        if (read.ok) documents.push(read.value);
        else problems.push(...read.error);
      }
    }
  }
  problems.push(...namesTwice(documents));
  return problems.length > 0 ? err(problems) : ok(documents);
}

function* splitDocuments(source: SourceText): Generator<ReturnType<typeof mapWhole>> {
  const whole = mapWhole(source);
  for (let start = 0; start < source.text.length; ) {
    const end = start + firstDocumentEnd(source.text.slice(start));
    const builder = new MappedTextBuilder();
    builder.copy(whole, start, end);
    yield builder.build();
    // A line of `...` closes a document and opens none.
    start = source.text.startsWith('...', end) ? nextLine(source.text, end) : end;
  }
}

function nextLine(text: string, at: number): number {
  const newline = text.indexOf('\n', at);
  return newline === -1 ? text.length : newline + 1;
}

function readDocument(node: YamlNode): Result<TaskDocument, readonly Diagnostic[]> {
  if (node.kind !== 'mapping') {
    const message = 'a task is a mapping';
    return err([
      { code: 'task-field', severity: 'error', message, expected: 'name: NAME and step: …', ...(node.range && { range: node.range }) },
    ]);
  }
  const { value, places, problems } = decodeDocument(node, TASK_FIELDS);
  const { kind: _, ...fields } = value;
  const { step, more } = inlineText(isRecord(fields['step']) ? fields['step'] : {}, places);
  if (problems.length > 0 || more.length > 0) return err([...problems, ...more]);
  // The table of fields has checked the shape.
  const input = { ...fields, step } as unknown as TaskInput;
  return ok({ input, placeOf: (field) => placeAround(places, field) ?? node.range });
}

/** `taskContent` and `valuesContent` as the fields that a definition has; arguments say whether they are secret by their value. */
function inlineText(
  step: Record<string, unknown>,
  places: ReadonlyMap<string, SourceRange>,
): { readonly step: Record<string, unknown>; readonly more: readonly Diagnostic[] } {
  const made: Record<string, unknown> = {};
  const more: Diagnostic[] = [];
  const problem = (field: string, message: string, code: Diagnostic['code'] = 'task-field'): void => {
    const range = placeAround(places, field);
    more.push({ code, severity: 'error', message: `\`${field}\` ${message}`, field, ...(range && { range }) });
  };
  for (const [name, value] of Object.entries(step)) {
    if (name === 'taskContent' || name === 'valuesContent') {
      const encoded = name === 'taskContent' ? 'encodedTaskContent' : 'encodedValuesContent';
      if (step[encoded] === undefined) made[encoded] = Buffer.from(String(value)).toString('base64');
      else problem(`step.${name}`, `and \`step.${encoded}\` exclude each other`);
    } else if (Array.isArray(value) && (name === 'arguments' || name === 'values')) {
      made[name] = value.filter(isRecord).map((entry, index) => secretByValue(entry, `step.${name}[${index}].value`, problem));
    } else made[name] = value;
  }
  return { step: made, more };
}

function secretByValue(
  entry: Record<string, unknown>,
  field: string,
  problem: (field: string, message: string, code?: Diagnostic['code']) => void,
): Record<string, unknown> {
  const isText = typeof entry['value'] === 'string';
  if (isText && entry['isSecret'] === true)
    problem(field, 'must not stand in a file as it is: write `{ secret: NAME }`', 'task-secret-plain');
  if (!isText && entry['isSecret'] === false) problem(field, 'is where a secret is, and `isSecret` is false');
  return { ...entry, isSecret: !isText };
}

function placeAround(places: ReadonlyMap<string, SourceRange>, field: string): SourceRange | undefined {
  for (let at = field; at !== ''; at = at.replace(/(?:^|\.)[^.[]+$|\[\d+\]$/, '')) {
    const place = places.get(at);
    if (place !== undefined) return place;
  }
  return undefined;
}

/** The same name again, in one file or in several that are applied together. */
export function namesTwice(documents: readonly TaskDocument[]): readonly Diagnostic[] {
  const first = new Map<string, TaskDocument>();
  return documents.flatMap((document) => {
    const { name } = document.input;
    const before = first.get(name);
    if (before === undefined) {
      first.set(name, document);
      return [];
    }
    const [range, other] = [document.placeOf?.('name'), before.placeOf?.('name')];
    return [
      {
        code: 'task-twice',
        severity: 'error',
        message: `the task ${JSON.stringify(name)} is defined twice`,
        field: 'name',
        ...(range && { range }),
        ...(other && { related: [{ message: 'it stands here as well', range: other }] }),
      } as const,
    ];
  });
}

function tooMany(source: SourceText): Diagnostic {
  return { code: 'yaml-too-big', severity: 'error', message: `${source.name} has more than ${MOST_DOCUMENTS} documents` };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
