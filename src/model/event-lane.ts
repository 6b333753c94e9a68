import { canonicalRepositoryUrl } from '../util/repository-url.ts';
import type { Happening, SourceRepositoryId, TriggerEvent } from './trigger-event.ts';

/** Events of one lane are decided on one after the other, in their order. */
export function laneOf({ happening }: Pick<TriggerEvent, 'happening'>): string {
  switch (happening.kind) {
    case 'push':
    case 'tag':
      return `${laneOfRepository(happening.repository)} ${happening.ref}`;
    case 'pull-request':
      return `${laneOfRepository(happening.repository)} pull ${happening.number}`;
    case 'repository':
      return laneOfRepository(happening.repository);
    case 'image':
    case 'image-changed':
      return `image ${happening.image.registry}/${happening.image.repository}`;
    case 'timer':
    case 'manual':
      return `task ${happening.task}`;
    case 'run-ended':
      return `ends of task ${happening.task ?? ''}`;
    default:
      return happening satisfies never;
  }
}

function laneOfRepository({ url }: SourceRepositoryId): string {
  return `repository ${canonicalRepositoryUrl(url) ?? url}`;
}

/**
 * Kinds of events that are read, and decided on, beside all others: timers and what people ask for need this daemon alone, and the ends of runs
 * let others go on. They are few, and a person or a clock waits.
 */
export const NEAR_KINDS = ['timer', 'manual', 'run-ended'] as const satisfies readonly Happening['kind'][];
export type NearKind = (typeof NEAR_KINDS)[number];

/** Undefined for those that ask repositories and registries. */
export function nearKindOf({ happening }: Pick<TriggerEvent, 'happening'>): NearKind | undefined {
  return NEAR_KINDS.find((kind) => kind === happening.kind);
}
