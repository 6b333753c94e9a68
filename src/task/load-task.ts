import type { Checked, Diagnostic, SourceRange, SourceText } from '../model/diagnostic.ts';
import type { RunVariables } from '../model/run-variables.ts';
import type { SecretReference, Task } from '../model/task.ts';
import { err, ok } from '../util/result.ts';
import { cutAliasBlock } from './alias/cut-alias-block.ts';
import { detectVersion, hasAliases } from './alias/detect-version.ts';
import { expandFirstWords } from './alias/first-word.ts';
import { type AliasSourceReader, readAliases } from './alias/read-aliases.ts';
import { substituteAliases } from './alias/substitute.ts';
import { stripComments } from './comments.ts';
import { OWN_TASK_LIMITS, type TaskLimits } from './limits.ts';
import { type MappedText, MappedTextBuilder } from './mapped-text.ts';
import type { LintOptions } from './read/lint-fields.ts';
import { type EngineInputs, readSecretReferences, readTask } from './read/read-task.ts';
import { type KnownSecrets, makeRenderer, type Renderer } from './renderer.ts';
import { Problems } from './schema/problems.ts';
import { parseYaml } from './yaml/parse-yaml.ts';

/** Everything that decides what a task file means. */
export interface TaskInputs {
  readonly source: SourceText;
  readonly run: RunVariables;
  /** The values file. */
  readonly values?: SourceText;
  /** `--set`: `NAME=value`. */
  readonly set: readonly string[];
  /** Name of the stored task; absent or empty for a run by hand. */
  readonly taskName?: string;
  /** `--env`: `NAME=value`, split at commas. */
  readonly env?: readonly string[];
  /** `--network`: an existing network that becomes the default. */
  readonly network?: string;
  /** Working directory where the file sets none. */
  readonly workingDirectory?: string;
  /** What the functions of templates take for the present. */
  readonly now: Date;
  /** Reads a file or URL of `alias.src`; the error is one sentence. */
  readonly readAliasSource: AliasSourceReader;
  /** Values of the secrets by id. Without it every secret is empty, as for `plan` and `lint`. Rejects when one cannot be had. */
  readonly resolveSecrets?: (references: readonly SecretReference[]) => Promise<ReadonlyMap<string, string>>;
  /** Adds the warnings of `task lint`. */
  readonly lint?: LintOptions;
  /** Those of a person's own tasks unless given. */
  readonly limits?: TaskLimits;
}

/** Characters. Ten thousand plain steps are below it. */
const LONGEST_SOURCE = 1024 * 1024;
const NO_SECRETS: ReadonlyMap<string, string> = new Map();
const NO_ALIASES: ReadonlyMap<string, string> = new Map();

/**
 * The stages of a task text up to YAML: comment lines, aliases, templates, secrets between two renderings. The value is the
 * rendered text. Without `aliases` references to aliases stay as they are.
 */
export async function renderTask(inputs: TaskInputs, options: { readonly aliases: boolean }): Promise<Checked<string>> {
  const problems = new Problems();
  const stages = await runStages(inputs, options.aliases, problems);
  return stages === undefined ? err(problems.all()) : ok({ value: stages.rendered.text, warnings: problems.warnings });
}

/** Reads a task text: every stage, then YAML, validation and defaults. The only maker of a Task. */
export async function loadTask(inputs: TaskInputs): Promise<Checked<Task>> {
  const { task, problems } = await readTaskText(inputs);
  if (task === undefined || problems.errors.length > 0) return err(problems.all());
  return ok({ value: task, warnings: problems.warnings });
}

/** The task as far as it can be made out, for whoever looks for more problems. With errors it must not be used for anything else. */
export async function readTaskText(inputs: TaskInputs): Promise<{ readonly task: Task | undefined; readonly problems: Problems }> {
  const problems = new Problems();
  const stages = await runStages(inputs, true, problems);
  if (stages === undefined) return { task: undefined, problems };
  const parsed = parseYaml(stages.rendered, limitsOf(inputs).yaml);
  if (!parsed.ok) return { task: undefined, problems: onlyProblems(parsed.error) };
  const task = readTask(parsed.value, engineInputs(inputs), problems);
  const steps = await expandFirstWords(task.steps, {
    aliases: stages.aliases,
    render: (text, place) => renderAlias(text, place, stages, problems),
  });
  return { task: { ...task, steps }, problems };
}

function onlyProblems(diagnostics: readonly Diagnostic[]): Problems {
  const problems = new Problems();
  problems.add(diagnostics);
  return problems;
}

interface Stages {
  readonly rendered: MappedText;
  /** Empty where the version of the file has none. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly renderer: Renderer;
  readonly secrets: KnownSecrets;
}

async function runStages(inputs: TaskInputs, aliases: boolean, problems: Problems): Promise<Stages | undefined> {
  const { source } = inputs;
  if (source.text.length > LONGEST_SOURCE) {
    problems.error('task-too-big', `The task file is longer than ${LONGEST_SOURCE} characters.`, { range: { source, start: 0, end: 1 } });
    return undefined;
  }
  const made = makeRenderer({ ...inputs, limits: limitsOf(inputs) });
  if (!made.ok) {
    problems.add(made.error);
    return undefined;
  }
  const { value: renderer, warnings } = made.value;
  problems.add(warnings);
  const stripped = stripComments(source);
  const replaced = aliases ? await replaceAliases(stripped, renderer, inputs, problems) : { text: stripped, aliases: NO_ALIASES };
  if (replaced === undefined) return undefined;
  const secrets = await resolveSecrets(replaced.text, renderer, inputs, problems);
  if (secrets === undefined) return undefined;
  const rendered = await render(replaced.text, source.name, secrets, renderer, problems);
  return rendered === undefined ? undefined : { rendered, aliases: replaced.aliases, renderer, secrets };
}

async function replaceAliases(
  stripped: MappedText,
  renderer: Renderer,
  inputs: TaskInputs,
  problems: Problems,
): Promise<{ readonly text: MappedText; readonly aliases: ReadonlyMap<string, string> } | undefined> {
  if (!hasAliases(detectVersion(stripped.text))) return { text: stripped, aliases: NO_ALIASES };
  const { block, rest } = cutAliasBlock(stripped);
  const rendered = await render(block, `${inputs.source.name} (alias)`, NO_SECRETS, renderer, problems);
  if (rendered === undefined) return undefined;
  const aliases = await readAliases(rendered, { readSource: inputs.readAliasSource, yaml: limitsOf(inputs).yaml }, problems);
  if (problems.errors.length > 0) return undefined;
  const text = substituteAliases(rest, aliases.values, aliases.directive);
  if (text === undefined) problems.error('alias-too-big', 'The text with its aliases replaced is longer than 16 MiB.');
  return text === undefined ? undefined : { text, aliases: aliases.values };
}

/** A text that speaks of secrets is rendered and read once without them, to learn which ones it declares. */
async function resolveSecrets(
  text: MappedText,
  renderer: Renderer,
  inputs: TaskInputs,
  problems: Problems,
): Promise<KnownSecrets | undefined> {
  if (!text.text.includes('secrets')) return NO_SECRETS;
  if (inputs.resolveSecrets === undefined) return 'unknown';
  const rendered = await render(text, inputs.source.name, 'unknown', renderer, problems);
  if (rendered === undefined) return undefined;
  const parsed = parseYaml(rendered, limitsOf(inputs).yaml);
  if (!parsed.ok) {
    problems.add(parsed.error);
    return undefined;
  }
  // Warnings come with the second reading.
  const found = new Problems();
  const references = readSecretReferences(parsed.value, wholeOf(inputs.source), found);
  if (found.errors.length > 0) {
    problems.add(found.errors);
    return undefined;
  }
  return references.length === 0 ? NO_SECRETS : inputs.resolveSecrets(references);
}

async function render(
  text: MappedText,
  name: string,
  secrets: KnownSecrets,
  renderer: Renderer,
  problems: Problems,
): Promise<MappedText | undefined> {
  const rendered = await renderer.render(text, name, secrets);
  if (rendered.ok) return rendered.value;
  problems.add(rendered.error);
  return undefined;
}

async function renderAlias(text: string, place: SourceRange, stages: Stages, problems: Problems): Promise<string | undefined> {
  const builder = new MappedTextBuilder();
  builder.generate(text, place);
  return (await render(builder.build(), 'alias', stages.secrets, stages.renderer, problems))?.text;
}

function engineInputs(inputs: TaskInputs): EngineInputs {
  return {
    run: inputs.run,
    taskName: inputs.taskName ?? '',
    env: inputs.env ?? [],
    network: inputs.network ?? '',
    workingDirectory: inputs.workingDirectory ?? '',
    whole: wholeOf(inputs.source),
    lint: inputs.lint,
    mostSteps: limitsOf(inputs).steps,
  };
}

function limitsOf({ limits = OWN_TASK_LIMITS }: TaskInputs): TaskLimits {
  return limits;
}

function wholeOf(source: SourceText): SourceRange {
  return { source, start: 0, end: source.text.length };
}
