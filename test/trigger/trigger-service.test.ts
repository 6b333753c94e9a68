import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TriggerEvent } from '../../src/model/trigger-event.ts';
import { watchKey } from '../../src/trigger/git/followed.ts';
import type { TriggerSource } from '../../src/trigger/parts.ts';
import { canonicalRepositoryUrl } from '../../src/util/repository-url.ts';
import { runRequest } from '../contract/store-values.ts';
import { createFakeClock, type FakeClock } from '../fakes/fake-clock.ts';
import { ASKER, type Folder, makeFolder } from '../service/runs/control-plane.ts';
import { openRig, type TriggerRig, timer } from './trigger-rig.ts';

const COMMIT = 'c'.repeat(40);
const URL = 'https://git.example/acme/app.git';
const MINUTE = 60_000;

let folder: Folder;
let clock: FakeClock;
let rig: TriggerRig;
let head: string | undefined;
beforeEach(async () => {
  folder = await makeFolder();
  clock = createFakeClock();
  head = COMMIT;
  rig = await openRig(folder, {
    clock,
    outside: () => ({ sources: [], afterRun: async () => ({ decisions: [] }), headOf: async () => head }),
  });
  await rig.triggers.start();
});
afterEach(async () => {
  await rig.stop();
  await folder.remove();
});

async function forkedRun(commit: string, key = commit): Promise<string> {
  const task = (await rig.plane.store.tasks.get('app')) ?? (await rig.define('app'));
  const fired = await rig.parts.runs.fire({
    ...{ task, trust: 'untrusted', firing: { taskId: task.id, trigger: 'source', keys: [`pull/5 ${key}`], event: 'e1' } },
    source: { contextPath: `${URL}#${commit}`, pinnedCommit: commit, pinnedRef: 'refs/pull/5/head' },
    causes: [
      {
        ...{ kind: 'source', event: 'pullrequest', trigger: 'source', repositoryUrl: URL, branch: 'main' },
        ...{ commit, pullRequest: '5', provider: 'Github', eventId: 'e1' },
      },
    ],
    hold: { because: 'waits for an approval', approval: { commit } },
  });
  if (fired?.created !== true) throw new Error('no run');
  return fired.run.id;
}

describe('a change of a task', () => {
  const withStart = async (start: () => Promise<void>) => {
    const told: string[] = [];
    const source: TriggerSource = {
      ...{ handlers: {}, start, check: async () => undefined, close: async () => undefined },
      taskChanged: async (name) => void told.push(name),
    };
    const outside = { sources: [source], afterRun: async () => ({ decisions: [] }), headOf: async () => undefined };
    await rig.stop();
    rig = await openRig(folder, { clock, outside: () => outside });
    return told;
  };

  it('while triggers start is told when they have: what they read of it may be older', async () => {
    const started = Promise.withResolvers<void>();
    const told = await withStart(() => started.promise);
    await rig.define('before');
    expect(told).toEqual([]);
    const starting = rig.triggers.start();
    const defined = rig.define('meanwhile');
    await rig.plane.store.events.counts();
    expect(told).toEqual([]);
    started.resolve();
    await Promise.all([starting, defined]);
    expect(told).toEqual(['meanwhile']);
    await rig.define('after');
    expect(told).toEqual(['meanwhile', 'after']);
  });

  it('is read by the next start when one fails', async () => {
    let fails = true;
    const told = await withStart(async () => {
      if (fails) throw new Error('no store');
    });
    const failing = rig.triggers.start();
    const defined = rig.define('meanwhile');
    await expect(failing).rejects.toThrow('no store');
    await defined;
    fails = false;
    await rig.triggers.start();
    expect(told).toEqual([]);
    await rig.define('after');
    expect(told).toEqual(['after']);
  });
});

describe('approval', () => {
  it('lets a run of a forked pull request go on, and keeps whose word it was', async () => {
    const run = await forkedRun(COMMIT);
    expect(await rig.triggers.approve(run, ASKER, COMMIT.slice(0, 8))).toMatchObject({
      id: run,
      approval: { by: 'token ci', commit: COMMIT },
    });
    expect((await rig.plane.get(run)).hold).toBeUndefined();
    expect((await rig.triggers.explainRun(run)).approval).toEqual({ at: expect.any(String), by: 'token ci', commit: COMMIT });
    await expect(rig.triggers.approve(run, ASKER)).rejects.toMatchObject({ code: 'conflict', message: `run ${run} waits for no approval` });
  });

  it('is refused when the pull request is at another commit now, and says which run is of that', async () => {
    const run = await forkedRun(COMMIT);
    head = 'd'.repeat(40);
    await expect(rig.triggers.approve(run, ASKER)).rejects.toMatchObject({
      message: `run ${run} is of commit cccccccccccc, and the pull request is at dddddddddddd now`,
      help: 'A run of that commit is not there yet: look at it, and approve that one.',
    });
    const newer = await forkedRun(head);
    await expect(rig.triggers.approve(run, ASKER)).rejects.toMatchObject({
      help: expect.stringContaining(`Run ${newer} is of commit dddddddddddd`),
    });
    head = undefined;
    await expect(rig.triggers.approve(newer, ASKER)).rejects.toMatchObject({ message: expect.stringContaining('is gone') });
    expect((await rig.plane.get(run)).hold?.approval).toEqual({ commit: COMMIT });
  });

  it('is refused for another commit, for other runs, and for none', async () => {
    const run = await forkedRun(COMMIT);
    await expect(rig.triggers.approve(run, ASKER, 'abcdef01')).rejects.toMatchObject({ code: 'conflict' });
    const plain = await rig.plane.runs.create(runRequest({ task: 'app' }), ASKER);
    await expect(rig.triggers.approve(plain.id, ASKER)).rejects.toMatchObject({ code: 'conflict' });
    await expect(rig.triggers.approve('ra999', ASKER)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('events', () => {
  it('are listed, shown with their decisions, and replayed as new ones that fire nothing twice', async () => {
    await rig.define('app', { timerTriggers: [timer('*/10 * * * *')] });
    await rig.pass(10 * MINUTE);
    const [event] = await rig.triggers.events({ kind: 'timer', limit: 10 });
    const { id } = event as TriggerEvent;
    expect((await rig.triggers.event(id)).decisions).toMatchObject([
      { event: id, task: 'app', trigger: 't1', outcome: 'run', run: 'ra001' },
    ]);
    const first = await rig.triggers.replay(id);
    const second = await rig.triggers.replay(id);
    expect([first, second]).toMatchObject([
      { dedupKey: `replay:${id}:1`, origin: 'replay', replayOf: id },
      { dedupKey: `replay:${id}:2`, origin: 'replay', replayOf: id },
    ]);
    await rig.triggers.idle();
    expect((await rig.triggers.event(second.id)).decisions).toMatchObject([{ outcome: 'skipped', code: 'already-fired', run: 'ra001' }]);
    expect((await rig.runsOf('app')).length).toBe(1);
  });

  it('that are not there, pending, or a person’s wish are not replayed', async () => {
    await expect(rig.triggers.replay('e99')).rejects.toMatchObject({ code: 'not-found' });
    await expect(rig.triggers.event('nonsense')).rejects.toMatchObject({ code: 'not-found' });
    await rig.plane.create();
    const [manual] = await rig.triggers.events({ kind: 'manual', limit: 1 });
    expect(manual).toMatchObject({ status: 'settled' });
    await expect(rig.triggers.replay(manual?.id ?? '')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('task rerun'),
    });
  });
});

describe('explanations', () => {
  it('of a run: its causes with their events, what was compared, and what it waits for', async () => {
    const before = 'b'.repeat(40);
    const digest = `sha256:${'2'.repeat(64)}`;
    const image = { registry: 'docker.io', repository: 'library/node', tag: '20' };
    const repository = { forge: 'Github' as const, url: URL };
    await rig.plane.store.events.record([
      {
        ...{ dedupKey: '1', origin: 'webhook' },
        happening: { kind: 'push', repository, ref: 'refs/heads/main', before, after: COMMIT },
      },
      {
        ...{ dedupKey: '2', origin: 'poll' },
        happening: { kind: 'image-changed', image, indexDigest: digest, platforms: {}, previous: `sha256:${'1'.repeat(64)}`, run: 'ra001' },
      },
    ]);
    const run = await rig.plane.runs.create(
      runRequest({
        task: 'app',
        causes: [
          { kind: 'image-update', trigger: 'base', images: [{ ...image, digest }], eventId: 'e2', run: 'ra001', task: 'base' },
          {
            kind: 'source',
            event: 'commit',
            trigger: 'source',
            repositoryUrl: URL,
            branch: 'main',
            commit: COMMIT,
            provider: 'Github',
            eventId: 'e1',
          },
          { kind: 'rerun', principal: 'token ada', run: 'ra000' },
          { kind: 'timer', trigger: 'nightly', occurrence: '2030-01-02T03:00:00.000Z', late: true, eventId: 'e77' },
        ],
      }),
      ASKER,
    );
    await rig.plane.store.runs.hold(run.id, {
      because: 'waits for further base images',
      until: '2030-01-02T03:04:35.000Z',
      runs: ['ra001'],
    });
    const { chain, ...explained } = await rig.triggers.explainRun(run.id);
    expect(chain).toEqual([
      {
        ...{
          kind: 'image-update',
          trigger: 'base',
          event: 'e2',
          at: '2030-01-02T03:04:05.000Z',
          origin: 'poll',
          run: 'ra001',
          task: 'base',
        },
        summary: `docker.io/library/node:20 has a new digest: sha256:111111111111 → sha256:222222222222, pushed by run ra001 of task base`,
      },
      {
        ...{ kind: 'source', trigger: 'source', event: 'e1', at: '2030-01-02T03:04:05.000Z', origin: 'webhook' },
        summary: `branch main of ${URL} is at commit cccccccccccc (before: bbbbbbbbbbbb)`,
      },
      { kind: 'rerun', run: 'ra000', summary: 'token ada asked for run ra000 again' },
      { kind: 'timer', trigger: 'nightly', event: 'e77', summary: 'timer nightly was due at 2030-01-02T03:00:00.000Z, and fired late' },
    ]);
    expect(explained).toMatchObject({
      task: 'app',
      trigger: 'Image Update',
      held: 'waits for further base images (until 2030-01-02T03:04:35.000Z; for run ra001)',
    });
  });

  it('of a run for a pull request, and of one that several updates were added to', async () => {
    const { events } = rig.plane.store;
    const repository = { forge: 'Github' as const, url: URL };
    const digests = ['1', '2', '3', '4'].map((digit) => `sha256:${digit.repeat(64)}`);
    const [oldNode = '', node = '', oldBase = '', base = ''] = digests;
    const image = (name: string) => ({ registry: 'r.example', repository: name, tag: '1' });
    const changed = { kind: 'image-changed' as const, platforms: {} };
    await events.record([
      {
        ...{ dedupKey: '1', origin: 'webhook' },
        happening: {
          ...{ kind: 'pull-request', repository, number: '5', action: 'opened', fork: true },
          ...{ headSha: COMMIT, headBranch: 'main', baseBranch: 'release/1' },
        },
      },
      { dedupKey: '2', origin: 'poll', happening: { ...changed, image: image('node'), indexDigest: node, previous: oldNode } },
      { dedupKey: '3', origin: 'poll', happening: { ...changed, image: image('base'), indexDigest: base, previous: oldBase } },
    ]);
    const source = { kind: 'source' as const, event: 'pullrequest' as const, trigger: 'source', repositoryUrl: URL };
    const pull = { ...source, branch: 'pull/5', pullRequest: '5', commit: COMMIT, provider: 'Github' as const, eventId: 'e1' };
    const images = [
      { ...image('node'), digest: node },
      { ...image('base'), digest: base },
    ];
    const runs = [pull, { kind: 'image-update' as const, trigger: 'base', images, eventId: 'e3' }].map((cause) =>
      rig.plane.runs.create(runRequest({ task: 'app', causes: [cause] }), ASKER),
    );
    const [forked, updated] = await Promise.all(runs);
    const of = { task: 'app', trigger: 'base', run: updated?.id ?? '' };
    await events.settle([
      { id: 'e2', decisions: [{ ...of, outcome: 'run', code: 'fired', because: 'node' }] },
      { id: 'e3', decisions: [{ ...of, outcome: 'joined', code: 'joined', because: 'base' }] },
    ]);
    const summaries = await Promise.all(
      [forked, updated].map(async (run) => (await rig.triggers.explainRun(run?.id ?? '')).chain[0]?.summary),
    );
    expect(summaries).toEqual([
      `pull request 5 from a fork into release/1 of ${URL} is at commit cccccccccccc`,
      'r.example/node:1 has a new digest: sha256:111111111111 → sha256:222222222222; r.example/base:1 has a new digest: sha256:333333333333 → sha256:444444444444',
    ]);
  });

  it('follow a check, which waits for what it found to be decided on', async () => {
    await rig.define('app');
    const repository = { forge: 'Github' as const, url: URL };
    const happening = { kind: 'push' as const, repository, ref: 'refs/heads/main', before: COMMIT, after: COMMIT };
    await rig.plane.store.events.record([{ dedupKey: 'found', origin: 'poll', happening }]);
    await rig.triggers.check('app');
    expect(await rig.plane.store.events.get('e1')).toMatchObject({ status: 'settled' });
  });

  it('of a task and of a run: that the forge takes no commit status, until it does', async () => {
    const { statuses } = rig.plane.store;
    const sourceRepository = { sourceControlType: 'Github' as const, repositoryUrl: URL };
    const source = {
      ...{ name: 'source', status: 'Enabled' as const, sourceTriggerEvents: ['commit' as const], sourceRepository, branches: [], tags: [] },
      ...{ paths: { include: [], exclude: [] }, skipCi: false, latestOnly: false, forks: 'approve' as const, commitStatus: true },
    };
    await rig.define('app', { sourceTriggers: [source] });
    const run = await forkedRun(COMMIT);
    const status = { key: 'k', forge: 'Github' as const, repositoryUrl: URL, commit: COMMIT, context: 'slipway/app', trigger: 'source' };
    await statuses.put({ ...status, state: 'queued', description: '', targetUrl: '', task: 'app', run });
    const problems = async () => [
      (await rig.triggers.explainTask('app', 1)).triggers[0]?.problem,
      (await rig.triggers.explainRun(run)).problem,
    ];
    expect(await problems()).toEqual([undefined, undefined]);
    await statuses.failed('k', 1, { error: 'git.example refused the token' });
    const told = `the commit status slipway/app of run ${run} was not taken: git.example refused the token`;
    expect(await problems()).toEqual([told, told]);
    await statuses.delivered('k', 1);
    expect(await problems()).toEqual([undefined, undefined]);
  });

  it('of a task: the branch that its context names, or that is the default one', async () => {
    const { store } = rig.plane;
    const source = {
      ...{ name: 'source', status: 'Enabled' as const, sourceTriggerEvents: ['commit' as const] },
      ...{ sourceRepository: { sourceControlType: 'Github' as const, repositoryUrl: URL }, branches: [], tags: [] },
      ...{ paths: { include: [], exclude: [] }, skipCi: false, latestOnly: false, forks: 'approve' as const, commitStatus: true },
    };
    const { definition } = await rig.define('app', { sourceTriggers: [source] });
    const followed = async (contextPath: string): Promise<string | undefined> => {
      await rig.define('app', { sourceTriggers: [source] }, { step: { ...definition.step, contextPath } });
      return (await rig.triggers.explainTask('app', 1)).triggers[0]?.follows;
    };
    expect(await followed(`${URL}#dev:web`)).toBe(`commits on dev of ${URL}`);
    expect(await followed(URL)).toBe(`commits on the default branch of ${URL}`);
    const task = await rig.define('app', { sourceTriggers: [source] }, { step: { ...definition.step, contextPath: URL } });
    const key = watchKey(task, source, canonicalRepositoryUrl(URL) ?? URL);
    await store.gitWatch.sync([{ key, url: URL }]);
    await store.gitWatch.seen(key, { refs: new Map(), defaultBranch: 'trunk', nextCheck: '2030-01-02T03:09:00.000Z', events: [] });
    expect(await followed(URL)).toBe(`commits on the default branch (trunk) of ${URL}`);
  });

  it('of a task: the tags that it follows, and not those that others follow of the same images', async () => {
    const { imageWatch } = rig.plane.store;
    const tracks = [{ image: 'node', by: 'semver' as const, pattern: '~20' }];
    const base = { name: 'base', status: 'Enabled' as const, baseImageTriggerType: 'Runtime' as const };
    const common = { ...base, updateTriggerPayloadType: 'Default' as const, trackIndex: false };
    const image = { registry: 'docker.io', repository: 'library/node', tag: '20' };
    const target = { credential: 'default', poll: { least: 600, most: 3600 }, platforms: ['linux/amd64'] };
    for (const [name, followed] of [['tagged', []] as const, ['newest', tracks] as const]) {
      const { id } = await rig.define(name, { baseImageTrigger: { ...common, tracks: followed } });
      const row = { step: 'build', platform: 'linux/amd64', image, written: 'node:20', role: 'runtime' as const };
      await imageWatch.setStatic({ id, name, version: 1 }, { dependencies: [row], outputs: [] });
    }
    await imageWatch.sync([
      { ...target, key: 'i1', image, pattern: '' },
      { ...target, key: 'i2', image: { ...image, tag: '' }, pattern: 'semver:~20' },
    ]);
    await imageWatch.failed('i2', { status: 'missing', error: 'no tag satisfies semver:~20', nextCheck: '2030-01-02T03:09:00.000Z' });
    const [tagged] = (await rig.triggers.explainTask('tagged', 1)).triggers;
    expect(tagged).toMatchObject({ follows: 'Runtime: docker.io/library/node:20', watched: [{ what: 'docker.io/library/node:20' }] });
    expect(tagged?.problem).toBeUndefined();
    const what = 'docker.io/library/node semver:~20';
    const problem = `${what}: no tag satisfies semver:~20`;
    expect((await rig.triggers.explainTask('newest', 1)).triggers).toMatchObject([
      { follows: `Runtime: ${what}`, problem, watched: [{ what }] },
    ]);
    await rig.define('tagged', { baseImageTrigger: { ...common, tracks: [{ image: 'nodejs', by: 'semver', pattern: '~20' }] } });
    expect((await rig.triggers.explainTask('tagged', 1)).triggers).toMatchObject([
      { problem: '`nodejs` is tracked, and the task does not build on it' },
    ]);
  });

  it('of a task: how each trigger stands, what came of it, and what is not decided on', async () => {
    const { store } = rig.plane;
    const source = {
      ...{ name: 'source', status: 'Enabled' as const, sourceTriggerEvents: ['commit' as const, 'tag' as const, 'pullrequest' as const] },
      ...{ sourceRepository: { sourceControlType: 'Github' as const, repositoryUrl: URL }, branches: ['main', 'release/**'], tags: ['v*'] },
      ...{ paths: { include: [], exclude: [] }, skipCi: false, latestOnly: false, forks: 'approve' as const, commitStatus: true },
    };
    const task = await rig.define('app', {
      sourceTriggers: [source],
      timerTriggers: [
        timer('*/10 * * * *'),
        timer('0 0 30 2 *', { name: 'never' }),
        timer('0 3 * * *', { name: 'off', status: 'Disabled' }),
      ],
      baseImageTrigger: {
        ...{
          name: 'base',
          status: 'Enabled',
          baseImageTriggerType: 'Runtime',
          updateTriggerPayloadType: 'Default',
          trackIndex: false,
          tracks: [],
        },
      },
      afterTriggers: [{ name: 'after', status: 'Enabled', task: 'gone', on: 'pushed' }],
    });
    const key = watchKey(task, source, canonicalRepositoryUrl(URL) ?? URL);
    // Others look at the same repository and image with credentials of their own: what becomes of that is not said here.
    await store.gitWatch.sync([
      { key: 'k0', url: URL },
      { key, url: URL },
    ]);
    await store.gitWatch.failed('k0', { error: 'there is no secret "theirs"', nextCheck: '2030-01-02T03:08:00.000Z' });
    await store.gitWatch.failed(key, { error: 'the server refused the token', nextCheck: '2030-01-02T03:09:00.000Z' });
    const image = { registry: 'docker.io', repository: 'library/node', tag: '20' };
    const dependencies = [{ step: 'build', platform: 'linux/amd64', image, written: 'node:20', role: 'runtime' as const }];
    await store.imageWatch.setStatic({ id: task.id, name: 'app', version: 1 }, { dependencies, outputs: [] });
    const target = { image, pattern: '', poll: { least: 600, most: 3600 }, platforms: ['linux/amd64'] };
    await store.imageWatch.sync([
      { ...target, key: 'i0', credential: 'theirs' },
      { ...target, key: 'i1', credential: 'default' },
    ]);
    const refused = { status: 'unreachable' as const, error: 'there is no secret "theirs"', nextCheck: '2030-01-02T03:08:00.000Z' };
    await store.imageWatch.failed('i0', refused);
    await rig.pass(10 * MINUTE);
    await rig.plane.store.events.record([
      {
        dedupKey: 'x',
        origin: 'webhook',
        happening: {
          kind: 'push',
          repository: { forge: 'Github', url: 'git@git.example:acme/app' },
          ref: 'refs/heads/main',
          before: COMMIT,
          after: COMMIT,
        },
      },
      {
        dedupKey: 'y',
        origin: 'webhook',
        happening: {
          kind: 'push',
          repository: { forge: 'Github', url: 'https://git.example/other' },
          ref: 'refs/heads/main',
          before: COMMIT,
          after: COMMIT,
        },
      },
    ]);
    const { triggers, decisions, undecided, status } = await rig.triggers.explainTask('app', 20);
    expect(status).toBe('Enabled');
    expect(triggers).toMatchObject([
      {
        ...{ name: 'source', kind: 'source', next: '2030-01-02T03:09:00.000Z', problem: `${URL}: the server refused the token` },
        follows: `commits on main, release/**; tags v*; pull requests into main, release/** of ${URL}`,
        watched: [{ what: URL, nextCheck: '2030-01-02T03:09:00.000Z', problem: 'the server refused the token' }],
      },
      {
        ...{
          name: 't1',
          kind: 'timer',
          follows: '*/10 * * * * (UTC)',
          next: '2030-01-02T03:20:00.000Z',
          last: { outcome: 'run', run: 'ra001' },
        },
        occurrences: ['03:20', '03:30', '03:40', '03:50', '04:00'].map((time) => `2030-01-02T${time}:00.000Z`),
      },
      { name: 'never', problem: 'the schedule never comes: there is no such day', occurrences: [] },
      { name: 'off', status: 'Disabled' },
      { name: 'base', kind: 'base-image', follows: 'Runtime: docker.io/library/node:20', watched: [{ what: 'docker.io/library/node:20' }] },
      { name: 'after', kind: 'after', follows: 'runs of task gone that pushed an image', problem: 'there is no task gone' },
    ]);
    expect(decisions).toMatchObject([{ trigger: 't1', outcome: 'run' }]);
    expect(undecided).toMatchObject([{ kind: 'push', status: 'pending' }]);
    expect(undecided).toHaveLength(1);
    await rig.define('app', { sourceTriggers: [{ ...source, status: 'Disabled' }] });
    const [off] = (await rig.triggers.explainTask('app', 1)).triggers;
    expect(off).toMatchObject({ status: 'Disabled', watched: [{ what: URL }] });
    expect(off?.next).toBeUndefined();
    await expect(rig.triggers.explainTask('nobody', 20)).rejects.toMatchObject({ code: 'not-found' });
  });
});
