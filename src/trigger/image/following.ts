import type { ImageDependency } from '../../model/ports/image-watch-store.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import { type BaseImageTrigger, triggersOf } from '../../model/trigger-definition.ts';
import type { DecisionCode } from '../../model/trigger-event.ts';
import { imageTagOf, sameRepository } from './image-tag.ts';
import { patternOf } from './newest-tag.ts';

type Dependency = Pick<ImageDependency, 'image' | 'written' | 'role'>;

/** Whether, and by which pattern, a task follows one of its base images. `pattern` is empty for the tag itself. */
export type Following =
  | { readonly follows: true; readonly trigger: BaseImageTrigger; readonly pattern: string }
  | { readonly follows: false; readonly code: DecisionCode; readonly because: string; readonly trigger?: string };

/** `scratch`, an image by digest, and one that no registry has a name for are never followed. */
export function followingOf({ definition }: Pick<TaskRecord, 'definition'>, dependency: Dependency): Following {
  const trigger = triggersOf(definition).baseImageTrigger;
  if (trigger === undefined) return { follows: false, code: 'no-trigger', because: 'the task has no base image trigger' };
  const refuse = (code: DecisionCode, because: string): Following => ({ follows: false, code, because, trigger: trigger.name });
  if (definition.status === 'Disabled') return refuse('task-disabled', 'the task is disabled');
  if (trigger.status === 'Disabled') return refuse('trigger-disabled', `the trigger ${trigger.name} is disabled`);
  if (isPinned(dependency)) return refuse('not-in-scope', `${dependency.written} names a digest, which never changes`);
  if (dependency.written === 'scratch' || dependency.image.repository === '') return refuse('not-in-scope', 'it is no image of a registry');
  if (dependency.role === 'buildtime' && trigger.baseImageTriggerType === 'Runtime')
    return refuse('not-in-scope', 'the trigger follows runtime images only, and this one is used while building (type `All` follows both)');
  return { follows: true, trigger, pattern: patternFor(trigger, dependency) };
}

/** The pattern that a trigger has for an image; empty for none. */
export function patternFor({ tracks }: BaseImageTrigger, { image, written }: Pick<Dependency, 'image' | 'written'>): string {
  const track = tracks.find((one) => {
    const tracked = imageTagOf(one.image);
    return tracked !== undefined && sameRepository(tracked, image);
  });
  if (track === undefined || track.by === 'digest' || track.pattern === undefined) return '';
  return patternOf(track.by, track.pattern, imageTagOf(written)?.tag ?? image.tag);
}

function isPinned({ written }: Dependency): boolean {
  return written.includes('@');
}
