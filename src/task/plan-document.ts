import type { Network, Step, Task, Volume } from '../model/task.ts';
import { cacheFlags } from './build/cache-reference.ts';
import { parseBuild } from './build/parse-build.ts';

/**
 * What `task plan --output json` prints: the task with all defaults applied, under the names that the file itself uses.
 * Empty and false values are left out; times are seconds; `needs` of a step are the ids it waits for, sorted.
 */
export function planDocument(task: Task): object {
  return compact({
    version: task.version,
    taskName: task.name,
    stepTimeout: task.stepTimeout,
    workingDirectory: task.workingDirectory,
    env: task.env,
    networks: task.networks.map((network) => compact<Network>(network)),
    volumes: task.volumes.map(volumeDocument),
    steps: task.steps.map((step) => stepDocument(step, task)),
  });
}

function volumeDocument({ name, files }: Volume): object {
  return { name, secret: files };
}

function stepDocument(step: Step, task: Task): object {
  return compact({
    id: step.id,
    ...workOf(step, task),
    when: step.when,
    needs: step.needs.toSorted(),
    timeout: step.timeoutMs / 1000,
    startDelay: step.startDelayMs / 1000,
    retries: step.retries,
    retryDelay: step.retryDelayMs / 1000,
    retryOnErrors: step.retryOnErrors,
    repeat: step.repeat,
    ignoreErrors: step.ignoreErrors,
    detach: step.detach,
    keep: step.keep,
    pull: step.pull,
    cmdDownloadRetries: step.cmdDownloadRetries,
    cmdDownloadRetryDelay: step.cmdDownloadRetryDelayMs / 1000,
    workingDirectory: step.workingDirectory,
    disableWorkingDirectoryOverride: step.disableWorkingDirectoryOverride,
    entryPoint: step.entryPoint,
    env: step.env,
    network: step.network,
    ports: step.ports,
    expose: step.expose,
    privileged: step.privileged,
    user: step.user,
    isolation: step.isolation,
    cpus: step.cpus,
    cache: step.cache,
    volumeMounts: step.volumeMounts,
    exitedWith: step.exitedWith,
    exitedWithout: step.exitedWithout,
  });
}

/** Exactly one of `cmd`, `build` and `push`, or the extension: `script` and its `image`. */
function workOf(step: Step, task: Task): object {
  switch (step.kind) {
    case 'cmd':
      return step.script === undefined ? { cmd: step.cmd } : { image: step.script.image, script: step.script.text };
    case 'build':
      return { build: cachedBuild(step, task) };
    case 'push':
      return { push: step.images };
  }
}

/** The build text; with a cache that can be named, the flags for it come first. */
function cachedBuild(step: Extract<Step, { readonly kind: 'build' }>, task: Task): string {
  if (step.cache.toLowerCase() !== 'enabled') return step.build;
  const parsed = parseBuild(step.build, {
    stepId: step.id,
    taskName: task.name,
    registry: task.run.Registry,
    cache: 'enabled',
    env: [],
    workdir: '/workspace',
    range: step.buildRange,
  });
  const reference = parsed.ok ? parsed.value.value.cacheRef : undefined;
  return reference === undefined ? step.build : `${cacheFlags(reference)}${step.build}`;
}

function compact<T extends object>(properties: T): Partial<T> {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => !isEmpty(value))) as Partial<T>;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || value === false || value === 0 || (Array.isArray(value) && value.length === 0);
}
