import type { FireOrder, RunStarter } from '../../model/ports/run-starter.ts';
import type { TaskDefaults } from '../tasks/task-defaults.ts';
import { makeRunRequest } from '../tasks/task-to-run.ts';
import type { Asker, RunService } from './run-service.ts';

/** Behind everything that a person, a commit or the clock asked for. */
const BACKGROUND_PRIORITY = -100;

export interface RunStarterParts {
  readonly runs: Pick<RunService, 'fire' | 'join' | 'hold' | 'cancel'>;
  readonly defaults: TaskDefaults;
}

/** The run service as triggers see it: runs of tasks by their definitions. */
export function createRunStarter({ runs, defaults }: RunStarterParts): RunStarter {
  return {
    // A definition that makes no run rejects like everything else.
    fire: async (order) => {
      const { firing, hold } = order;
      return runs.fire(requestOf(order, defaults), firing, trigger(firing.trigger), hold);
    },
    join: (run, joining) => runs.join(run, joining),
    hold: (run, hold) => runs.hold(run, hold),
    cancel: async (run, reason) => {
      await runs.cancel(run, trigger('of its task'), reason);
    },
  };
}

function requestOf({ task, causes, trust, source, baseImages, background = false }: FireOrder, defaults: TaskDefaults) {
  const reason = {
    ...{ causes, trust, background },
    ...(source === undefined ? {} : { source }),
    ...(baseImages === undefined ? {} : { baseImages }),
  };
  return makeRunRequest(task.definition, background ? { priority: BACKGROUND_PRIORITY } : {}, reason, defaults).request;
}

function trigger(name: string): Asker {
  return { name: `trigger ${name}`, from: 'daemon' };
}
