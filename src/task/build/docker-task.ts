import type { TaskArgument, TaskStepDefinition } from '../../model/task-definition.ts';
import { literalText, singleBuildText, tagInRegistry } from './single-build.ts';

/** What decides the text of a Docker task besides its step. */
export interface DockerTaskOptions {
  /** Before image names that say no registry; empty for none. */
  readonly registry: string;
  readonly noPush: boolean;
  /** Without one, the Dockerfile has nothing to copy from. */
  readonly hasContext: boolean;
  /** Values of secret arguments by name; those that it lacks are left out. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** One build and its push. Templates work in names and plain arguments, as in ACR; a secret is never taken for one. */
export function dockerTaskText(
  step: Extract<TaskStepDefinition, { readonly type: 'Docker' }>,
  { registry, noPush, hasContext, secrets }: DockerTaskOptions,
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
    hasContext ? '.' : '/dev/null',
  ];
  return singleBuildText(words, step.isPushEnabled && !noPush ? tags : []);
}

/** `NAME=value` of a task's values, secret ones last. */
export function valueAssignments(values: readonly TaskArgument[], secrets: Readonly<Record<string, string>>): readonly string[] {
  const plain = values.flatMap((one) => (one.isSecret ? [] : [`${one.name}=${one.value}`]));
  return [...plain, ...secretNames(values, secrets).map((name) => `${name}=${secrets[name] ?? ''}`)];
}

function secretNames(values: readonly TaskArgument[], secrets: Readonly<Record<string, string>>): readonly string[] {
  return values.filter(({ name, isSecret }) => isSecret && Object.hasOwn(secrets, name)).map(({ name }) => name);
}
