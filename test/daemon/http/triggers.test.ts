import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DependencyGraph } from '../../../src/api/dependency-schema.ts';
import type { TaskExplanation } from '../../../src/api/explain-schema.ts';
import type { TimerResource } from '../../../src/api/timer-schema.ts';
import { runRequest } from '../../contract/store-values.ts';
import { startRegistry } from '../../support/registry-server.ts';
import { waitFor } from '../../support/wait-for.ts';
import { imagePusher } from '../../trigger/image/support.ts';
import { type RawAnswer, send } from './client.ts';
import { ADMIN, type DaemonFixture, startDaemon, TASK_FILE } from './daemon-fixture.ts';

let daemon: DaemonFixture & AsyncDisposable;
let limited: string;
beforeEach(async () => {
  daemon = await startDaemon();
  limited = await daemon.token({ name: 'limited', role: 'editor', tasks: ['web*'] });
});
afterEach(() => daemon[Symbol.asyncDispose]());

const call = (method: string, path: string, body?: unknown, token?: string): Promise<RawAnswer> =>
  send(daemon.socket, {
    ...{ method, path: `/api/v1${path}` },
    ...(body === undefined ? {} : { body }),
    ...(token === undefined ? {} : { token }),
  });

test('a run by hand of a task that tracks tags is ordered with a tag that came a moment ago', async () => {
  await using registry = await startRegistry();
  const push = imagePusher(registry.host);
  const image = { registry: registry.host, repository: 'team/base', tag: '1.0' };
  const written = `${registry.host}/team/base:1.0`;
  await push.single('team/base', '1.0.1', 'one');
  await daemon.triggers.start();
  await daemon.defineTask('web');
  const tracks = [{ image: `${registry.host}/team/base`, by: 'semver', pattern: '~1.0' }];
  expect((await call('PATCH', '/tasks/web', { trigger: { baseImageTrigger: { tracks } } })).status).toBe(200);
  const { imageWatch } = daemon.store;
  const { id, version } = await daemon.services.tasks.get(ADMIN, 'web');
  await waitFor(async () => ((await imageWatch.analysis(id))?.version === version ? true : undefined));
  const dependency = { step: 'build', platform: '', image, written, role: 'runtime' } as const;
  await imageWatch.setStatic({ id, name: 'web', version }, { dependencies: [dependency], outputs: [], steps: ['build'] });
  await daemon.triggers.service.taskChanged('web');
  await waitFor(async () => ((await imageWatch.targets({})).some(({ newestTag }) => newestTag === '1.0.1') ? true : undefined));
  const order = async (): Promise<unknown> => {
    const answer = await call('POST', '/runs', { type: 'TaskRunRequest', task: 'web' });
    expect(answer.status).toBe(201);
    return (await daemon.store.runs.last('web'))?.request.baseImages;
  };
  expect(await order()).toEqual([{ reference: written, use: `${written}.1` }]);
  await push.single('team/base', '1.0.2', 'two');
  expect(await order()).toEqual([{ reference: written, use: `${written}.2` }]);
});

describe('timers', () => {
  test('are added, changed, shown with their next five occurrences, and removed', async () => {
    await daemon.defineTask('web');
    const added = await call('PUT', '/tasks/web/timers/nightly', { schedule: '0 3 * * *', jitter: 60 });
    const shown = added.json() as unknown as TimerResource;
    expect([added.status, shown]).toMatchObject([
      201,
      { name: 'nightly', status: 'Enabled', onMissed: 'latest', overlap: 'allow', jitter: 60 },
    ]);
    expect(shown.next.length).toBe(5);
    expect(shown.next.every((time) => time.endsWith('T03:00:00.000Z'))).toBe(true);
    const changed = await call('PUT', '/tasks/web/timers/nightly', { schedule: '0 4 * * *', overlap: 'skip' });
    expect([changed.status, changed.json()]).toMatchObject([200, { jitter: 60, overlap: 'skip', schedule: '0 4 * * *' }]);
    const wrong = await call('PUT', '/tasks/web/timers/bad', { schedule: '61 * * * *' });
    expect([wrong.status, JSON.stringify(wrong.json())]).toEqual([422, expect.stringContaining('trigger.timerTriggers[1].schedule')]);
    const stale = await send(daemon.socket, {
      ...{ method: 'PUT', path: '/api/v1/tasks/web/timers/x', body: { schedule: '* * * * *' }, headers: { 'if-match': '"1"' } },
    });
    expect(stale.json()).toMatchObject({ code: 'version-conflict' });
    expect((await call('GET', '/tasks/web/timers')).json()).toMatchObject({ items: [{ name: 'nightly' }] });
    expect((await call('DELETE', '/tasks/web/timers/nightly')).status).toBe(204);
    expect((await call('DELETE', '/tasks/web/timers/nightly')).status).toBe(404);
    expect((await call('GET', '/tasks/web')).json()).toMatchObject({ trigger: { timerTriggers: [] } });
  });

  test('fire: the store knows them as soon as their task is changed', async () => {
    await daemon.triggers.start();
    await daemon.defineTask('web');
    await call('PUT', '/tasks/web/timers/often', { schedule: '* * * * *' });
    const { id } = await daemon.services.tasks.get(ADMIN, 'web');
    const rows = await waitFor(async () => {
      const found = await daemon.store.timers.ofTask(id);
      return found.length > 0 ? found : undefined;
    }, 5000);
    expect(rows).toMatchObject([{ name: 'often', task: 'web' }]);
    await call('DELETE', '/tasks/web');
    await waitFor(async () => ((await daemon.store.timers.ofTask(id)).length === 0 ? true : undefined), 5000);
  });
});

describe('events', () => {
  async function told(task: string, key: string): Promise<string> {
    const happening = { kind: 'run-ended', run: 'ra001', task, status: 'Succeeded' } as const;
    const [recorded] = await daemon.store.events.record([{ dedupKey: key, origin: 'run', happening }]);
    const id = recorded?.id ?? '';
    const decision = { task, trigger: 'after', outcome: 'skipped', code: 'status-not-followed', because: 'it failed' } as const;
    await daemon.store.events.settle([{ id, decisions: [decision] }]);
    return id;
  }

  test('are listed and shown to whom their tasks are, and replayed by whoever may change what waits', async () => {
    const own = await told('web', 'one');
    const other = await told('shop', 'two');
    const ids = async (query: string, token?: string): Promise<unknown> =>
      ((await call('GET', `/trigger-events${query}`, undefined, token)).json()['items'] as { eventId: string }[]).map(
        ({ eventId }) => eventId,
      );
    expect(await ids('')).toEqual([other, own]);
    expect(await ids('?task=web&kind=run-ended&status=settled')).toEqual([own]);
    expect(await ids('', limited)).toEqual([own]);
    expect(await ids('?task=shop', limited)).toEqual([]);
    const more = await told('web-2', 'three');
    expect(await ids('', limited)).toEqual([more, own]);
    expect(await ids('?top=1', limited)).toEqual([more]);
    const firstPage = (await call('GET', '/trigger-events?top=1', undefined, limited)).json();
    expect(await ids(`?top=1&after=${String(firstPage['next'])}`, limited)).toEqual([own]);
    const page = (await call('GET', '/trigger-events?top=2')).json();
    expect(await ids(`?top=1&after=${String(page['next'])}`)).toEqual([own]);
    expect((await call('GET', `/trigger-events/${other}`, undefined, limited)).status).toBe(404);
    expect((await call('GET', `/trigger-events/${own}`, undefined, limited)).json()).toMatchObject({
      ...{ eventId: own, status: 'settled', happening: { kind: 'run-ended', task: 'web' } },
      decisions: [{ eventId: own, task: 'web', code: 'status-not-followed', because: 'it failed' }],
    });
    expect((await call('POST', `/trigger-events/${own}/replay`, undefined, limited)).status).toBe(403);
    const replay = await call('POST', `/trigger-events/${own}/replay`);
    expect([replay.status, replay.json()]).toMatchObject([202, { replayOf: own }]);
    const again = (await call('GET', `/trigger-events/${String(replay.json()['eventId'])}`)).json();
    expect(again).toMatchObject({ origin: 'replay', status: 'pending', replayOf: own });
    expect((await daemon.store.audit.list({ limit: 1, action: 'event.replay' }))[0]).toMatchObject({ target: own });
  });

  test('of runs by hand explain the run and the task', async () => {
    await daemon.defineTask('web');
    const run = (await call('POST', '/runs', { type: 'TaskRunRequest', task: 'web' })).json();
    const why = (await call('GET', `/runs/${String(run['runId'])}/explain`)).json();
    expect(why).toMatchObject({
      ...{
        runId: run['runId'],
        task: 'web',
        trigger: 'Manual',
        chain: [{ kind: 'manual' }],
        waiting: 'no agent of pool "default" is connected',
      },
      decisions: [{ outcome: 'run', runId: run['runId'] }],
    });
    await call('PUT', '/tasks/web/timers/nightly', { schedule: '0 3 * * *' });
    const task = (await call('GET', '/tasks/web/explain')).json() as unknown as TaskExplanation;
    expect(task.triggers.find(({ name }) => name === 'nightly')).toMatchObject({ kind: 'timer', status: 'Enabled', watched: [] });
    expect(task.decisions).toMatchObject([{ runId: run['runId'], code: 'fired' }]);
  });
});

test('a run that waits for an approval is shown so, and goes on with it', async () => {
  await daemon.defineTask('web');
  const commit = 'c'.repeat(40);
  const hold = { because: 'waits for an approval', approval: { commit } };
  const { id } = await daemon.store.runs.create({ request: runRequest({ task: 'web', trust: 'untrusted', pinnedCommit: commit }), hold });
  const waiting = {
    reason: 'approval',
    because: `waits for an approval, which \`task approve ${id}\` gives`,
    queuedMs: expect.any(Number),
  };
  const shown = (await call('GET', `/runs/${id}`)).json();
  expect(shown).toMatchObject({ hold });
  expect(shown['waiting']).toEqual(waiting);
  expect((await call('GET', '/queue')).json()).toMatchObject({ waiting: [{ runId: id, ...waiting }] });
  expect((await call('GET', `/runs/${id}/explain`)).json()).toMatchObject({
    held: `waits for an approval (\`task approve ${id}\` lets commit ${commit} run)`,
  });
  const runner = await daemon.token({ name: 'runner', role: 'runner' });
  expect((await call('POST', `/runs/${id}/approve`, undefined, runner)).status).toBe(403);
  expect((await call('POST', `/runs/${id}/approve`, { commit: 'd'.repeat(40) })).json()).toMatchObject({ code: 'conflict' });
  const approved = await call('POST', `/runs/${id}/approve`, { commit: commit.slice(0, 12) }, limited);
  expect([approved.status, approved.json()]).toMatchObject([200, { status: 'Queued', approval: { commit, by: 'token limited' } }]);
  expect(approved.json()).not.toHaveProperty('hold');
  expect((await daemon.claim()).run).toBe(id);
});

describe('dependencies', () => {
  const image = (repository: string) => ({ registry: 'registry.test', repository, tag: '1' });

  /** A task that builds on one image and pushes another. */
  async function builds(name: string, base: string, output: string, trigger: object = { baseImageTrigger: {} }): Promise<void> {
    await daemon.services.tasks.create(ADMIN, { name, step: { encodedTaskContent: TASK_FILE }, trigger });
    const { id } = await daemon.services.tasks.get(ADMIN, name);
    const dependency = {
      step: 'build',
      platform: 'linux/amd64',
      image: image(base),
      written: `registry.test/${base}:1`,
      role: 'runtime',
    } as const;
    const found = { dependencies: [dependency], outputs: [image(output)] };
    await daemon.store.imageWatch.setStatic({ id, name, version: 1 }, found);
  }

  const ask = async (query: string, token?: string): Promise<DependencyGraph> =>
    (await call('GET', `/deps${query}`, undefined, token)).json() as unknown as DependencyGraph;

  test('are shown as a graph, and who would rebuild in which order', async () => {
    await builds('web-leaf', 'middle', 'leaf');
    await builds('middle', 'base', 'middle');
    await builds('off', 'base', 'off', {});
    await builds('apart', 'other', 'apart');
    const all = await ask('?whatIf=registry.test/base:1');
    expect(all.dependencies.map(({ task, followed }) => [task, followed]).sort()).toEqual([
      ['apart', true],
      ['middle', true],
      ['off', false],
      ['web-leaf', true],
    ]);
    expect(all.whatIf?.rebuilds).toEqual([
      { task: 'middle', after: [], because: 'it builds on registry.test/base:1' },
      { task: 'web-leaf', after: ['middle'], because: 'it builds on what is rebuilt before it' },
      { task: 'off', after: [], because: 'it builds on registry.test/base:1', refused: 'the task has no base image trigger' },
    ]);
    const tasksOf = (graph: DependencyGraph): readonly string[] => graph.outputs.map(({ task }) => task).sort();
    expect(tasksOf(await ask('?task=middle'))).toEqual(['middle', 'web-leaf']);
    expect(tasksOf(await ask('?image=registry.test/middle'))).toEqual(['middle', 'web-leaf']);
    expect(tasksOf(await ask('', limited))).toEqual(['web-leaf']);
    expect((await ask('?whatIf=registry.test/base:1', limited)).whatIf?.rebuilds).toMatchObject([{ task: 'web-leaf', after: [] }]);
    expect((await call('GET', '/deps?image=UPPER%20CASE')).status).toBe(422);
  });

  test('say with which credential their registry is asked, by name', async () => {
    await builds('plain', 'base', 'plain');
    const shared = [{ loginServer: 'registry.test', userName: 'ci', password: { secret: 'REGISTRY' } }];
    const own = [{ loginServer: 'registry.test', userName: 'ci', password: { plain: 'a-password' } }];
    for (const [name, credentials] of [
      ['one', shared],
      ['two', shared],
      ['alone', own],
    ] as const) {
      await builds(name, 'base', name);
      await daemon.services.tasks.patch(ADMIN, name, { credentials });
    }
    const { dependencies } = await ask('');
    const of = (name: string) => dependencies.find(({ task }) => task === name);
    expect(of('plain')).toMatchObject({ credential: 'default' });
    expect(of('plain')).not.toHaveProperty('loginServer');
    expect(of('one')).toMatchObject({ credential: of('two')?.credential, loginServer: 'registry.test' });
    expect(new Set(['plain', 'one', 'alone'].map((name) => of(name)?.credential)).size).toBe(3);
    expect(JSON.stringify(dependencies)).not.toMatch(/a-password|REGISTRY|"sealed"/);
  });

  test('that lead back to their task are named', async () => {
    await builds('one', 'b', 'a');
    await builds('two', 'a', 'b');
    await builds('apart', 'other', 'apart');
    const { cycles, whatIf } = await ask('?whatIf=registry.test/a:1');
    expect(cycles.map((cycle) => [...cycle].sort())).toEqual([['one', 'two']]);
    // An update from outside is built once by each; what the last of them pushes starts nothing.
    expect(whatIf?.rebuilds).toMatchObject([
      {
        task: 'two',
        because: expect.stringMatching(/^it builds on registry\.test\/a:1; once, though .* (one → two → one|two → one → two)$/),
      },
      { task: 'one', because: expect.stringContaining('; once, though') },
    ]);
    expect(whatIf?.rebuilds.filter(({ refused }) => refused !== undefined)).toEqual([]);
    expect((await ask('?task=one')).cycles).toEqual(cycles);
    expect((await ask('?task=apart')).cycles).toEqual([]);
  });
});

test('what ends is told to the triggers, whoever ended it', async () => {
  await daemon.triggers.start();
  const run = await daemon.queueRun();
  daemon.triggers.runChanged({ ...run, status: 'Canceled' });
  const events = await waitFor(async () => {
    const found = await daemon.store.events.list({ kind: 'run-ended', limit: 10 });
    return found.length > 0 ? found : undefined;
  }, 5000);
  expect(events).toMatchObject([{ dedupKey: `run-ended:${run.id}`, origin: 'run' }]);
});
