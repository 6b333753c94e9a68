import type { RunRecord } from '../../model/run-record.ts';
import type { DependencyGraph } from './dependency-graph.ts';
import { canJoin, imageCauseOf } from './update-runs.ts';

/** The runs that have not ended, as far as rebuilding is concerned. Kept up with what is made of them while one event is decided on. */
export class LiveUpdates {
  readonly #graph: DependencyGraph;
  readonly #byTask = new Map<string, Map<string, RunRecord>>();

  constructor(live: readonly RunRecord[], graph: DependencyGraph) {
    this.#graph = graph;
    for (const run of live) this.add(run);
  }

  /** A run that was made or changed. */
  add(run: RunRecord): void {
    const { task } = run.request;
    if (task === undefined) return;
    const runs = this.#byTask.get(task) ?? new Map<string, RunRecord>();
    runs.set(run.id, run);
    this.#byTask.set(task, runs);
  }

  /** Runs of a task that an agent holds. */
  active(task: string): readonly RunRecord[] {
    return this.#of(task).filter(({ status }) => status === 'Started' || status === 'Running');
  }

  /** A run of a task that further updates can be added to. */
  queued(task: string, trigger: string): RunRecord | undefined {
    return this.#of(task).findLast((run) => canJoin(run, trigger));
  }

  /** Runs of a task that wait, and were made for something else than base images. */
  queuedOtherwise(task: string): readonly RunRecord[] {
    return this.#of(task).filter((run) => run.status === 'Queued' && run.cancel === undefined && imageCauseOf(run) === undefined);
  }

  /** Rebuilds of tasks that a task has to wait for. */
  producersOf(taskId: string): readonly string[] {
    const runs: string[] = [];
    for (const other of this.#graph.upstream(taskId)) {
      if (this.#graph.isAfter(taskId, other)) runs.push(...this.#rebuilds(other).map(({ id }) => id));
    }
    return runs;
  }

  /** Queued rebuilds that nobody has begun, of tasks that have to wait for a task. */
  waitingFor(taskId: string): readonly RunRecord[] {
    const found: RunRecord[] = [];
    // Of most tasks nobody builds on the output, and many are rebuilt at once.
    if (!this.#graph.isFollowed(taskId)) return found;
    for (const [name, runs] of this.#byTask) {
      const own = this.#graph.idOf(name);
      if (own === undefined || !this.#graph.isAfter(own, taskId)) continue;
      for (const run of runs.values()) {
        const trigger = imageCauseOf(run)?.trigger;
        if (trigger !== undefined && canJoin(run, trigger)) found.push(run);
      }
    }
    return found;
  }

  #of(task: string): readonly RunRecord[] {
    return [...(this.#byTask.get(task)?.values() ?? [])];
  }

  #rebuilds(taskId: string): readonly RunRecord[] {
    const name = this.#graph.task(taskId)?.name;
    return name === undefined ? [] : this.#of(name).filter((run) => imageCauseOf(run) !== undefined);
  }
}
