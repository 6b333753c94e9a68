import type { Step, Task, Volume } from '../model/task.ts';
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
    networks: task.networks.map((network) => compact(network)),
    volumes: task.volumes.map(volumeDocument),
    steps: task.steps.map((step) => stepDocument(step, task)),
  });
}

function volumeDocument({ name, files }: Volume): object {
  return { name, secret: files };
}

function stepDocument(step: Step, task: Task): object {
  const document: Record<string, unknown> = { id: step.id, ...compact(workOf(step, task)) };
  for (const [name, read] of STEP_PROPERTIES) {
    const value = read(step);
    if (!isEmpty(value)) document[name] = value;
  }
  return document;
}

/** A table of functions, because most steps have few of these: nothing is made for what is left out. */
const STEP_PROPERTIES: readonly (readonly [string, (step: Step) => unknown])[] = Object.entries({
  when: (step) => step.when,
  needs: (step) => (step.needs.length > 1 ? step.needs.toSorted() : step.needs),
  timeout: (step) => step.timeoutMs / 1000,
  startDelay: (step) => step.startDelayMs / 1000,
  retries: (step) => step.retries,
  retryDelay: (step) => step.retryDelayMs / 1000,
  retryOnErrors: (step) => step.retryOnErrors,
  repeat: (step) => step.repeat,
  ignoreErrors: (step) => step.ignoreErrors,
  detach: (step) => step.detach,
  keep: (step) => step.keep,
  pull: (step) => step.pull,
  cmdDownloadRetries: (step) => step.cmdDownloadRetries,
  cmdDownloadRetryDelay: (step) => step.cmdDownloadRetryDelayMs / 1000,
  workingDirectory: (step) => step.workingDirectory,
  disableWorkingDirectoryOverride: (step) => step.disableWorkingDirectoryOverride,
  entryPoint: (step) => step.entryPoint,
  env: (step) => step.env,
  network: (step) => step.network,
  ports: (step) => step.ports,
  expose: (step) => step.expose,
  privileged: (step) => step.privileged,
  user: (step) => step.user,
  isolation: (step) => step.isolation,
  cpus: (step) => step.cpus,
  cache: (step) => step.cache,
  volumeMounts: (step) => step.volumeMounts,
  exitedWith: (step) => step.exitedWith,
  exitedWithout: (step) => step.exitedWithout,
} satisfies Readonly<Record<string, (step: Step) => unknown>>);

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

function compact(properties: object): object {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || value === false || value === 0 || (Array.isArray(value) && value.length === 0);
}
