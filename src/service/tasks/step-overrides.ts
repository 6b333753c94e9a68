import type { RunRequest } from '../../model/run-record.ts';
import type { TaskArgument, TaskStepDefinition } from '../../model/task-definition.ts';
import type { ArgumentInput } from '../../model/task-input.ts';
import { classifyContext } from '../../task/build/context.ts';
import { changedFields } from './definition-changes.ts';
import type { FieldProblem } from './field-problem.ts';
import { type PlaceSecret, placeArgument } from './secret-places.ts';
import { checkArguments, checkContext, checkPath } from './step-checks.ts';

/** What one run has otherwise than its task (ACR's `overrideTaskStepProperties`). */
export interface StepOverrides {
  readonly contextPath?: string;
  /** Dockerfile or task file, in the context. */
  readonly file?: string;
  /** Replace those of the same name, add others. Of Dockerfile tasks. */
  readonly arguments?: readonly ArgumentInput[];
  /** Replace those of the same name, add others. Of task files. */
  readonly values?: readonly ArgumentInput[];
  readonly target?: string;
  readonly updateTriggerToken?: string;
}

const OVERRIDES = 'overrideTaskStepProperties';

/**
 * Whether a run has code that its task does not name: another context or file, or values and variables, which templates and shells can
 * take for code.
 */
export function replacesCode({ contextPath, file, values, env }: StepOverrides & { readonly env?: readonly string[] }): boolean {
  return contextPath !== undefined || file !== undefined || (values ?? []).length > 0 || (env ?? []).length > 0;
}

/** Whether a stored request runs what its task runs by itself: `replacesCode`, seen from the end. */
export function runsCodeOf(own: TaskStepDefinition, { step, env }: Pick<RunRequest, 'step' | 'env'>): boolean {
  return env.length === 0 && changedFields(codeOf(own), codeOf(step)).length === 0;
}

function codeOf(step: TaskStepDefinition): object {
  if (step.type !== 'Docker') return step;
  const { arguments: _arguments, target: _target, ...code } = step;
  return code;
}

/** The step of one run. Named things of the overrides win over those of the task. */
export function overrideStep(own: TaskStepDefinition, overrides: StepOverrides, place: PlaceSecret): TaskStepDefinition {
  const { file, target } = overrides;
  const step = contextOf(own, overrides.contextPath);
  switch (step.type) {
    case 'Docker':
      return {
        ...step,
        ...(file === undefined ? {} : { dockerFilePath: file }),
        ...(target === undefined ? {} : { target }),
        arguments: overrideByName(step.arguments, overrides.arguments ?? [], place),
      };
    case 'FileTask':
      return {
        ...step,
        ...(file === undefined ? {} : { taskFilePath: file }),
        values: overrideByName(step.values, overrides.values ?? [], place),
      };
    case 'EncodedTask':
      return { ...step, values: overrideByName(step.values, overrides.values ?? [], place) };
  }
}

function overrideByName(own: readonly TaskArgument[], others: readonly ArgumentInput[], place: PlaceSecret): readonly TaskArgument[] {
  const merged = new Map(own.map((argument) => [argument.name, argument]));
  for (const argument of others) {
    const keeps = typeof argument.value !== 'string' && 'stored' in argument.value && merged.get(argument.name)?.isSecret === true;
    if (!keeps) merged.set(argument.name, placeArgument(argument, place));
  }
  return [...merged.values()];
}

/** The token of a task's context goes to no other host. */
export function contextOf(step: TaskStepDefinition, contextPath: string | undefined): TaskStepDefinition {
  if (contextPath === undefined) return step;
  const { contextAccessToken, ...rest } = step;
  const same = hostOf(contextPath) !== undefined && hostOf(contextPath) === hostOf(step.contextPath ?? '');
  return { ...rest, contextPath, ...(same && contextAccessToken !== undefined ? { contextAccessToken } : {}) };
}

function hostOf(context: string): string | undefined {
  const ref = classifyContext(context);
  if (ref.kind !== 'git' && ref.kind !== 'archive') return undefined;
  return URL.canParse(ref.url) ? new URL(ref.url).origin : undefined;
}

/** What of the overrides does not fit a step of this type. */
export function checkOverrides({ type }: TaskStepDefinition, overrides: StepOverrides): FieldProblem[] {
  const unfit = (name: keyof StepOverrides, fits: boolean): FieldProblem[] =>
    overrides[name] === undefined || fits
      ? []
      : [{ field: `${OVERRIDES}.${name}`, message: `has no meaning for a task of the type ${type}` }];
  return [
    ...(overrides.contextPath === undefined ? [] : checkContext(overrides.contextPath, type, `${OVERRIDES}.contextPath`)),
    ...checkPath(overrides.file, `${OVERRIDES}.file`),
    ...unfit('file', type !== 'EncodedTask'),
    ...unfit('target', type === 'Docker'),
    ...unfit('arguments', type === 'Docker'),
    ...unfit('values', type !== 'Docker'),
    ...checkArguments(overrides.arguments, `${OVERRIDES}.arguments`),
    ...checkArguments(overrides.values, `${OVERRIDES}.values`),
  ];
}
