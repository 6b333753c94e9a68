/** Fields that `--unset` empties, by the flag that sets them, and where they stand in a task. Those of lists also take one entry: `arg.NAME`. */
const PATHS: Readonly<Record<string, { readonly path: string; readonly named?: true }>> = {
  context: { path: 'step.contextPath' },
  'git-access-token': { path: 'step.contextAccessToken' },
  target: { path: 'step.target' },
  image: { path: 'step.imageNames' },
  arg: { path: 'step.arguments', named: true },
  set: { path: 'step.values', named: true },
  values: { path: 'step.valuesFilePath' },
  platform: { path: 'platform' },
  timeout: { path: 'timeout' },
  cpu: { path: 'agentConfiguration' },
  registry: { path: 'registry' },
  'agent-pool': { path: 'agentPoolName' },
  priority: { path: 'priority' },
  'max-parallel': { path: 'maxParallelRuns' },
  concurrency: { path: 'concurrency' },
  policy: { path: 'policy' },
  label: { path: 'tags', named: true },
  credential: { path: 'credentials', named: true },
  trigger: { path: 'trigger' },
  'source-trigger': { path: 'trigger.sourceTriggers', named: true },
  branch: { path: 'source:branches' },
  tag: { path: 'source:tags' },
  'include-path': { path: 'source:include' },
  'exclude-path': { path: 'source:exclude' },
  'poll-interval': { path: 'source:pollInterval' },
  schedule: { path: 'trigger.timerTriggers', named: true },
  'base-image-trigger': { path: 'trigger.baseImageTrigger' },
  'update-trigger-endpoint': { path: 'trigger.baseImageTrigger.updateTriggerEndpoint' },
  'base-image-window': { path: 'trigger.baseImageTrigger.window' },
  'base-image-poll': { path: 'trigger.baseImageTrigger.poll' },
  track: { path: 'trigger.baseImageTrigger.tracks', named: true },
  after: { path: 'trigger.afterTriggers', named: true },
};

const SOURCE_FIELDS = ['branches', 'tags', 'include', 'exclude', 'pollInterval'] as const;
export type SourceField = (typeof SOURCE_FIELDS)[number];

/** What a path of `unsetPath` empties of a source trigger; undefined when it is a path of the task. */
export function sourceFieldOf(path: string): SourceField | undefined {
  return SOURCE_FIELDS.find((field) => path === `source:${field}`);
}

export const UNSET_NAMES = Object.entries(PATHS).map(([name, { named }]) => (named === true ? `${name}[.NAME]` : name));

/** The path in a task of what `--unset` names (of a source trigger: see `sourceFieldOf`); undefined when there is no such field. */
export function unsetPath(field: string): string | undefined {
  const dot = field.indexOf('.');
  const entry = PATHS[dot === -1 ? field : field.slice(0, dot)];
  if (entry === undefined || dot === -1) return entry?.path;
  const name = field.slice(dot + 1);
  return entry.named === true && name !== '' ? `${entry.path}.${name}` : undefined;
}
