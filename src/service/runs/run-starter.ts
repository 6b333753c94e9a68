import type { FireOrder, RunStarter } from '../../model/ports/run-starter.ts';
import type { ChosenBase, RunRequest } from '../../model/run-record.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import type { TaskDefaults } from '../tasks/task-defaults.ts';
import { makeRunRequest } from '../tasks/task-to-run.ts';
import type { Asker, RunService } from './run-service.ts';

/** Behind everything that a person, a commit or the clock asked for. */
const BACKGROUND_PRIORITY = -100;

export interface RunStarterParts {
  readonly runs: Pick<RunService, 'fire' | 'join' | 'hold' | 'cancel'>;
  readonly defaults: TaskDefaults;
  /** What the tracks of a task choose in place of the base images that it writes. */
  readonly baseImagesOf: (task: TaskRecord) => Promise<readonly ChosenBase[]>;
}

/** The run service as triggers see it: runs of tasks by their definitions. */
export function createRunStarter({ runs, defaults, baseImagesOf }: RunStarterParts): RunStarter {
  return {
    // A definition that makes no run rejects like everything else.
    fire: async (order) => {
      const { task, firing, hold } = order;
      return runs.fire(requestOf(order, await baseImagesOf(task), defaults), firing, trigger(firing.trigger), hold);
    },
    join: (run, joining) => runs.join(run, joining),
    hold: (run, hold) => runs.hold(run, hold),
    cancel: async (run, reason) => {
      await runs.cancel(run, trigger('of its task'), reason);
    },
  };
}

function requestOf(
  { task, causes, trust, source, background = false }: FireOrder,
  baseImages: readonly ChosenBase[],
  defaults: TaskDefaults,
): RunRequest {
  const reason = { ...{ causes, trust, background, baseImages }, ...(source === undefined ? {} : { source }) };
  return makeRunRequest(task.definition, background ? { priority: BACKGROUND_PRIORITY } : {}, reason, defaults).request;
}

function trigger(name: string): Asker {
  return { name: `trigger ${name}`, from: 'daemon' };
}
