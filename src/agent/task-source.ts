import type { Diagnostic, SourceText } from '../model/diagnostic.ts';
import type { RunRequest } from '../model/run-record.ts';
import type { TaskArgument, TaskStepDefinition } from '../model/task-definition.ts';
import { literalText, singleBuildText, tagInRegistry } from '../task/build/single-build.ts';
import { err, ok, type Result } from '../util/result.ts';
import { readContextFile } from './read-context-file.ts';

/** The text of a run's task and the values that its templates see. */
export interface TaskSource {
  readonly source: SourceText;
  readonly values?: SourceText;
  /** `NAME=value`, secret ones last. */
  readonly set: readonly string[];
}

type StepOf<Type extends TaskStepDefinition['type']> = Extract<TaskStepDefinition, { readonly type: Type }>;

/** Reads or makes the task of a request's step. `secrets` are the values of secret arguments; those that it lacks are left out. */
export async function taskSource(
  request: RunRequest,
  directory: string | undefined,
  secrets: Readonly<Record<string, string>>,
): Promise<Result<TaskSource, readonly Diagnostic[]>> {
  const { step } = request;
  switch (step.type) {
    case 'Docker':
      return ok({ source: { name: '<Dockerfile task>', text: dockerText(step, request, directory, secrets) }, set: [] });
    case 'FileTask':
      return fileTask(step, directory, secrets);
    case 'EncodedTask': {
      const values = step.encodedValuesContent;
      return ok({
        source: { name: '<task>', text: decoded(step.encodedTaskContent) },
        ...(values === undefined ? {} : { values: { name: '<values>', text: decoded(values) } }),
        set: assignments(step.values, secrets),
      });
    }
  }
}

async function fileTask(
  step: StepOf<'FileTask'>,
  directory: string | undefined,
  secrets: Readonly<Record<string, string>>,
): Promise<Result<TaskSource, readonly Diagnostic[]>> {
  if (directory === undefined) {
    return err([
      {
        code: 'task-file-missing',
        severity: 'error',
        message: `the task file ${step.taskFilePath} is to be read from a context, and this run has none`,
        help: 'Give the task a context, or define it with the text of its file.',
      },
    ]);
  }
  const source = await readContextFile(directory, step.taskFilePath);
  const values = step.valuesFilePath === undefined ? undefined : await readContextFile(directory, step.valuesFilePath);
  const problems = [source, values].flatMap((read) => (read === undefined || read.ok ? [] : [read.error]));
  if (!source.ok || values?.ok === false) return err(problems);
  return ok({
    source: source.value,
    ...(values === undefined ? {} : { values: values.value }),
    set: assignments(step.values, secrets),
  });
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

function assignments(values: readonly TaskArgument[], secrets: Readonly<Record<string, string>>): readonly string[] {
  const plain = values.flatMap((one) => (one.isSecret ? [] : [`${one.name}=${one.value}`]));
  return [...plain, ...secretNames(values, secrets).map((name) => `${name}=${secrets[name] ?? ''}`)];
}

function secretNames(values: readonly TaskArgument[], secrets: Readonly<Record<string, string>>): readonly string[] {
  return values.filter(({ name, isSecret }) => isSecret && Object.hasOwn(secrets, name)).map(({ name }) => name);
}

/** One build and its push. Templates work in names and plain arguments, as in ACR; a secret is never taken for one. */
function dockerText(
  step: StepOf<'Docker'>,
  { registry, noPush }: RunRequest,
  directory: string | undefined,
  secrets: Readonly<Record<string, string>>,
): string {
  const tags = step.imageNames.map((name) => tagInRegistry(name, registry));
  const plain = step.arguments.flatMap((one) => (one.isSecret ? [] : [`${one.name}=${one.value}`]));
  const secret = secretNames(step.arguments, secrets).map((name) => `${name}=${literalText(secrets[name] ?? '')}`);
  const words = [
    ...tags.flatMap((tag) => ['-t', tag]),
    ...(step.dockerFilePath === '' ? [] : ['-f', step.dockerFilePath]),
    ...[...plain, ...secret].flatMap((argument) => ['--build-arg', argument]),
    ...(step.target === undefined || step.target === '' ? [] : ['--target', step.target]),
    ...(step.noCache ? ['--no-cache'] : []),
    directory === undefined ? '/dev/null' : '.',
  ];
  return singleBuildText(words, step.isPushEnabled && !noPush ? tags : []);
}
