import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/model/engine-error.ts';
import { settled } from '../fakes/fake-clock.ts';
import { createFakeEngine } from '../fakes/fake-engine.ts';
import { build, cmd, push } from './plans.ts';
import { startRun } from './rig.ts';

describe('order and parallelism', () => {
  test('a chain runs one after the other and the run succeeds', async () => {
    const rig = startRun([cmd('a'), cmd('b', { needs: ['a'] }), cmd('c', { needs: ['b'] })]);
    const result = await rig.result;
    expect(result.status).toBe('Succeeded');
    expect(rig.engine.peak).toBe(1);
    expect(rig.ends()).toEqual(['a succeeded', 'b succeeded', 'c succeeded']);
    expect(rig.engine.calls.at(-1)).toBe('destroy');
  });

  test('steps without needs run at the same time', async () => {
    const rig = startRun([cmd('a'), cmd('b'), cmd('c')], { engine: { manual: true } });
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((id) => rig.engine.nextStart(id)));
    expect(rig.engine.peak).toBe(3);
    for (const container of [c, a, b]) container?.exit(0);
    expect((await rig.result).status).toBe('Succeeded');
  });

  test('a join starts once, after the last of its needs', async () => {
    const rig = startRun([cmd('a'), cmd('b'), cmd('join', { needs: ['a', 'b'] })], { engine: { manual: true } });
    const a = await rig.engine.nextStart('a');
    const b = await rig.engine.nextStart('b');
    a.exit(0);
    await rig.until({ type: 'step-finished', step: 'a' });
    await settled();
    expect(rig.engine.calls.filter((call) => call.startsWith('run join'))).toEqual([]);
    b.exit(0);
    (await rig.engine.nextStart('join')).exit(0);
    await rig.result;
    expect(rig.engine.calls.filter((call) => call === 'run join#1')).toHaveLength(1);
  });

  test('many joins of steps that end at the same instant start exactly once each', async () => {
    const roots = Array.from({ length: 50 }, (_, index) => cmd(`r${index}`));
    const joins = Array.from({ length: 50 }, (_, index) => cmd(`j${index}`, { needs: roots.map((root) => root.id) }));
    const rig = startRun([...roots, ...joins]);
    expect((await rig.result).status).toBe('Succeeded');
    expect(rig.engine.calls.filter((call) => call.startsWith('run '))).toHaveLength(100);
  });

  test('parallel bounds all steps and the heaviest path goes first', async () => {
    const steps = [cmd('light1'), cmd('light2'), cmd('heavy'), cmd('after', { needs: ['heavy'] }), cmd('end', { needs: ['after'] })];
    const rig = startRun(steps, { engine: { manual: true }, options: { parallel: 1 } });
    for (const id of ['heavy', 'after', 'light1', 'light2', 'end']) (await rig.engine.nextStart(id)).exit(0);
    await rig.result;
    expect(rig.engine.peak).toBe(1);
    expect(rig.engine.calls.filter((call) => call.startsWith('start'))).toEqual(
      ['heavy', 'after', 'light1', 'light2', 'end'].map((id) => `start ${id}#1`),
    );
  });

  test('builds are bounded by the cores of the engine, commands are not', async () => {
    const rig = startRun([build('b1'), build('b2'), build('b3'), cmd('c1'), cmd('c2'), cmd('c3')], { engine: { manual: true } });
    for (const id of ['b1', 'b2', 'b3']) rig.engine.scripts.build.set(id, 'hold');
    await Promise.all(['c1', 'c2', 'c3'].map((id) => rig.engine.nextStart(id)));
    await settled();
    expect(rig.engine.calls.filter((call) => call.startsWith('build'))).toEqual(['build b1#1', 'build b2#1']);
    rig.cancel.abort();
    await rig.result;
    expect(rig.ends()).toContain('b3 skipped (the run was canceled)');
  });

  test('2,000 steps in a chain and 500 side by side with a join', async () => {
    const chain = Array.from({ length: 2_000 }, (_, index) => cmd(`c${index}`, { needs: index === 0 ? [] : [`c${index - 1}`] }));
    const fan = Array.from({ length: 500 }, (_, index) => cmd(`f${index}`));
    const rig = startRun([...chain, ...fan, cmd('join', { needs: fan.map((step) => step.id) })]);
    expect((await rig.result).status).toBe('Succeeded');
    expect(rig.ends()).toHaveLength(2_501);
  });

  test('an empty plan succeeds', async () => {
    const rig = startRun([]);
    expect(await rig.result).toMatchObject({ status: 'Succeeded', images: [], dependencies: [], criticalPathMs: 0 });
    expect(rig.engine.destroyed).toBe(1);
  });
});

describe('failure', () => {
  test('fails fast: running siblings are canceled at once, the rest is skipped', async () => {
    const rig = startRun([cmd('bad'), cmd('slow'), cmd('later', { needs: ['slow'] }), cmd('after', { needs: ['bad'] })], {
      engine: { manual: true },
    });
    const slow = await rig.engine.nextStart('slow');
    (await rig.engine.nextStart('bad')).exit(4);
    await slow.terminated;
    const result = await rig.result;
    expect(result).toMatchObject({ status: 'Failed', failure: { step: 'bad', message: 'the command exited with code 4' } });
    expect(rig.ends()).toEqual([
      'bad failed (the command exited with code 4)',
      'later skipped (bad failed)',
      'after skipped (bad failed)',
      'slow canceled (bad failed)',
    ]);
    expect(rig.engine.destroyed).toBe(1);
  });

  test('the first failure by time is told, a sibling that fails at the same time is canceled', async () => {
    const rig = startRun([cmd('a'), cmd('b')], { engine: { manual: true } });
    const a = await rig.engine.nextStart('a');
    const b = await rig.engine.nextStart('b');
    b.exit(2);
    a.exit(1);
    expect(await rig.result).toMatchObject({ status: 'Failed', failure: { step: 'b' } });
    expect(rig.ends()).toEqual(['b failed (the command exited with code 2)', 'a canceled (b failed)']);
  });

  test('keep going lets independent branches finish', async () => {
    const steps = [
      cmd('bad', { env: ['FAKE_EXIT_CODE=1'] }),
      cmd('after', { needs: ['bad'] }),
      cmd('other'),
      cmd('end', { needs: ['other'] }),
    ];
    const rig = startRun(steps, { options: { keepGoing: true } });
    expect(await rig.result).toMatchObject({ status: 'Failed', failure: { step: 'bad' } });
    expect(rig.ends().toSorted()).toEqual([
      'after skipped (bad failed)',
      'bad failed (the command exited with code 1)',
      'end succeeded',
      'other succeeded',
    ]);
  });

  test('ignoreErrors makes any failure a success', async () => {
    const rig = startRun([
      cmd('code', { env: ['FAKE_EXIT_CODE=3'], ignoreErrors: true }),
      cmd('engine', { env: ['FAKE_ENGINE_ERROR=broke'], ignoreErrors: true, needs: ['code'] }),
      cmd('end', { needs: ['engine'] }),
    ]);
    expect((await rig.result).status).toBe('Succeeded');
    const finished = rig.events.filter((event) => event.type === 'step-finished');
    expect(finished[0]).toMatchObject({
      step: 'code',
      status: 'succeeded',
      ignored: true,
      exitCode: 3,
      because: 'the command exited with code 3',
    });
    expect(finished[1]).toMatchObject({ step: 'engine', status: 'succeeded', ignored: true, because: 'broke' });
  });

  test('a broken engine is an error, not a failure', async () => {
    const rig = startRun([cmd('a', { env: ['FAKE_ENGINE_ERROR=connection lost'] })]);
    expect(await rig.result).toMatchObject({
      status: 'Error',
      failure: { step: 'a', message: 'connection lost', errorCode: 'engine-failed' },
    });
    expect(rig.ends()).toEqual(['a errored (connection lost)']);
    expect(rig.engine.destroyed).toBe(1);
  });

  test('a command that cannot start and one killed for memory say so', async () => {
    const rig = startRun([cmd('a', { env: ['FAKE_START_FAIL=exec: "nope": not found'] }), cmd('b', { env: ['FAKE_OOM=1'] })], {
      options: { keepGoing: true },
    });
    await rig.result;
    expect(rig.ends()).toEqual([
      'a failed (the container could not start: exec: "nope": not found)',
      'b failed (the command ran out of memory and was killed (exit code 137))',
    ]);
  });

  test('exitedWith only counts under --extended', async () => {
    const steps = [
      cmd('test', { env: ['FAKE_EXIT_CODE=1'] }),
      cmd('report', { needs: ['test'], edgeCondition: { exitedWith: [1], exitedWithout: [] } }),
      cmd('publish', { needs: ['test'] }),
    ];
    expect((await startRun(steps).result).status).toBe('Failed');
    const rig = startRun(steps, { options: { extended: true } });
    expect((await rig.result).status).toBe('Succeeded');
    expect(rig.ends()).toEqual(['test succeeded (the command exited with code 1)', 'publish skipped (test failed)', 'report succeeded']);
  });
});

describe('cancel', () => {
  test('a canceled run stops what runs and skips the rest', async () => {
    const rig = startRun([cmd('a'), cmd('b', { needs: ['a'] })], { engine: { manual: true } });
    const a = await rig.engine.nextStart('a');
    rig.cancel.abort();
    await a.terminated;
    expect(await rig.result).toMatchObject({ status: 'Canceled', failure: { message: 'the run was canceled' } });
    expect(rig.ends()).toEqual(['b skipped (the run was canceled)', 'a canceled (the run was canceled)']);
    expect(rig.engine.destroyed).toBe(1);
  });

  test('a run canceled before it began opens no space', async () => {
    const cancel = new AbortController();
    cancel.abort();
    const rig = startRun([cmd('a')], { options: { signal: cancel.signal } });
    expect((await rig.result).status).toBe('Canceled');
    expect(rig.engine.spaces).toEqual([]);
    expect(rig.ends()).toEqual(['a skipped (the run was canceled)']);
  });

  test('a step in its start delay has never started', async () => {
    const rig = startRun([cmd('a', { startDelayMs: 60_000 })]);
    await rig.until({ type: 'step-delayed' });
    rig.cancel.abort();
    await rig.result;
    expect(rig.ends()).toEqual(['a skipped (the run was canceled)']);
    expect(rig.engine.calls.filter((call) => call.startsWith('run'))).toEqual([]);
    expect(rig.clock.remaining()).toEqual([]);
  });

  test('an explicit pull and a wait between attempts are canceled at once', async () => {
    const rig = startRun([
      cmd('pulls', { pull: { retries: 0, retryDelayMs: 0 } }),
      cmd('retries', { retries: 1, env: ['FAKE_EXIT_CODE=1'] }),
    ]);
    rig.engine.scripts.pull.set('busybox', 'hold');
    await rig.until({ type: 'step-retrying' });
    rig.cancel.abort();
    await rig.result;
    expect(rig.ends().toSorted()).toEqual(['pulls canceled (the run was canceled)', 'retries canceled (the run was canceled)']);
    expect(rig.clock.remaining()).toEqual([]);
  });

  test('a container that ignores SIGTERM gets the grace', async () => {
    const rig = startRun([cmd('a', { env: ['FAKE_HOLD=1', 'FAKE_IGNORE_TERM=1'] })]);
    const a = await rig.engine.nextStart('a');
    rig.cancel.abort();
    await a.terminated;
    await settled();
    expect(rig.ends()).toEqual([]);
    await rig.clock.advance(10_000);
    await rig.result;
    expect(rig.ends()).toEqual(['a canceled (the run was canceled)']);
  });

  test('a step that never stops does not hold the run beyond the deadline', async () => {
    const rig = startRun([build('a')], { deps: { inputs: { prepare: () => new Promise(() => undefined) } } });
    await rig.until({ type: 'step-started' });
    rig.cancel.abort();
    await rig.clock.sleeping(2);
    await rig.clock.advance(20_000);
    expect((await rig.result).status).toBe('Canceled');
    expect(rig.ends()).toEqual(['a canceled (the run was canceled; it did not stop in time)']);
    expect(rig.engine.destroyed).toBe(1);
  });

  test('a hurried user ends the waiting for steps', async () => {
    const hurry = new AbortController();
    const rig = startRun([cmd('a', { env: ['FAKE_HOLD=1', 'FAKE_IGNORE_TERM=1'] })], { options: { cleanupSignal: hurry.signal } });
    await rig.engine.nextStart('a');
    rig.cancel.abort();
    hurry.abort();
    expect((await rig.result).status).toBe('Canceled');
    expect(rig.engine.destroyed).toBe(1);
  });

  test('the run has a timeout of its own', async () => {
    const rig = startRun([cmd('a', { env: ['FAKE_HOLD=1'] }), cmd('b', { needs: ['a'] })], { options: { runTimeoutMs: 5_000 } });
    await rig.engine.nextStart('a');
    await rig.clock.advance(5_000);
    const because = 'the run did not end within 5 s: timed out';
    expect(await rig.result).toMatchObject({ status: 'Timeout', failure: { message: because } });
    expect(rig.ends()).toEqual([`b skipped (${because})`, `a canceled (${because})`]);
  });

  test('canceling after the last step changes nothing', async () => {
    const rig = startRun([cmd('a', { env: ['FAKE_HOLD=1'] })]);
    (await rig.engine.nextStart('a')).exit(0);
    await rig.until({ type: 'step-finished' });
    rig.cancel.abort();
    expect((await rig.result).status).toBe('Succeeded');
    expect(rig.ends()).toEqual(['a succeeded']);
  });
});

describe('set-up and clean-up', () => {
  test('canceled while the engine does not answer', async () => {
    const engine = Object.assign(createFakeEngine(), { describe: () => new Promise<never>(() => undefined) });
    const rig = startRun([cmd('a')], { deps: { engine } });
    rig.cancel.abort();
    expect((await rig.result).status).toBe('Canceled');
    expect(engine.spaces).toEqual([]);
  });

  test('an engine that does not answer ends the run with every step skipped', async () => {
    const rig = startRun([cmd('a')], { engine: { failDescribe: new EngineError('engine-unreachable', 'nobody home') } });
    const message = 'the container engine cannot be used: nobody home';
    expect(await rig.result).toMatchObject({ status: 'Error', failure: { message, errorCode: 'engine-unreachable' } });
    expect(rig.ends()).toEqual([`a skipped (${message})`]);
    expect(rig.events.map((event) => event.type)).toEqual(['run-started', 'step-finished', 'run-finished']);
  });

  test('a run that cannot be set up ends with an error', async () => {
    const rig = startRun([cmd('a')], { engine: { failOpenRun: new EngineError('disk-full', 'no space') } });
    expect(await rig.result).toMatchObject({ status: 'Error', failure: { errorCode: 'disk-full' } });
    expect(rig.engine.destroyed).toBe(0);
  });

  test('what stays behind is told, and a clean-up that breaks does not change the outcome', async () => {
    const left = [{ kind: 'network', id: 'n1', name: 'net-run1', run: 'run1' } as const];
    const rig = startRun([cmd('a')], { engine: { leftovers: left } });
    expect((await rig.result).status).toBe('Succeeded');
    expect(rig.events).toContainEqual(
      expect.objectContaining({ type: 'note', level: 'warning', message: expect.stringContaining('network net-run1') }),
    );
    const broken = startRun([cmd('a')], { engine: { failDestroy: new EngineError('engine-failed', 'gone') } });
    expect((await broken.result).status).toBe('Succeeded');
    expect(broken.engine.destroyed).toBe(1);
  });

  test('detached steps live to the end of the run', async () => {
    const rig = startRun([cmd('db', { detach: true }), cmd('test', { needs: ['db'] })]);
    expect((await rig.result).status).toBe('Succeeded');
    expect(rig.engine.peak).toBe(2);
    expect(rig.engine.calls.slice(-2)).toEqual(['destroy', 'end db#1']);
  });

  test('the space gets the networks and lanes that the plan needs', async () => {
    const rig = startRun([cmd('a'), cmd('b', { needs: ['a'] }), cmd('c', { needs: ['b'] })]);
    await rig.result;
    expect(rig.engine.spaces[0]).toMatchObject({ runId: 'run1', networks: [], lanes: [{ steps: ['b', 'c'], network: undefined }] });
  });

  test('a taker of events that breaks ends the run', async () => {
    const rig = startRun([cmd('a', { env: ['FAKE_HOLD=1'] })], {
      deps: {
        emit: async (event) => {
          if (event.type === 'step-started') throw new Error('pipe closed');
        },
      },
    });
    expect(await rig.result).toMatchObject({ status: 'Error', failure: { message: expect.stringContaining('could not be delivered') } });
    expect(rig.engine.destroyed).toBe(1);
  });
});

describe('events', () => {
  test('are numbered without gaps, timed by the clock and versioned', async () => {
    const rig = startRun([cmd('a', { env: ['FAKE_OUTPUT=hello\\nworld\\n', 'FAKE_SLEEP_MS=1500'] }), push('p', ['x:1'], { needs: ['a'] })]);
    await rig.until({ type: 'step-output' });
    await rig.clock.advance(1_500);
    const result = await rig.result;
    expect(rig.events.map((event) => event.seq)).toEqual(rig.events.map((_, index) => index + 1));
    expect(rig.events.map((event) => event.type)).toEqual([
      'run-started',
      'step-started',
      'step-output',
      'step-finished',
      'step-started',
      'transfer-progress',
      'image-pushed',
      'step-finished',
      'run-finished',
    ]);
    expect(rig.events[0]).toMatchObject({ at: '2030-01-02T03:04:05.000Z', run: 'run1', version: 1, engine: 'fake 1.0 at memory:' });
    expect(rig.events[3]).toMatchObject({ at: '2030-01-02T03:04:06.500Z', durationMs: 1_500, attempts: 1, exitCode: 0 });
    expect(result).toMatchObject({ durationMs: 1_500, criticalPathMs: 1_500 });
  });

  test('hide secrets in output, reasons and details', async () => {
    const rig = startRun(
      [
        cmd('a', {
          env: ['FAKE_OUTPUT=the hunter22 key\\n', 'FAKE_EXIT_CODE=0'],
          container: { args: ['login', 'hunter22'] },
        }),
        cmd('b', { needs: ['a'], env: ['FAKE_START_FAIL=bad option hunter22'] }),
      ],
      { secrets: ['hunter22'] },
    );
    await rig.result;
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'step-output', text: 'the *** key' }));
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'step-started', detail: 'busybox login ***' }));
    expect(JSON.stringify(rig.events)).not.toContain('hunter22');
  });

  test('the critical path is the longest chain, with its delays', async () => {
    const steps = [
      cmd('a', { env: ['FAKE_SLEEP_MS=100'] }),
      cmd('b', { startDelayMs: 50, env: ['FAKE_SLEEP_MS=200'] }),
      cmd('c', { needs: ['a', 'b'], env: ['FAKE_SLEEP_MS=10'] }),
    ];
    const rig = startRun(steps);
    void rig.result.then(() => undefined);
    for (let turn = 0; turn < 10; turn += 1) await rig.clock.advance(50);
    expect(await rig.result).toMatchObject({ criticalPathMs: 260 });
  });
});

describe('containers made ahead', () => {
  test('the next step is prepared while its predecessor runs', async () => {
    const rig = startRun([cmd('a'), cmd('b', { needs: ['a'] }), cmd('c', { needs: ['b'] })]);
    await rig.result;
    expect(rig.engine.calls.filter((call) => /^(prepare|start)/.test(call))).toEqual([
      'prepare b#1',
      'start a#1',
      'prepare c#1',
      'start b#1',
      'start c#1',
    ]);
  });

  test('a join is prepared when all its needs run', async () => {
    const rig = startRun([cmd('a'), cmd('b'), cmd('join', { needs: ['a', 'b'] })], { options: { parallel: 1 } });
    await rig.result;
    expect(rig.engine.calls.filter((call) => /^(prepare|start)/.test(call))).toEqual([
      'start a#1',
      'prepare join#1',
      'start b#1',
      'start join#1',
    ]);
  });

  test('not before the image is built, not with an explicit pull, not when it names other containers', async () => {
    const rig = startRun([
      build('image', { spec: { tags: ['app:latest'] } }),
      cmd('uses', { needs: ['image'], container: { image: 'docker.io/library/app' } }),
      cmd('pulls', { needs: ['image'], pull: { retries: 0, retryDelayMs: 0 } }),
      cmd('joins', { needs: ['image'], extra: { volumesFrom: ['x'] } }),
      cmd('plain', { needs: ['image'] }),
    ]);
    await rig.result;
    expect(rig.engine.prepared.map((request) => request.step)).toEqual(['plain']);
  });

  test('few at a time', async () => {
    const rig = startRun([cmd('a'), ...Array.from({ length: 20 }, (_, index) => cmd(`s${index}`, { needs: ['a'] }))]);
    await rig.result;
    expect(rig.engine.prepared).toHaveLength(4);
  });
});
