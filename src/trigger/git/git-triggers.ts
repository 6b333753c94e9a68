import { isDeepStrictEqual } from 'node:util';
import type { TaskRecord } from '../../model/task-definition.ts';
import type { Happening, TriggerEvent } from '../../model/trigger-event.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';
import { allTasks } from '../all-tasks.ts';
import { skipped } from '../fired.ts';
import type { Evaluation, TriggerParts, TriggerSource } from '../parts.ts';
import { decidePullRequest } from './decide-pull-request.ts';
import { decideRef } from './decide-ref.ts';
import type { Deciding } from './deciding.ts';
import { Listings } from './listings.ts';
import { Poller } from './poller.ts';
import { shown } from './ref-names.ts';
import { TaskIndex } from './task-index.ts';

type RepositoryEvent = Omit<TriggerEvent, 'happening'> & { readonly happening: Extract<Happening, { readonly kind: 'repository' }> };

/** A look that is further off than this many intervals was put there under other settings. */
const TOO_FAR = 1.5;

/**
 * Starts runs for what is pushed to git repositories: told by webhooks, which are checked against the repository before they count, and found
 * by looking at it from time to time.
 */
export function createGitTriggers(parts: TriggerParts): TriggerSource {
  return new GitTriggers(parts);
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

  constructor(parts: TriggerParts) {
    this.#parts = parts;
    const closing = this.#closing.signal;
    const listings = new Listings(parts, this.#index, closing);
    this.#poller = new Poller(parts, { index: this.#index, listings, closing });
    const verifying = { watch: parts.store.gitWatch, listings, parts };
    const deciding: Deciding = { parts, index: this.#index, listings, verifying };
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
    for (const { key } of await this.#parts.store.gitWatch.list()) {
      await this.#bringForward(key, TOO_FAR * Math.max(this.#poller.intervalMs(key), 3_600_000));
    }
    this.#poller.start();
  }

  async taskChanged(name: string, record: TaskRecord | undefined): Promise<void> {
    const { before, now } = this.#index.set(name, record);
    if (isDeepStrictEqual(before, now)) return;
    for (const { key } of [...before, ...now]) this.#changed.add(key);
    await this.#tellStore();
    for (const key of new Set(now.map(({ key }) => key))) await this.#bringForward(key, TOO_FAR * this.#poller.intervalMs(key));
    this.#poller.wake();
  }

  async check(record: TaskRecord): Promise<void> {
    const { name } = record.definition;
    await this.taskChanged(name, record);
    const keys = new Set(this.#index.of(name).flatMap(({ key, enabled }) => (enabled ? [key] : [])));
    await Promise.all([...keys].map((key) => this.#poller.look(key)));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#poller.closed(), this.#telling]);
  }

  /** A look that was put off for longer than tasks want it now is done at once. */
  async #bringForward(key: string, farMs: number): Promise<void> {
    const { gitWatch } = this.#parts.store;
    const row = this.#poller.intervalMs(key) === 0 ? undefined : await gitWatch.get(key);
    if (row === undefined || row.failures > 0) return;
    if (Date.parse(row.nextCheck) > this.#parts.clock.now().getTime() + farMs) await gitWatch.hurry(key);
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

  async #lookSoon({ happening }: RepositoryEvent): Promise<Evaluation> {
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
