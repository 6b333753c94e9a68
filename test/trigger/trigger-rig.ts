import type { RunOutcome } from '../../src/model/ports/store.ts';
import type { RunRecord } from '../../src/model/run-record.ts';
import type { TaskDefinition, TaskRecord } from '../../src/model/task-definition.ts';
import { NO_TRIGGERS, type TaskTriggers, type TimerTrigger } from '../../src/model/trigger-definition.ts';
import { createRunStarter } from '../../src/service/runs/run-starter.ts';
import { standardTaskDefaults } from '../../src/service/tasks/task-defaults.ts';
import type { TriggerParts } from '../../src/trigger/parts.ts';
import { createTriggerService, type OutsideSources, type TriggerService } from '../../src/trigger/trigger-service.ts';
import { outcome, taskDefinition } from '../contract/store-values.ts';
import type { FakeClock } from '../fakes/fake-clock.ts';
import { type Folder, openPlane, type Plane } from '../service/runs/control-plane.ts';
import { waitFor } from '../support/wait-for.ts';

/** Nothing outside is looked at. */
const NOTHING_OUTSIDE: OutsideSources = { sources: [], afterRun: async () => ({ decisions: [] }), headOf: async () => undefined };

export interface TriggerRig {
  readonly plane: Plane;
  readonly clock: FakeClock;
  readonly parts: TriggerParts;
  readonly triggers: TriggerService;
  readonly problems: readonly string[];
  /** Makes or replaces a task and tells the triggers. */
  define(name: string, trigger?: Partial<TaskTriggers>, definition?: Partial<TaskDefinition>): Promise<TaskRecord>;
  /** Ends a run as its agent would, and tells the triggers. */
  end(run: string, status?: 'Succeeded' | 'Failed', parts?: Partial<RunOutcome>): Promise<void>;
  /** Runs of a task, oldest first. */
  runsOf(task: string): Promise<readonly RunRecord[]>;
  /** Resolves when the task has that many runs, with them. */
  runs(task: string, count: number): Promise<readonly RunRecord[]>;
  /** Moves the clock, and waits until no timer is due and no event pending. */
  pass(ms: number): Promise<void>;
  /** As kill -9 leaves it, but for the files being closed. */
  stop(): Promise<void>;
}

export interface RigOptions {
  readonly clock: FakeClock;
  readonly outside?: (parts: TriggerParts) => OutsideSources;
}

/** Triggers on the real parts of a daemon, but for the clock. Opened again on the same folder it is the next process. */
export async function openRig(folder: Folder, { clock, outside = () => NOTHING_OUTSIDE }: RigOptions): Promise<TriggerRig> {
  const plane = await openPlane(folder, { clock });
  const { store } = plane;
  const problems: string[] = [];
  let own: TriggerParts | undefined;
  const triggers = createTriggerService({
    ...{ store, clock, gitCache: folder.path },
    runs: createRunStarter({ runs: plane.runs, defaults: standardTaskDefaults('x64'), baseImagesOf: async () => [] }),
    git: {
      checkout: () => Promise.reject(new Error('no repository')),
      describe: async () => undefined,
      listRefs: () => Promise.reject(new Error('no repository')),
      changes: () => Promise.reject(new Error('no repository')),
    },
    secrets: {
      sourceToken: async () => undefined,
      registryCredential: () => 'default',
      registry: () => Promise.reject(new Error('no registry')),
      updateEndpoint: async () => undefined,
    },
    settings: { gitPollSeconds: 300, imagePollSeconds: { least: 600, most: 3600 }, imageWindowSeconds: 30 },
    outside: (parts) => {
      own = parts;
      return outside(parts);
    },
    approveRun: (run, by, commit) => plane.runs.approve(run, by, commit),
    onProblem: (what, error) => void problems.push(`${what}: ${String(error)}`),
  });
  if (own === undefined) throw new Error('the parts were not given');
  const runsOf = async (task: string): Promise<readonly RunRecord[]> => {
    const list = await store.runs.list({ task, limit: 1000 });
    return Promise.all(list.toReversed().map(({ id }) => plane.get(id)));
  };
  return {
    ...{ plane, clock, parts: own, triggers, problems, runsOf },
    async define(name, trigger = {}, definition = {}) {
      const wanted = taskDefinition(name, { trigger: { ...NO_TRIGGERS, ...trigger }, ...definition });
      const known = await store.tasks.get(name);
      const written = known === undefined ? await store.tasks.create(wanted) : await store.tasks.replace(wanted, {});
      if (!written.ok) throw new Error(`the task was not written: ${written.because}`);
      await triggers.taskChanged(name);
      return written.value;
    },
    async end(run, status = 'Succeeded', parts = {}) {
      await store.runs.finish(run, undefined, outcome(status, parts));
      plane.queue.notify();
      await triggers.runEnded(await plane.get(run));
    },
    runs: (task, count) =>
      waitFor(async () => {
        const runs = await runsOf(task);
        return runs.length >= count ? runs : undefined;
      }),
    async pass(ms) {
      await clock.advance(ms);
      await waitFor(async () => {
        await clock.advance(0);
        return (await store.timers.due({ now: clock.now().toISOString(), limit: 1 })).length === 0 ? true : undefined;
      });
      await triggers.idle();
    },
    async stop() {
      await triggers.close();
      await plane.stop();
    },
  };
}

export function timer(schedule: string, parts: Partial<TimerTrigger> = {}): TimerTrigger {
  return { name: 't1', schedule, status: 'Enabled', onMissed: 'latest', mostMissed: 10, overlap: 'allow', jitter: 0, ...parts };
}
