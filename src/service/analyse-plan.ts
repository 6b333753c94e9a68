import type { Diagnostic } from '../model/diagnostic.ts';
import type { Plan } from '../model/plan.ts';
import { type RunVariables, runDate } from '../model/run-variables.ts';
import type { TaskRecord } from '../model/task-definition.ts';
import { fetchAliasSource } from '../task/alias/fetch-alias-source.ts';
import { dockerTaskText, valueAssignments } from '../task/build/docker-task.ts';
import { SHARED_TASK_LIMITS } from '../task/limits.ts';
import { loadPlan } from '../task/load-plan.ts';
import type { TaskInputs } from '../task/load-task.ts';
import type { AddressPolicy } from '../util/address-policy.ts';
import { err, ok, type Result } from '../util/result.ts';
import type { BuildContext } from './build-context.ts';

export interface AnalysisPlanParts {
  /** For tasks that name no registry; empty for none. */
  readonly registry: string;
  /** Exit conditions have their evident meaning, as in runs. */
  readonly extended: boolean;
  /** Where the URLs of `alias.src` may lead. */
  readonly addresses: AddressPolicy;
}

interface Reading {
  readonly record: TaskRecord;
  readonly context: BuildContext;
  readonly hasContext: boolean;
  readonly parts: AnalysisPlanParts;
  readonly signal: AbortSignal;
}

/** Two runs that never are: what differs between their plans is another for each run. */
const SAMPLES = [
  { ID: 'ra001', Date: runDate(new Date(Date.UTC(2001, 1, 3, 4, 5, 6))), Commit: 'a'.repeat(40) },
  { ID: 'zz999', Date: runDate(new Date(Date.UTC(2012, 10, 21, 20, 19, 18))), Commit: 'b'.repeat(40) },
] as const;

/** The plan of a task as two different runs of it would have it. Secrets are empty. The problems are those of the task file. */
export async function samplePlans(reading: Reading): Promise<Result<readonly [Plan, Plan], readonly Diagnostic[]>> {
  const text = await textOf(reading);
  if (!text.ok) return text;
  const [one, other] = await Promise.all(SAMPLES.map((sample) => planOf(text.value, sample, reading)));
  if (one?.ok !== true) return err(one?.error ?? []);
  return ok([one.value, other?.ok === true ? other.value : one.value]);
}

type TaskText = Pick<TaskInputs, 'source' | 'values' | 'set'>;

async function textOf({ record, context, hasContext, parts }: Reading): Promise<Result<TaskText, readonly Diagnostic[]>> {
  const { step, registry = parts.registry } = record.definition;
  switch (step.type) {
    case 'Docker': {
      const text = dockerTaskText(step, { registry, noPush: false, hasContext, secrets: {} });
      return ok({ source: { name: '<Dockerfile task>', text }, set: [] });
    }
    case 'EncodedTask': {
      const { encodedTaskContent, encodedValuesContent } = step;
      const values = encodedValuesContent === undefined ? {} : { values: { name: '<values>', text: decoded(encodedValuesContent) } };
      return ok({ source: { name: '<task>', text: decoded(encodedTaskContent) }, ...values, set: valueAssignments(step.values, {}) });
    }
    case 'FileTask': {
      const names = [step.taskFilePath, ...(step.valuesFilePath === undefined ? [] : [step.valuesFilePath])];
      const texts = await Promise.all(names.map((name) => context.readInside(name)));
      const missing = names.filter((_, at) => texts[at] === undefined);
      if (missing.length > 0) return err(missing.map(noFile));
      const [source = '', values] = texts;
      return ok({
        source: { name: step.taskFilePath, text: source },
        ...(values === undefined ? {} : { values: { name: step.valuesFilePath ?? '', text: values } }),
        set: valueAssignments(step.values, {}),
      });
    }
  }
}

function noFile(name: string): Diagnostic {
  return { code: 'task-file-missing', severity: 'error', message: `the context has no file ${name}` };
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

async function planOf(
  text: TaskText,
  sample: Pick<RunVariables, 'ID' | 'Date' | 'Commit'>,
  reading: Reading,
): Promise<Result<Plan, readonly Diagnostic[]>> {
  const { record, context, parts, signal } = reading;
  const { name } = record.definition;
  const loaded = await loadPlan(
    {
      ...text,
      run: variablesOf(record, sample, parts),
      taskName: name,
      limits: SHARED_TASK_LIMITS,
      now: new Date(0),
      readAliasSource: async (src) => {
        if (/^https?:\/\//i.test(src)) return fetchAliasSource(src, { addresses: parts.addresses, signal });
        const content = await context.readInside(src);
        return content === undefined ? err(`the context has no file ${src}`) : ok(content);
      },
    },
    { extended: parts.extended },
  );
  return loaded.ok ? ok(loaded.value.value.plan) : err(loaded.error.filter(({ severity }) => severity === 'error'));
}

function variablesOf(
  { definition }: TaskRecord,
  sample: Pick<RunVariables, 'ID' | 'Date' | 'Commit'>,
  parts: AnalysisPlanParts,
): RunVariables {
  const { registry = parts.registry, platform, name } = definition;
  return {
    ...sample,
    ...{ Branch: '', Repository: '', GitTag: '', TriggeredBy: 'Image Update' },
    Registry: registry,
    RegistryName: registry.split('.')[0] ?? '',
    SharedVolume: `slipway-${sample.ID}-workspace`,
    OS: platform.os,
    OSVersion: '',
    Architecture: platform.architecture,
    TaskName: name,
  };
}
