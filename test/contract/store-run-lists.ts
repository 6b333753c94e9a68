import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunQuery, Store } from '../../src/model/ports/store.ts';
import type { RunStatus } from '../../src/model/run-event.ts';
import type { RunRecord, RunSummary, RunType } from '../../src/model/run-record.ts';
import type { StoreUnderTest } from './store.ts';
import { outcome, runRequest } from './store-values.ts';

const TASKS = ['', 'app', 'web', 'web-2'];
const BRANCHES = ['', 'main', 'feature/x'];
const COMMITS = ['', 'abcdef0123', 'ABCDEF9999', 'abce000000', '0123456789'];
const RUN_TYPES: readonly RunType[] = ['QuickBuild', 'QuickRun', 'AutoBuild', 'AutoRun'];
const STATUSES: readonly RunStatus[] = ['Queued', 'Started', 'Running', 'Succeeded', 'Failed', 'Canceled', 'Error', 'Timeout'];
const DIGESTS = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];
const IMAGES = ['registry.example/app:1', 'registry.example/app:2', 'localhost:5000/team/app:1', 'node', 'docker.io/team/app:1'];
/** By what it means, so that the model need not parse: query → names it matches (index into IMAGES) and, if any, the digest. */
const IMAGE_QUERIES: readonly { readonly image: string; readonly names: readonly string[]; readonly digest?: string }[] = [
  { image: 'app', names: ['registry.example/app:1', 'registry.example/app:2'] },
  { image: 'app:2', names: ['registry.example/app:2'] },
  { image: 'registry.example/app', names: ['registry.example/app:1', 'registry.example/app:2'] },
  { image: `app@${DIGESTS[1]}`, names: ['registry.example/app:1', 'registry.example/app:2'], digest: DIGESTS[1] ?? '' },
  { image: 'team/app', names: ['localhost:5000/team/app:1', 'docker.io/team/app:1'] },
  { image: 'localhost:5000/team/app:1', names: ['localhost:5000/team/app:1'] },
  { image: 'node', names: ['node'] },
  { image: 'docker.io/node:latest', names: ['node'] },
  { image: 'library/node', names: ['node'] },
  { image: 'nobody', names: [] },
  { image: 'NOT a reference', names: [] },
];

interface Seed {
  readonly task: string;
  readonly runType: RunType;
  readonly asked: { readonly branch: string; readonly commit: string };
  readonly found: { readonly branch: string; readonly commit: string } | undefined;
  readonly status: RunStatus;
  readonly archived: boolean;
  readonly images: readonly { readonly reference: string; readonly digest: string }[];
  readonly afterMs: number;
}

const revision = fc.record({ branch: fc.constantFrom(...BRANCHES), commit: fc.constantFrom(...COMMITS) });
const seed: fc.Arbitrary<Seed> = fc.record({
  task: fc.constantFrom(...TASKS),
  runType: fc.constantFrom(...RUN_TYPES),
  asked: revision,
  found: fc.option(revision, { nil: undefined }),
  status: fc.constantFrom(...STATUSES),
  archived: fc.boolean(),
  images: fc.array(fc.record({ reference: fc.constantFrom(...IMAGES), digest: fc.constantFrom(...DIGESTS) }), { maxLength: 3 }),
  afterMs: fc.integer({ min: 0, max: 2000 }),
});

/** Seldom, so that few filters meet and most lists hold something. */
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const time = fc.integer({ min: -1, max: 40 }).map((seconds) => new Date(Date.UTC(2030, 0, 2, 3, 4, 5 + seconds)).toISOString());
const filters = fc.record({
  task: maybe(fc.constantFrom('app', 'web', 'nobody', '')),
  status: maybe(fc.uniqueArray(fc.constantFrom(...STATUSES), { maxLength: 4 })),
  image: maybe(fc.constantFrom(...IMAGE_QUERIES)),
  branch: maybe(fc.constantFrom('main', 'feature/x', 'nobody')),
  commit: maybe(fc.constantFrom('abcd', 'ABCDEF', 'abcdef0123', '0123', 'ffff')),
  runType: maybe(fc.constantFrom(...RUN_TYPES)),
  archived: maybe(fc.boolean()),
  since: maybe(time),
  until: maybe(time),
  visible: maybe(fc.uniqueArray(fc.constantFrom(...TASKS))),
  limit: fc.integer({ min: 1, max: 9 }),
});
type Filters = typeof filters extends fc.Arbitrary<infer Value> ? Value : never;

export function describeRunLists(use: () => StoreUnderTest): void {
  describe('lists of runs', () => {
    it('hold what each filter and every mix of filters says, newest first, page after page', async () => {
      const { store, clock } = use();
      const seeds = fc.sample(seed, { numRuns: 60, seed: 7 });
      for (const each of seeds) {
        await clock.advance(each.afterMs);
        await plant(store, each);
      }
      const all = await wholeRuns(store);
      expect(all.map(({ status, archived }) => ({ status, archived }))).toEqual(
        seeds.map(({ status, archived }) => ({ status, archived })),
      );
      let filled = 0;
      await fc.assert(
        fc.asyncProperty(filters, async (wanted) => {
          const expected = all.filter((run) => matches(run, wanted)).map(summaryOf);
          if (expected.length > 0 && expected.length < all.length) filled += 1;
          expect(await pages(store, wanted)).toEqual(expected.reverse());
        }),
        { numRuns: 400 },
      );
      expect(filled).toBeGreaterThan(100);
    });

    it('a time may be written in any way of ISO 8601', async () => {
      const { runs } = use().store;
      await runs.create({ request: runRequest() });
      expect(await runs.list({ since: '2030-01-02T03:04:05Z', limit: 9 })).toHaveLength(1);
      expect(await runs.list({ since: '2030-01-02T05:04:05+02:00', limit: 9 })).toHaveLength(1);
      expect(await runs.list({ until: '2030-01-02T03:04:05Z', limit: 9 })).toEqual([]);
    });

    it('asks about each task once, however many runs it has, and about none when the task is named', async () => {
      const { runs } = use().store;
      for (let count = 0; count < 30; count += 1) await runs.create({ request: runRequest({ task: `task-${count % 20}` }) });
      const asked: string[] = [];
      const visibleTasks = (task: string): boolean => {
        asked.push(task);
        return task !== 'task-3';
      };
      expect(await runs.list({ visibleTasks, limit: 99 })).toHaveLength(28);
      expect(asked.sort()).toEqual([...new Set(asked)].sort());
      expect(asked).toHaveLength(20);
      expect(await runs.list({ visibleTasks, task: 'task-3', limit: 99 })).toEqual([]);
      expect(await runs.list({ visibleTasks, task: 'task-4', limit: 99 })).toHaveLength(2);
    });
  });
}

/** Leads a new run to where the seed says. */
async function plant({ runs }: Store, each: Seed): Promise<void> {
  const { branch, commit } = each.asked;
  // Half of the commits are pinned, which is as good as a variable.
  const pinned = commit !== '' && each.afterMs % 2 === 0 ? { pinnedCommit: commit } : {};
  const variables = {
    ...(branch === '' ? {} : { Branch: branch }),
    ...(commit === '' || 'pinnedCommit' in pinned ? {} : { Commit: commit }),
  };
  const { id } = await runs.create({
    request: runRequest({ ...(each.task === '' ? {} : { task: each.task }), runType: each.runType, variables, ...pinned }),
  });
  const images = each.images.map((image) => ({ step: 'push', ...image }));
  if (each.status !== 'Queued') {
    await runs.claim(id, { agent: 'one', from: 0 });
    const parts = { ...(each.found === undefined ? {} : { source: each.found }), images };
    const started = each.status === 'Started' ? {} : { status: 'Running' as const };
    await runs.append(id, 1, [], { steps: [], ...started, ...parts });
    if (each.status !== 'Started' && each.status !== 'Running') await runs.finish(id, 1, outcome(each.status, { images }));
  }
  if (each.archived) await runs.setArchived(id, true);
}

async function wholeRuns({ runs }: Store): Promise<readonly RunRecord[]> {
  const all: RunRecord[] = [];
  const newest = await runs.last();
  for (let number = 1; number <= (newest?.number ?? 0); number += 1) {
    const run = await runs.get(`ra${number.toString(36).padStart(3, '0')}`);
    if (run !== undefined) all.push(run);
  }
  return all;
}

async function pages({ runs }: Store, { visible, image, ...rest }: Filters): Promise<readonly RunSummary[]> {
  const given = Object.entries({ ...rest, image: image?.image }).filter(([, value]) => value !== undefined);
  const query: RunQuery = { limit: rest.limit, ...Object.fromEntries(given) };
  const scoped = visible === undefined ? query : { ...query, visibleTasks: (task: string) => visible.includes(task) };
  const found: RunSummary[] = [];
  for (;;) {
    const last = found.at(-1);
    const page = await runs.list(last === undefined ? scoped : { ...scoped, before: last.number });
    found.push(...page);
    if (page.length < rest.limit) return found;
  }
}

/** What each filter means, in the plainest words. */
function matches(run: RunRecord, wanted: Filters): boolean {
  const task = run.request.task ?? '';
  const { branch, commit } = revisionOf(run);
  const pushed = (image: NonNullable<Filters['image']>): boolean =>
    run.images.some(({ reference, digest }) => image.names.includes(reference) && (image.digest ?? digest) === digest);
  return [
    wanted.task === undefined || task === wanted.task,
    wanted.status === undefined || wanted.status.includes(run.status),
    wanted.image === undefined || pushed(wanted.image),
    wanted.branch === undefined || branch === wanted.branch,
    wanted.commit === undefined || commit.startsWith(wanted.commit.toLowerCase()),
    wanted.runType === undefined || run.request.runType === wanted.runType,
    wanted.archived === undefined || run.archived === wanted.archived,
    wanted.since === undefined || run.createTime >= wanted.since,
    wanted.until === undefined || run.createTime < wanted.until,
    wanted.visible === undefined || wanted.visible.includes(task),
  ].every(Boolean);
}

function revisionOf({ source, request }: RunRecord): { readonly branch: string; readonly commit: string } {
  const commit = source?.commit ?? request.variables.Commit ?? request.pinnedCommit ?? '';
  return { branch: source?.branch ?? request.variables.Branch ?? '', commit: commit.toLowerCase() };
}

function summaryOf(run: RunRecord): RunSummary {
  const { request, crashes, steps, built, baseImages, dependencies, lastEvent, agent, cancel, source, ...common } = run;
  const { task, runType, platform, agentPoolName, trust, causes, priority } = request;
  const { branch, commit } = revisionOf(run);
  return {
    ...{ ...common, runType, platform, agentPoolName, trust, causes, priority },
    ...(task === undefined ? {} : { task }),
    ...(branch === '' ? {} : { branch }),
    ...(commit === '' ? {} : { commit }),
  };
}
