import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createForges } from '../../../src/forge/api/forges.ts';
import type { Store } from '../../../src/model/ports/store.ts';
import type { Cause, RunRecord, RunRequest } from '../../../src/model/run-record.ts';
import type { SourceTrigger } from '../../../src/model/trigger-definition.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-store.ts';
import { createStatusOutbox, type StatusOutbox, type StatusOutboxParts } from '../../../src/trigger/status/status-outbox.ts';
import { createHttpClient } from '../../../src/util/http.ts';
import { runRequest } from '../../contract/store-values.ts';
import { createFakeClock, type FakeClock } from '../../fakes/fake-clock.ts';
import { type ForgeState, forgeState, giteaApi } from '../../fakes/forge-apis.ts';
import { type FakeForge, startForge } from '../../fakes/forges.ts';
import { makeFolder } from '../../store/sqlite-parts.ts';

const TOKEN = 'token-of-the-trigger';
export const commitOf = (number: number): string => number.toString(16).padStart(40, '0');

export interface OutboxRig extends AsyncDisposable {
  readonly store: Store;
  readonly clock: FakeClock;
  readonly fake: FakeForge;
  readonly state: ForgeState;
  readonly problems: string[];
  /** Another process on the same store, in effect. */
  open(changes?: Partial<StatusOutboxParts>): StatusOutbox;
  trigger(changes?: Partial<SourceTrigger>): SourceTrigger;
  /** A stored run of the task `shop` for the commit. */
  run(commit: number, changes?: Partial<RunRequest>): Promise<RunRecord>;
  cause(commit: number, changes?: object): Cause;
  started(run: RunRecord): Promise<RunRecord>;
  ended(run: RunRecord, status: 'Succeeded' | 'Failed'): Promise<RunRecord>;
  /** States in the order in which the forge took them. */
  told(): readonly unknown[];
}

/** A real store, a Gitea that keeps to its documentation, and time that the test moves. */
export async function outboxRig(): Promise<OutboxRig> {
  const folder = await makeFolder();
  const clock = createFakeClock();
  const store = await openSqliteStore({ path: join(folder, 'slipway.db'), clock });
  const state = forgeState(
    TOKEN,
    Array.from({ length: 100 }, (_, number) => commitOf(number)),
  );
  const fake = await startForge(giteaApi(state));
  const http = createHttpClient({ addresses: { allowPrivate: true, allowLoopback: true } });
  const problems: string[] = [];
  const outboxes: StatusOutbox[] = [];
  const repositoryUrl = `${fake.url}/acme/shop.git`;

  const trigger: OutboxRig['trigger'] = (changes = {}) => ({
    name: 'commits',
    status: 'Enabled',
    sourceTriggerEvents: ['commit'],
    sourceRepository: { sourceControlType: 'Gitea', repositoryUrl },
    branches: [],
    tags: [],
    paths: { include: [], exclude: [] },
    skipCi: false,
    latestOnly: false,
    forks: 'approve',
    commitStatus: true,
    ...changes,
  });
  const cause: OutboxRig['cause'] = (commit, changes = {}) => ({
    kind: 'source',
    event: 'commit',
    trigger: 'commits',
    repositoryUrl,
    branch: 'main',
    commit: commitOf(commit),
    provider: 'Gitea',
    ...changes,
  });
  const present = async (id: string): Promise<RunRecord> => {
    const run = await store.runs.get(id);
    if (run === undefined) throw new Error(`no run ${id}`);
    return run;
  };
  return {
    store,
    clock,
    fake,
    state,
    problems,
    trigger,
    cause,
    open: (changes) => {
      const outbox = createStatusOutbox({
        statuses: store.statuses,
        runs: store.runs,
        forge: createForges({ http }),
        triggerOf: (_task, name) => Promise.resolve(name === 'commits' ? trigger() : undefined),
        tokenOf: () => Promise.resolve(TOKEN),
        clock,
        publicUrl: 'https://slipway.example.com/',
        onProblem: (what, error) => problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`),
        random: () => 0.5,
        ...changes,
      });
      outboxes.push(outbox);
      return outbox;
    },
    run: (commit, changes = {}) => store.runs.create({ request: runRequest({ task: 'shop', causes: [cause(commit)], ...changes }) }),
    started: async (run) => {
      await store.runs.claim(run.id, { agent: 'a', from: run.attempt });
      return present(run.id);
    },
    ended: async (run, status) => {
      const { steps, images, built, baseImages, dependencies, attempt } = run;
      const error = status === 'Failed' ? { error: { message: 'the password is hunter2' } } : {};
      await store.runs.finish(run.id, attempt, { status, steps, images, built, baseImages, dependencies, ...error });
      return present(run.id);
    },
    told: () => state.statuses.map(({ body }) => body['state']),
    [Symbol.asyncDispose]: async () => {
      for (const outbox of outboxes) await outbox.close();
      http.close();
      await fake[Symbol.asyncDispose]();
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}
