import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../src/model/run-record.ts';
import { createFakeClock, type FakeClock } from '../../fakes/fake-clock.ts';
import { type Folder, makeFolder } from '../../service/runs/control-plane.ts';
import { openRig, type TriggerRig, timer } from '../trigger-rig.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let folder: Folder;
let clock: FakeClock;
let rig: TriggerRig;
beforeEach(async () => {
  folder = await makeFolder();
  // 2030-01-02T03:04:05Z, a Wednesday.
  clock = createFakeClock();
  rig = await openRig(folder, { clock });
});
afterEach(async () => {
  await rig.stop();
  await folder.remove();
});

async function reopen(): Promise<void> {
  await rig.stop();
  rig = await openRig(folder, { clock });
}

function occurrences(runs: readonly RunRecord[]): readonly string[] {
  return runs.map(({ request: { causes } }) => {
    const [cause] = causes;
    return cause?.kind === 'timer' ? `${cause.occurrence.slice(11, 16)}${cause.late === true ? ' late' : ''}` : 'none';
  });
}

async function decisions(task: string): Promise<readonly string[]> {
  const list = await rig.plane.store.events.decisions({ task, limit: 100 });
  return list.map(({ outcome, code }) => (outcome === 'run' ? outcome : code)).reverse();
}

describe('timers', () => {
  it('fire at their occurrences, each once, with their cause', async () => {
    await rig.define('nightly', { timerTriggers: [timer('*/10 * * * *'), timer('15 * * * *', { name: 'hourly' })] });
    await rig.triggers.start();
    await rig.pass(16 * MINUTE);
    const runs = await rig.runsOf('nightly');
    expect(occurrences(runs)).toEqual(['03:10', '03:15', '03:20']);
    expect(runs[1]?.request).toMatchObject({
      task: 'nightly',
      runType: 'AutoRun',
      trust: 'trusted',
      variables: { TriggeredBy: 'Timer' },
      causes: [{ kind: 'timer', trigger: 'hourly', occurrence: '2030-01-02T03:15:00.000Z', eventId: 'e2' }],
    });
    const [event] = await rig.triggers.events({ limit: 1 });
    expect(event).toMatchObject({ origin: 'timer', status: 'settled', receivedAt: '2030-01-02T03:20:00.000Z' });
    expect(event?.dedupKey).toMatch(/^timer:.+:t1:2030-01-02T03:20:00.000Z$/);
    expect(rig.problems).toEqual([]);
  });

  it('changed ones begin anew, others keep their place; taken away or disabled they do not fire', async () => {
    await rig.triggers.start();
    await rig.define('app', { timerTriggers: [timer('10 * * * *'), timer('20 * * * *', { name: 't2' })] });
    await rig.define('app', { timerTriggers: [timer('12 * * * *'), timer('20 * * * *', { name: 't2', overlap: 'skip' })] });
    await rig.pass(20 * MINUTE);
    expect(occurrences(await rig.runsOf('app'))).toEqual(['03:12', '03:20']);
    await rig.define('app', { timerTriggers: [timer('12 * * * *', { status: 'Disabled' })] });
    await rig.pass(2 * HOUR);
    await rig.define('app', { timerTriggers: [timer('12 * * * *')] }, { status: 'Disabled' });
    await rig.pass(2 * HOUR);
    expect((await rig.runsOf('app')).length).toBe(2);
    await rig.define('app', { timerTriggers: [timer('12 * * * *')] });
    await rig.pass(HOUR);
    expect(occurrences(await rig.runsOf('app'))).toEqual(['03:12', '03:20', '08:12']);
    await rig.plane.store.tasks.delete('app', {});
    await rig.triggers.taskChanged('app');
    await rig.pass(3 * HOUR);
    expect(await rig.plane.store.timers.earliest()).toBeUndefined();
  });

  it('a task that is deleted without a word, and one made anew, have none of its runs', async () => {
    await rig.triggers.start();
    const before = await rig.define('app', { timerTriggers: [timer('10 * * * *')] });
    await rig.plane.store.tasks.delete('app', {});
    await rig.plane.store.events.record([
      {
        dedupKey: 'timer:x',
        origin: 'timer',
        happening: { kind: 'timer', task: 'app', taskId: before.id, trigger: 't1', occurrence: '2030-01-02T03:10:00.000Z', late: false },
      },
    ]);
    await rig.define('app');
    await rig.pass(10 * MINUTE);
    expect(await rig.runsOf('app')).toEqual([]);
    expect(await decisions('app')).toContain('task-gone');
  });

  it('with jitter fire a while later, always the same', async () => {
    const late = timer('0 * * * *', { jitter: 1800 });
    await rig.define('a', { timerTriggers: [late] });
    await rig.define('b', { timerTriggers: [late] });
    await rig.triggers.start();
    await rig.pass(HOUR - 5000 - 4 * MINUTE - 1);
    expect((await rig.runsOf('a')).length).toBe(0);
    const due = await Promise.all(['a', 'b'].map(async (name) => (await rig.triggers.explainTask(name, 1)).triggers[0]?.next ?? ''));
    expect(due[0]).not.toBe(due[1]);
    for (const at of due) expect(at >= '2030-01-02T04:00:00' && at < '2030-01-02T04:30:00').toBe(true);
    await rig.pass(Date.parse([...due].sort()[0] ?? '') - clock.now().getTime());
    expect((await rig.plane.get('ra001')).createTime).toBe([...due].sort()[0]);
    await rig.pass(30 * MINUTE);
    expect(occurrences([...(await rig.runsOf('a')), ...(await rig.runsOf('b'))])).toEqual(['04:00', '04:00']);
  });

  it('with jitter longer than their interval fire for every occurrence, none late', async () => {
    await rig.define('a', { timerTriggers: [timer('* * * * *', { jitter: 300 })] });
    await rig.triggers.start();
    for (let minute = 0; minute < 30; minute += 1) await rig.pass(MINUTE);
    const times = occurrences(await rig.runsOf('a'));
    expect(times.length).toBeGreaterThan(20);
    expect(times.filter((time) => time.endsWith('late'))).toEqual([]);
    expect(new Set(times).size).toBe(times.length);
  });
});

describe('what was missed while nothing ran', () => {
  const missed = { latest: ['06:00 late'], all: ['05:00 late', '06:00 late'], skip: [] };

  it.each(['latest', 'all', 'skip'] as const)('onMissed: %s', async (onMissed) => {
    await rig.define('app', { timerTriggers: [timer('0 * * * *', { onMissed, mostMissed: 2 })] });
    await rig.triggers.start();
    await rig.stop();
    await clock.advance(3 * HOUR + 30 * MINUTE);
    rig = await openRig(folder, { clock });
    await rig.triggers.start();
    await rig.pass(0);
    expect(occurrences(await rig.runsOf('app'))).toEqual(missed[onMissed]);
    expect(await decisions('app')).toEqual(onMissed === 'skip' ? ['missed'] : missed[onMissed].map(() => 'run'));
    await rig.pass(30 * MINUTE);
    expect(occurrences(await rig.runsOf('app'))).toEqual([...missed[onMissed], '07:00']);
  });

  it('is missed however soon the daemon comes back', async () => {
    await rig.define('app', { timerTriggers: [timer('10 * * * *', { onMissed: 'skip' }), timer('10 * * * *', { name: 't2' })] });
    await rig.triggers.start();
    await rig.stop();
    await clock.advance(6 * MINUTE + 25_000);
    rig = await openRig(folder, { clock });
    await rig.triggers.start();
    await rig.pass(0);
    expect(occurrences(await rig.runsOf('app'))).toEqual(['03:10 late']);
    expect(await decisions('app')).toEqual(expect.arrayContaining(['missed', 'run']));
  });

  it('is not missed by a daemon that is there and comes to it late', async () => {
    await rig.stop();
    let stuckMs = 0;
    const stuck: FakeClock = {
      ...clock,
      now: () => new Date(clock.now().getTime() + stuckMs),
      monotonicMs: () => clock.monotonicMs() + stuckMs,
    };
    rig = await openRig(folder, { clock: stuck });
    await rig.define('app', { timerTriggers: [timer('10 * * * *', { onMissed: 'skip' })] });
    await rig.triggers.start();
    await rig.pass(MINUTE);
    stuckMs = 10 * MINUTE;
    await rig.pass(31_000);
    expect(occurrences(await rig.runsOf('app'))).toEqual(['03:10']);
  });

  it('a clock that jumps forward is like downtime, one that jumps back repeats nothing', async () => {
    let offset = 0;
    const jumping: FakeClock = { ...clock, now: () => new Date(clock.now().getTime() + offset) };
    await rig.stop();
    rig = await openRig(folder, { clock: jumping });
    await rig.define('app', { timerTriggers: [timer('0 * * * *')] });
    await rig.triggers.start();
    await rig.pass(HOUR);
    expect(occurrences(await rig.runsOf('app'))).toEqual(['04:00']);
    offset = 5 * HOUR;
    await rig.pass(31_000);
    expect(occurrences(await rig.runsOf('app'))).toEqual(['04:00', '09:00 late']);
    offset = -2 * HOUR;
    for (let minute = 0; minute < 6 * 60; minute += 30) await rig.pass(30 * MINUTE);
    expect(occurrences(await rig.runsOf('app'))).toEqual(['04:00', '09:00 late']);
    for (let minute = 0; minute < 2 * 60; minute += 30) await rig.pass(30 * MINUTE);
    expect(occurrences(await rig.runsOf('app'))).toEqual(['04:00', '09:00 late', '10:00']);
  });
});

describe('while a run of the timer has not ended', () => {
  it('allow: another beside it', async () => {
    await rig.define('app', { timerTriggers: [timer('*/10 * * * *')] });
    await rig.triggers.start();
    await rig.pass(20 * MINUTE);
    expect((await rig.runsOf('app')).map(({ status }) => status)).toEqual(['Queued', 'Queued']);
  });

  it('skip: none, and why', async () => {
    await rig.define('app', { timerTriggers: [timer('*/10 * * * *', { overlap: 'skip' })] });
    await rig.triggers.start();
    await rig.pass(20 * MINUTE);
    expect(await decisions('app')).toEqual(['run', 'overlap']);
    await rig.end('ra001');
    await rig.pass(10 * MINUTE);
    expect(await decisions('app')).toEqual(['run', 'overlap', 'run']);
    const [latest] = (await rig.triggers.explainTask('app', 10)).decisions.filter(({ outcome }) => outcome === 'skipped');
    expect(latest).toMatchObject({ trigger: 't1', code: 'overlap', run: 'ra001', because: expect.stringContaining('has not ended') });
  });

  it('queue: one after it, let go when it has ended', async () => {
    await rig.define('app', { timerTriggers: [timer('*/10 * * * *', { overlap: 'queue' })] });
    await rig.triggers.start();
    await rig.pass(10 * MINUTE);
    await rig.plane.store.runs.claim('ra001', { agent: 'agent1', from: 0 });
    await rig.pass(20 * MINUTE);
    expect(await decisions('app')).toEqual(['run', 'run', 'overlap']);
    expect((await rig.plane.get('ra002')).hold).toMatchObject({ runs: ['ra001'] });
    await rig.end('ra001', 'Failed');
    await rig.triggers.idle();
    await rig.pass(0);
    expect((await rig.plane.get('ra002')).hold).toBeUndefined();
  });

  it('cancelPrevious: one in its place', async () => {
    await rig.define('app', { timerTriggers: [timer('*/10 * * * *', { overlap: 'cancelPrevious' })] });
    await rig.triggers.start();
    await rig.pass(20 * MINUTE);
    expect((await rig.runsOf('app')).map(({ status }) => status)).toEqual(['Canceled', 'Queued']);
    expect((await rig.plane.get('ra001')).cancel?.reason).toBe('timer t1 has started run ra002 in its place (overlap: cancelPrevious)');
  });

  it('a decision that was not kept is made again, and cancels no more than before', async () => {
    const task = await rig.define('app', { timerTriggers: [timer('*/10 * * * *', { overlap: 'cancelPrevious' })] });
    await rig.triggers.start();
    await rig.pass(10 * MINUTE);
    const [event] = await rig.triggers.events({ limit: 1 });
    if (event === undefined) throw new Error('no event');
    await rig.pass(10 * MINUTE);
    await rig.triggers.replay(event.id);
    await rig.triggers.idle();
    expect(await decisions('app')).toEqual(['run', 'run', 'already-fired']);
    expect((await rig.runsOf('app')).map(({ status }) => status)).toEqual(['Canceled', 'Queued']);
    expect(task.version).toBe(1);
  });
});

describe('a process that ends', () => {
  it('between recording and deciding, or between firing and settling, loses and doubles nothing', async () => {
    const task = await rig.define('app', { timerTriggers: [timer('10 * * * *'), timer('20 * * * *', { name: 't2' })] });
    await rig.triggers.start();
    await rig.stop();
    await clock.advance(6 * MINUTE);
    // As a process that ended right after firing would leave it: the first is recorded, and has its run but no decision.
    rig = await openRig(folder, { clock });
    const occurrence = '2030-01-02T03:10:00.000Z';
    const happening = { kind: 'timer' as const, task: 'app', taskId: task.id, trigger: 't1', occurrence, late: false };
    const { store } = rig.plane;
    const events = [{ dedupKey: `timer:${task.id}:t1:${occurrence}`, origin: 'timer' as const, happening }];
    await store.timers.fire([{ taskId: task.id, name: 't1', from: occurrence, next: '2030-01-02T04:10:00.000Z', events }]);
    await store.events.begin(['e1']);
    await rig.parts.runs.fire({
      ...{ task, trust: 'trusted', firing: { taskId: task.id, trigger: 't1', keys: [occurrence], event: 'e1' } },
      causes: [{ kind: 'timer', trigger: 't1', occurrence, eventId: 'e1' }],
    });
    await reopen();
    await rig.triggers.start();
    await rig.pass(20 * MINUTE);
    expect(occurrences(await rig.runsOf('app'))).toEqual(['03:10', '03:20']);
    expect(await decisions('app')).toEqual(['run', 'run']);
    expect(await rig.plane.store.events.counts()).toEqual({ pending: 0, settled: 2, failed: 0 });
  });
});
