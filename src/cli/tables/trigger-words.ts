import type { TriggersShown } from '../../api/task-trigger-schema.ts';

type Source = TriggersShown['sourceTriggers'][number];
type BaseImage = NonNullable<TriggersShown['baseImageTrigger']>;
type Timer = TriggersShown['timerTriggers'][number];
type After = TriggersShown['afterTriggers'][number];

const EVENT_WORDS = { commit: 'commit', pullrequest: 'pull request', tag: 'tag' } as const;

/** ACR's column: what starts the task by itself, in words. Disabled triggers do not. */
export function triggerWords({ sourceTriggers, baseImageTrigger, timerTriggers, afterTriggers }: TriggersShown): string {
  const words = [
    ...sourceTriggers.filter(isEnabled).flatMap(({ sourceTriggerEvents }) => sourceTriggerEvents.map((event) => EVENT_WORDS[event])),
    ...(baseImageTrigger !== undefined && isEnabled(baseImageTrigger) ? ['base image'] : []),
    ...timerTriggers.filter(isEnabled).map(() => 'timer'),
    ...afterTriggers.filter(isEnabled).map(() => 'after'),
  ];
  return [...new Set(words)].join(', ');
}

function isEnabled({ status }: { readonly status: 'Enabled' | 'Disabled' }): boolean {
  return status === 'Enabled';
}

/** A trigger of any kind as a line of a list. */
export interface TriggerLine {
  readonly name: string;
  readonly kind: 'source' | 'timer' | 'base-image' | 'after';
  readonly status: 'Enabled' | 'Disabled';
  readonly starts: string;
}

/** Every trigger of a task, with what it waits for. */
export function triggerLines({ sourceTriggers, baseImageTrigger, timerTriggers, afterTriggers }: TriggersShown): readonly TriggerLine[] {
  return [
    ...sourceTriggers.map((source) => ({ ...line(source), kind: 'source' as const, starts: sourceText(source) })),
    ...(baseImageTrigger === undefined
      ? []
      : [{ ...line(baseImageTrigger), kind: 'base-image' as const, starts: baseImageText(baseImageTrigger) }]),
    ...timerTriggers.map((timer) => ({ ...line(timer), kind: 'timer' as const, starts: timerText(timer) })),
    ...afterTriggers.map((after) => ({ ...line(after), kind: 'after' as const, starts: afterText(after) })),
  ];
}

function line({ name, status }: Pick<TriggerLine, 'name' | 'status'>): Pick<TriggerLine, 'name' | 'status'> {
  return { name, status };
}

function sourceText({ sourceTriggerEvents, sourceRepository, branches, tags, paths, ...source }: Source): string {
  const followed = branches.length > 0 ? branches : sourceRepository.branch === undefined ? [] : [sourceRepository.branch];
  const parts = [
    `${sourceTriggerEvents.map((event) => EVENT_WORDS[event]).join(', ')} of ${sourceRepository.repositoryUrl}`,
    ...(followed.length === 0 ? [] : [`branches ${followed.join(' ')}`]),
    ...(tags.length === 0 ? [] : [`tags ${tags.join(' ')}`]),
    ...(paths.include.length === 0 ? [] : [`files ${paths.include.join(' ')}`]),
    ...(paths.exclude.length === 0 ? [] : [`not files ${paths.exclude.join(' ')}`]),
    ...(source.skipCi ? ['heeds [skip ci]'] : []),
    ...(source.latestOnly ? ['only the latest'] : []),
    ...(source.pollInterval === 0 ? ['webhooks only'] : []),
  ];
  return parts.join('; ');
}

function baseImageText({ baseImageTriggerType, tracks, updateTriggerEndpoint }: BaseImage): string {
  const how = tracks.map(({ image, by, pattern }) => `${image} ${pattern === undefined ? by : `${by}:${pattern}`}`);
  return [
    `updates of base images (${baseImageTriggerType})`,
    ...how,
    ...(updateTriggerEndpoint === undefined ? [] : ['posted to an endpoint']),
  ].join('; ');
}

function timerText({ schedule, onMissed, overlap }: Timer): string {
  return [
    schedule,
    ...(onMissed === 'latest' ? [] : [`missed: ${onMissed}`]),
    ...(overlap === 'allow' ? [] : [`overlap: ${overlap}`]),
  ].join('; ');
}

function afterText({ task, on }: After): string {
  return on === 'pushed' ? `when ${task} pushed an image` : `when ${task} succeeded`;
}
