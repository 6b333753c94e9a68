import type { Diagnostic, SourceText } from '../model/diagnostic.ts';
import type { RunRequest } from '../model/run-record.ts';
import type { TaskStepDefinition } from '../model/task-definition.ts';
import { dockerTaskText, valueAssignments } from '../task/build/docker-task.ts';
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
    case 'Docker': {
      const { registry, noPush } = request;
      const text = dockerTaskText(step, { registry, noPush, hasContext: directory !== undefined, secrets });
      return ok({ source: { name: '<Dockerfile task>', text }, set: [] });
    }
    case 'FileTask':
      return fileTask(step, directory, secrets);
    case 'EncodedTask': {
      const values = step.encodedValuesContent;
      return ok({
        source: { name: '<task>', text: decoded(step.encodedTaskContent) },
        ...(values === undefined ? {} : { values: { name: '<values>', text: decoded(values) } }),
        set: valueAssignments(step.values, secrets),
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
    set: valueAssignments(step.values, secrets),
  });
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
