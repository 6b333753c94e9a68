import { etagOf } from '../../../api/task-resource.ts';
import { EngineError } from '../../../model/engine-error.ts';
import { putTimer, removeTimer, timersOf } from '../../../service/triggers/timers.ts';
import type { HttpServices } from '../services.ts';
import type { Handlers } from './call.ts';

type TimerRoute = 'listTimers' | 'putTimer' | 'deleteTimer';

export function timerHandlers({ tasks, store, clock }: HttpServices): Handlers<TimerRoute> {
  return {
    listTimers: async ({ principal, params: { name } }) => {
      const record = await tasks.get(principal, name);
      return { status: 200, body: { items: await timersOf(store.timers, record, clock.now()) } };
    },
    putTimer: async ({ principal, params: { name, timer }, query, body, version }) => {
      const { changed, made } = await putTimer(tasks, principal, { task: name, timer, change: body, options: optionsOf(query, version) });
      const shown = (await timersOf(store.timers, changed.record, clock.now())).find((one) => one.name === timer);
      if (shown === undefined) throw new EngineError('internal', `the timer ${timer} was not stored`);
      return { status: made ? 201 : 200, body: shown, headers: { etag: etagOf(changed.record.version) } };
    },
    deleteTimer: async ({ principal, params: { name, timer }, query, version }) => {
      await removeTimer(tasks, principal, { task: name, timer, options: optionsOf(query, version) });
      return { status: 204 };
    },
  };
}

function optionsOf({ force }: { readonly force: boolean }, version: number | undefined) {
  return { force, ...(version === undefined ? {} : { version }) };
}
