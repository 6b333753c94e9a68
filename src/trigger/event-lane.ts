import type { SourceRepositoryId, TriggerEvent } from '../model/trigger-event.ts';
import { canonicalRepositoryUrl } from '../util/repository-url.ts';

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

/** Whether deciding on it needs this daemon alone, and no repository or registry. */
export function isNear({ happening }: Pick<TriggerEvent, 'happening'>): boolean {
  return happening.kind === 'timer' || happening.kind === 'manual';
}
