import { setImmediate } from 'node:timers/promises';
import type { Checked, Diagnostic, SourceText } from '../../model/diagnostic.ts';
import type { RunVariables } from '../../model/run-variables.ts';
import type { TaskDefinition, TaskStepDefinition } from '../../model/task-definition.ts';
import { SHARED_TASK_LIMITS } from '../../task/limits.ts';
import { ok } from '../../util/result.ts';

type EncodedStep = Extract<TaskStepDefinition, { readonly type: 'EncodedTask' }>;

/** A number, a name and a part of an image's name at once. */
const STAND_IN = '1';
/** No value makes these right. */
const NEVER_RIGHT: ReadonlySet<string> = new Set([
  'template-syntax',
  'task-too-big',
  'values-not-a-mapping',
  'values-key',
  'values-number',
]);

/**
 * Reads the task file that a definition holds, so that a broken one is refused when it is defined and not when it runs. Values that come
 * only with a run, and aliases from files, are not there yet: with them missing a mistake that they may mend is a warning.
 */
export async function checkInlineTask(
  step: EncodedStep,
  task: Pick<TaskDefinition, 'name' | 'platform'>,
  registry: string,
  now: Date,
): Promise<Checked<undefined>> {
  // Many come with one request: between two of them others get their turn.
  await setImmediate();
  const source: SourceText = { name: `${task.name} (task file)`, text: decoded(step.encodedTaskContent) };
  const given = new Set(step.values.map(({ name }) => name));
  const missing = step.encodedValuesContent === undefined ? valuesNamedIn(source.text).filter((name) => !given.has(name)) : [];
  const values: SourceText | undefined =
    step.encodedValuesContent === undefined ? undefined : { name: `${task.name} (values file)`, text: decoded(step.encodedValuesContent) };
  let fromFiles = false;
  const { loadPlan } = await import('../../task/load-plan.ts');
  const loaded = await loadPlan(
    {
      source,
      run: runVariables(task, registry),
      ...(values === undefined ? {} : { values }),
      set: [
        ...missing.map((name) => `${name}=${STAND_IN}`),
        ...step.values.map(({ name, value }) => `${name}=${typeof value === 'string' ? value : STAND_IN}`),
      ],
      taskName: task.name,
      now,
      limits: SHARED_TASK_LIMITS,
      readAliasSource: async () => {
        fromFiles = true;
        return ok('');
      },
    },
    { extended: false },
  );
  if (loaded.ok) return ok({ value: undefined, warnings: loaded.value.warnings });
  const uncertain = missing.length > 0 || fromFiles || step.values.some(({ isSecret }) => isSecret);
  const certain = loaded.error.filter(({ code, severity }) => severity === 'error' && (!uncertain || NEVER_RIGHT.has(code)));
  if (certain.length > 0) return { ok: false, error: loaded.error };
  return ok({ value: undefined, warnings: loaded.error.map((diagnostic): Diagnostic => ({ ...diagnostic, severity: 'warning' })) });
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

/** What templates take from values, as far as the text tells. */
function valuesNamedIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/\.Values\.([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name = '']) => name))];
}

/** As of a run in the future: every part has a form that names of images allow. */
function runVariables({ name, platform }: Pick<TaskDefinition, 'name' | 'platform'>, registry: string): RunVariables {
  const host = registry === '' ? 'registry.invalid' : registry;
  return {
    ID: 'ra001',
    Commit: '0'.repeat(40),
    Branch: 'main',
    Repository: 'repository',
    GitTag: '',
    TriggeredBy: 'manual',
    Registry: host,
    RegistryName: host.split('.', 1)[0] ?? host,
    Date: '20300102-030405z',
    SharedVolume: 'shared',
    OS: platform.os,
    OSVersion: '',
    Architecture: platform.architecture,
    TaskName: name,
  };
}
