import { isDeepStrictEqual } from 'node:util';
import type { WatchedRepository } from '../../model/ports/git-watch-store.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import type { Happening, TriggerEvent } from '../../model/trigger-event.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';
import { allTasks } from '../all-tasks.ts';
import { skipped } from '../fired.ts';
import type { Evaluation, TriggerParts, TriggerSource } from '../parts.ts';
import { decidePullRequest } from './decide-pull-request.ts';
import { decideRef } from './decide-ref.ts';
import type { Deciding } from './deciding.ts';
import { decideFirstLook } from './first-look.ts';
import { Listings } from './listings.ts';
import { pacedRuns } from './paced-runs.ts';
import { Poller } from './poller.ts';
import { shown } from './ref-names.ts';
import { TaskIndex } from './task-index.ts';

type RepositoryEvent = Omit<TriggerEvent, 'happening'> & { readonly happening: Extract<Happening, { readonly kind: 'repository' }> };

/** Between two questions to one repository that events ask for, unless told otherwise. */
const SPACE_MS = 1000;
/** As many as share one transaction, which takes some milliseconds. */
const FIRINGS_AT_ONCE = 16;
/** A look that is further off than this many intervals was put there under other settings. */
const TOO_FAR = 1.5;

/**
 * Starts runs for what is pushed to git repositories: told by webhooks, which are checked against the repository before they count, and found
 * by looking at it from time to time.
 */
export function createGitTriggers(parts: TriggerParts, { spaceMs = SPACE_MS }: { readonly spaceMs?: number } = {}): TriggerSource {
  return new GitTriggers(parts, spaceMs);
}

class GitTriggers implements TriggerSource {
  readonly handlers: TriggerSource['handlers'];
  readonly #parts: TriggerParts;
  readonly #index = new TaskIndex();
  readonly #closing = new AbortController();
  readonly #poller: Poller;
  /** Keys that may be watched otherwise than before, until the store has been told. */
  readonly #changed = new Set<string>();
  #telling: Promise<void> = Promise.resolve();
  #tellingSoon: Promise<void> | undefined;

  constructor(parts: TriggerParts, spaceMs: number) {
    this.#parts = parts;
    const closing = this.#closing.signal;
    const listings = new Listings(parts, this.#index, { spaceMs, closing });
    this.#poller = new Poller(parts, { index: this.#index, listings, closing });
    const verifying = { watch: parts.store.gitWatch, listings, parts };
    const paced = { ...parts, runs: pacedRuns(parts.runs, FIRINGS_AT_ONCE) };
    const deciding: Deciding = { parts: paced, index: this.#index, listings, verifying };
    this.handlers = {
      push: (event, signal) => decideRef(event, deciding, signal),
      tag: (event, signal) => decideRef(event, deciding, signal),
      'pull-request': (event, signal) => decidePullRequest(event, deciding, signal),
      repository: (event) => this.#lookSoon(event),
    };
  }

  async start(): Promise<void> {
    for await (const page of allTasks(this.#parts.store.tasks)) for (const record of page) this.#index.set(record.definition.name, record);
    await this.#parts.store.gitWatch.sync(this.#index.watched());
    for (const row of await this.#parts.store.gitWatch.list()) {
      const intervalMs = this.#poller.intervalMs(row.key);
      if (intervalMs > 0) await this.#bringForward(row, TOO_FAR * Math.max(intervalMs, 3_600_000));
    }
    this.#poller.start();
  }

  async taskChanged(name: string, record: TaskRecord | undefined): Promise<void> {
    const { before, now } = this.#index.set(name, record);
    if (isDeepStrictEqual(before, now)) return;
    for (const { key } of [...before, ...now]) this.#changed.add(key);
    await this.#tellStore();
    // Of the others that follow a repository nothing has changed.
    for (const { key, enabled, pollInterval = this.#parts.settings.gitPollSeconds } of now) {
      const row = enabled && pollInterval > 0 ? await this.#parts.store.gitWatch.get(key) : undefined;
      if (row !== undefined) await this.#bringForward(row, TOO_FAR * pollInterval * 1000);
    }
    this.#poller.wake();
  }

  async check(record: TaskRecord): Promise<void> {
    const { name } = record.definition;
    await this.taskChanged(name, record);
    // What was told a moment ago, by whoever defined the task, is about to be stored.
    await this.#telling;
    const keys = new Set(this.#index.of(name).flatMap(({ key, enabled }) => (enabled ? [key] : [])));
    await Promise.all([...keys].map((key) => this.#poller.look(key)));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#poller.closed(), this.#telling]);
  }

  /** A look that was put off for longer than tasks want it now is done at once. */
  async #bringForward({ key, failures, nextCheck }: WatchedRepository, farMs: number): Promise<void> {
    if (failures > 0 || Date.parse(nextCheck) <= this.#parts.clock.now().getTime() + farMs) return;
    await this.#parts.store.gitWatch.hurry(key);
  }

  /** Several changes at the same time make one transaction. */
  #tellStore(): Promise<void> {
    this.#tellingSoon ??= this.#telling.then(() => this.#tellChanges());
    this.#telling = this.#tellingSoon.catch(() => undefined);
    return this.#tellingSoon;
  }

  async #tellChanges(): Promise<void> {
    this.#tellingSoon = undefined;
    const keys = new Set(this.#changed);
    this.#changed.clear();
    const watch = this.#index.watched(keys);
    const watched = new Set(watch.map(({ key }) => key));
    try {
      await this.#parts.store.gitWatch.change({ watch, unwatch: [...keys].filter((key) => !watched.has(key)) });
    } catch (error) {
      // Told with the next change.
      for (const key of keys) this.#changed.add(key);
      throw error;
    }
  }

  async #lookSoon(event: RepositoryEvent): Promise<Evaluation> {
    // What a look of this daemon has found is no reason for another.
    if (event.origin === 'poll') return { decisions: await decideFirstLook(event, { store: this.#parts.store, index: this.#index }) };
    const { happening } = event;
    const { url } = happening.repository;
    const repository = canonicalRepositoryUrl(url) ?? url;
    const tasks = this.#index.tasksOf(repository);
    if (tasks.length === 0) return { decisions: [skipped({}, 'no-trigger', `no task follows ${shown(repository)}`)] };
    const followed = tasks.flatMap((task) => this.#index.of(task)).filter((one) => one.repository === repository && one.enabled);
    for (const key of new Set(followed.map(({ key: one }) => one))) await this.#parts.store.gitWatch.hurry(key);
    this.#poller.wake();
    return { decisions: [] };
  }
}
