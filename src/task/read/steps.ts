import type { SourceRange } from '../../model/diagnostic.ts';
import type { Step, StepCommon } from '../../model/task.ts';
import type { Located, LocatedItem } from '../schema/decode.ts';
import type { Problems } from '../schema/problems.ts';
import { checkStep, kindsOf, type StepMapping } from './check-step.ts';
import { type InheritedEnv, mergeEnv } from './env.ts';
import { StepGraph } from './step-graph.ts';

/** What the steps of a task take from it. */
export interface StepDefaults {
  readonly timeoutMs: number;
  readonly workingDirectory: string;
  readonly env: InheritedEnv;
  /** Name of the network of steps that name none. */
  readonly network: string;
  readonly volumes: ReadonlySet<string>;
  /** The registry of the run; empty when it has none. */
  readonly registry: string;
  /** The whole text, for a step whose place is not known. */
  readonly range: SourceRange;
}

const RETRY_DELAY_MS = 5000;

/** The `steps` of a task with all defaults applied, in file order; every problem goes to `problems`. */
export function readSteps(mappings: readonly StepMapping[], defaults: StepDefaults, problems: Problems): readonly Step[] {
  const ids = mappings.map(({ fields }, position) => fields.id?.value || `acb_step_${position}`);
  const graph = new StepGraph(ids, problems);
  return mappings.map((mapping, position) => {
    const id = ids[position] ?? '';
    checkStep(mapping, id, defaults, problems);
    const needs = graph.add(mapping, id);
    return kindOf(mapping, commonProperties(mapping, id, needs, defaults), defaults);
  });
}

function kindOf(mapping: StepMapping, common: StepCommon, defaults: StepDefaults): Step {
  const { fields } = mapping;
  const rangeOf = (field: Located<unknown> | undefined): SourceRange => field?.node.range ?? common.range ?? defaults.range;
  switch (kindsOf(mapping)[0]) {
    case 'build':
      return { ...common, kind: 'build', build: fields.build?.value ?? '', buildRange: rangeOf(fields.build) };
    case 'push':
      return { ...common, kind: 'push', images: pushNames(texts(fields.push)), pushRange: rangeOf(fields.push) };
    default:
      if (fields.cmd !== undefined && fields.cmd.value.length > 0) {
        return { ...common, kind: 'cmd', cmd: fields.cmd.value, cmdRange: rangeOf(fields.cmd) };
      }
      return { ...common, kind: 'cmd', cmd: '', script: scriptOf(mapping), cmdRange: rangeOf(fields.script) };
  }
}

function scriptOf({ fields: { image, script } }: StepMapping): { readonly image: string; readonly text: string } {
  return { image: image?.value ?? '', text: script?.value ?? '' };
}

function commonProperties(mapping: StepMapping, id: string, needs: readonly string[], defaults: StepDefaults): StepCommon {
  const { fields, node } = mapping;
  return {
    id,
    needs,
    when: texts(fields.when),
    timeoutMs: positive(fields.timeout, defaults.timeoutMs),
    startDelayMs: positive(fields.startDelay, 0),
    ignoreErrors: fields.ignoreErrors?.value ?? false,
    retries: fields.retries?.value ?? 0,
    retryDelayMs: positive(fields.retryDelay, RETRY_DELAY_MS),
    retryOnErrors: texts(fields.retryOnErrors),
    repeat: fields.repeat?.value ?? 0,
    workingDirectory: fields.workingDirectory?.value || defaults.workingDirectory,
    disableWorkingDirectoryOverride: fields.disableWorkingDirectoryOverride?.value ?? false,
    env: mergeEnv(texts(fields.env), defaults.env),
    network: fields.network?.value || defaults.network,
    ports: texts(fields.ports),
    expose: texts(fields.expose),
    privileged: fields.privileged?.value ?? false,
    user: fields.user?.value ?? '',
    isolation: fields.isolation?.value ?? '',
    cpus: fields.cpus?.value ?? '',
    entryPoint: fields.entryPoint?.value ?? '',
    keep: fields.keep?.value ?? false,
    detach: fields.detach?.value ?? false,
    pull: fields.pull?.value ?? false,
    cmdDownloadRetries: fields.cmdDownloadRetries?.value ?? 0,
    cmdDownloadRetryDelayMs: fields.cmdDownloadRetryDelay?.value ?? 0,
    cache: fields.cache?.value ?? '',
    volumeMounts: mountsOf(fields.volumeMounts),
    exitedWith: fields.exitedWith?.value ?? NONE,
    exitedWithout: fields.exitedWithout?.value ?? NONE,
    range: node.range ?? defaults.range,
  };
}

const NONE: readonly never[] = [];

function mountsOf(mounts: StepMapping['fields']['volumeMounts']): StepCommon['volumeMounts'] {
  if (mounts === undefined) return NONE;
  return mounts.value.map(({ fields }) => ({ name: fields.name?.value ?? '', mountPath: fields.mountPath?.value ?? '' }));
}

function texts(field: Located<readonly LocatedItem<string>[]> | undefined): readonly string[] {
  return field === undefined ? NONE : field.value.map(({ value }) => value);
}

function positive(field: Located<number> | undefined, otherwise: number): number {
  return field !== undefined && field.value > 0 ? field.value : otherwise;
}

/** `:latest` where a name has neither a tag nor a digest; each name once. A colon anywhere counts as a tag, as it always has. */
function pushNames(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => (name.includes(':') || name.includes('@') ? name : `${name}:latest`)))];
}
