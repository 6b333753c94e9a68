import type { PrunableGitSource } from '../../git/git-source.ts';
import type { Clock } from '../../model/ports/clock.ts';
import type { RunStore, TaskStore } from '../../model/ports/store.ts';
import type { TaskDefinition } from '../../model/task-definition.ts';
import { triggersOf } from '../../model/trigger-definition.ts';
import { allTasks } from '../../trigger/all-tasks.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';

export interface PruneParts {
  readonly git: Pick<PrunableGitSource, 'pruneHistory'>;
  /** Where the histories are. */
  readonly directory: string;
  readonly store: { readonly tasks: Pick<TaskStore, 'list'>; readonly runs: Pick<RunStore, 'live'> };
  readonly clock: Clock;
  /** Whether deliveries come in just now. */
  isBusy(): boolean;
  onProblem(what: string, error: unknown): void;
}

const EVERY_MS = 600_000;
/** Most histories that one pass removes: each may be of 1 GiB. */
const MOST_AT_ONCE = 10;

/**
 * Removes, every ten minutes, what is kept of repositories that no task and no run that has not ended names any more. Puts it off while
 * deliveries come in. Never rejects; ends when `signal` aborts.
 */
export async function pruneGitCache(parts: PruneParts, signal: AbortSignal): Promise<void> {
  const { git, directory, clock, isBusy, onProblem } = parts;
  for (;;) {
    await clock.sleep(EVERY_MS, signal);
    if (signal.aborted) return;
    if (isBusy()) continue;
    try {
      await git.pruneHistory(directory, { limit: MOST_AT_ONCE, signal, findNeeded: () => findNeeded(parts) });
    } catch (error) {
      if (!signal.aborted) onProblem('what is kept of repositories that nobody names could not be removed', error);
    }
  }
}

async function findNeeded({ store }: PruneParts): Promise<(remote: string) => boolean> {
  const needed = new Set<string>();
  // Tasks first: what a run names that is made of a task meanwhile was named by the task.
  for await (const page of allTasks(store.tasks)) {
    for (const { definition } of page) for (const url of urlsOf(definition)) needed.add(keyOf(url));
  }
  for (const { request } of await store.runs.live()) {
    for (const url of [request.step.contextPath, request.taskFileContext]) if (url !== undefined) needed.add(keyOf(url));
  }
  return (remote) => needed.has(keyOf(remote));
}

function urlsOf(definition: TaskDefinition): readonly string[] {
  const followed = triggersOf(definition).sourceTriggers.map(({ sourceRepository }) => sourceRepository.repositoryUrl);
  const { contextPath } = definition.step;
  return contextPath === undefined ? followed : [...followed, contextPath];
}

/** Spellings of one repository are one; what is no URL of a repository is only itself. */
function keyOf(url: string): string {
  const repository = url.replace(/#.*$/s, '');
  return canonicalRepositoryUrl(repository) ?? repository;
}
