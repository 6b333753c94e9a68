import { EngineError } from '../model/engine-error.ts';
import type { EventStore } from '../model/ports/event-store.ts';
import type { TriggerEvent } from '../model/trigger-event.ts';

const MOST_REPLAYS = 1000;

/** Records what happened once more; gives the id of the new event. Rejects with EngineError `conflict` for what cannot be, see TriggerService.replay. */
export async function replayEvent(events: Pick<EventStore, 'record'>, event: TriggerEvent): Promise<string> {
  const { id, happening } = event;
  if (event.status === 'pending') throw new EngineError('conflict', `event ${id} has not been decided on yet`);
  if (happening.kind === 'manual') {
    throw new EngineError('conflict', `event ${id} is a person's wish for a run; \`task rerun\` asks for it again`);
  }
  for (let number = 1; number <= MOST_REPLAYS; number += 1) {
    const [recorded] = await events.record([{ dedupKey: `replay:${id}:${number}`, origin: 'replay', happening, replayOf: id }]);
    if (recorded?.fresh === true) return recorded.id;
  }
  throw new EngineError('conflict', `event ${id} has been replayed ${MOST_REPLAYS} times`);
}
