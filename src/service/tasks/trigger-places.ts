import { SECRET_FIELDS } from '../../model/ports/secret-box.ts';
import type { SecretRef } from '../../model/task-definition.ts';
import type { TriggersInput } from '../../model/task-input.ts';
import type { TaskTriggers } from '../../model/trigger-definition.ts';

/** Where the secrets of triggers stand in a task, as its author knows it. */
export const ENDPOINT_FIELD = 'trigger.baseImageTrigger.updateTriggerEndpoint';

export function sourceTokenField(index: number): string {
  return `trigger.sourceTriggers[${index}].sourceRepository.sourceControlAuthProperties.token`;
}

/** The field of a place of SECRET_FIELDS in triggers whose names are filled in; undefined when it is a place of something else. */
export function triggerFieldOf({ sourceTriggers = [] }: TriggersInput, place: string): string | undefined {
  if (place === SECRET_FIELDS.updateTriggerEndpoint) return ENDPOINT_FIELD;
  const index = sourceTriggers.findIndex(({ name }) => name !== undefined && SECRET_FIELDS.sourceToken(name) === place);
  return index === -1 ? undefined : sourceTokenField(index);
}

/** Every place of triggers where a value is secret, by its name in SECRET_FIELDS. */
export function triggerSecrets({ sourceTriggers, baseImageTrigger }: TaskTriggers): readonly (readonly [string, SecretRef])[] {
  const endpoint = baseImageTrigger?.updateTriggerEndpoint;
  return [
    ...sourceTriggers.flatMap(({ name, sourceRepository }): (readonly [string, SecretRef])[] => {
      const token = sourceRepository.sourceControlAuthProperties?.token;
      return token === undefined ? [] : [[SECRET_FIELDS.sourceToken(name), token]];
    }),
    ...(endpoint === undefined ? [] : [[SECRET_FIELDS.updateTriggerEndpoint, endpoint] as const]),
  ];
}
