import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/model/engine-error.ts';
import { type CmdOptions, cmd } from './plans.ts';
import { type Rig, startRun } from './rig.ts';

const runs = (rig: Rig): readonly string[] => rig.engine.calls.filter((call) => call.startsWith('run '));

async function oneStep(options: CmdOptions, advanceMs: readonly number[] = []): Promise<Rig> {
  const rig = startRun([cmd('a', options)]);
  for (const ms of advanceMs) {
    await rig.clock.sleeping();
    await rig.clock.advance(ms);
  }
  await rig.result;
  return rig;
}

describe('retries', () => {
  test('fails twice, then works: three attempts, waiting in between', async () => {
    const rig = startRun([cmd('a', { retries: 2, retryDelayMs: 1_000, env: ['FAKE_EXIT_CODE=1,1,0'] })]);
    await rig.until({ type: 'step-retrying', attempt: 1 });
    await rig.clock.advance(999);
    expect(runs(rig)).toEqual(['run a#1']);
    await rig.clock.advance(1);
    await rig.until({ type: 'step-retrying', attempt: 2 });
    await rig.clock.advance(1_000);
    expect((await rig.result).status).toBe('Succeeded');
    expect(runs(rig)).toEqual(['run a#1', 'run a#2', 'run a#3']);
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'step-finished', attempts: 3, durationMs: 2_000, exitCode: 0 }));
    expect(rig.events).toContainEqual(
      expect.objectContaining({ type: 'step-retrying', attempt: 1, delayMs: 1_000, because: 'the command exited with code 1' }),
    );
    expect(rig.events.flatMap((event) => (event.type === 'step-started' ? [event.attempt] : []))).toEqual([1, 2, 3]);
  });

  test('no wait follows the last attempt', async () => {
    const rig = await oneStep({ retries: 1, retryDelayMs: 1_000, env: ['FAKE_EXIT_CODE=9'] }, [1_000]);
    expect(runs(rig)).toHaveLength(2);
    expect(rig.ends()).toEqual(['a failed (the command exited with code 9)']);
    expect(rig.clock.remaining()).toEqual([]);
  });

  test('a broken engine is tried again too', async () => {
    const rig = startRun([cmd('a', { retries: 1, retryDelayMs: 1_000 })]);
    rig.engine.scripts.run.set('a', new EngineError('engine-failed', 'hiccup'), 'run');
    await rig.until({ type: 'step-retrying', because: 'hiccup' });
    await rig.clock.advance(1_000);
    expect((await rig.result).status).toBe('Succeeded');
  });

  test.each([
    ['a text in the output', ['FAKE_OUTPUT=connection reset by peer'], 2],
    ['a text on stderr', ['FAKE_STDERR=xx reset\\n'], 2],
    ['none of the texts', ['FAKE_OUTPUT=all fine'], 1],
    ['a text in the reason of the engine', ['FAKE_START_FAIL=mount reset'], 2],
    ["a text in the engine's own words", ['FAKE_START_FAIL=mount', 'FAKE_ENGINE_WORDS=runc: mount: reset'], 2],
  ])('retryOnErrors: %s', async (_, env, attempts) => {
    const options = { retries: 1, retryDelayMs: 1_000, retryOnErrors: ['nope', 'reset'], env: [...env, 'FAKE_EXIT_CODE=1'] };
    const rig = await oneStep(options, attempts === 2 ? [1_000] : []);
    expect(runs(rig)).toHaveLength(attempts);
  });

  test('all that the engine said of a container that cannot start is in the log of the step', async () => {
    const rig = startRun([cmd('a', { env: ['FAKE_START_FAIL=x: not found', 'FAKE_ENGINE_WORDS=runc: exec: x: not found: unknown'] })]);
    await rig.result;
    expect(rig.ends()).toEqual(['a failed (the container could not start: x: not found)']);
    expect(rig.events.filter(({ type }) => type === 'step-output')).toMatchObject([
      { step: 'a', stream: 'stderr', text: 'runc: exec: x: not found: unknown' },
    ]);
  });

  test('only the output of the failed attempt counts', async () => {
    const rig = startRun([cmd('a', { retries: 5, retryDelayMs: 1_000, retryOnErrors: ['reset'] })], { engine: { manual: true } });
    const first = await rig.engine.nextStart('a');
    await first.write('stdout', 're');
    await first.write('stdout', 'set');
    first.exit(1);
    await rig.until({ type: 'step-retrying' });
    await rig.clock.advance(1_000);
    (await rig.engine.nextStart('a')).exit(1);
    await rig.result;
    expect(runs(rig)).toHaveLength(2);
  });
});

describe('repeat', () => {
  test('executes repeat + 1 times, each with a number of its own', async () => {
    const rig = await oneStep({ repeat: 2 });
    expect(runs(rig)).toEqual(['run a#1', 'run a#2', 'run a#3']);
    expect(rig.ends()).toEqual(['a succeeded']);
  });

  test('goes on after a failure and joins the reasons', async () => {
    const rig = await oneStep({ repeat: 2, env: ['FAKE_EXIT_CODE=4,0,5'] });
    expect(runs(rig)).toHaveLength(3);
    expect(rig.ends()).toEqual(['a failed (the command exited with code 4, the command exited with code 5)']);
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'step-finished', exitCode: 4 }));
  });

  test('each repetition has its own retries', async () => {
    const rig = await oneStep({ repeat: 1, retries: 1, retryDelayMs: 10, env: ['FAKE_EXIT_CODE=1,0,1,0'] }, [10, 10]);
    expect(runs(rig)).toHaveLength(4);
    expect(rig.ends()).toEqual(['a succeeded']);
  });

  test('many failures do not make a long reason', async () => {
    const rig = await oneStep({ repeat: 30, env: ['FAKE_EXIT_CODE=1'] });
    expect(rig.ends()[0]).toContain('and 21 more');
  });
});

describe('timeout', () => {
  test('stops the container; the reason ends with "timed out"', async () => {
    const rig = startRun([cmd('a', { timeoutMs: 2_000, env: ['FAKE_HOLD=1'] })]);
    const container = await rig.engine.nextStart('a');
    await rig.clock.advance(2_000);
    await container.terminated;
    expect((await rig.result).status).toBe('Failed');
    expect(rig.ends()).toEqual(['a failed (the command did not end within 2 s: timed out)']);
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'step-finished', timedOut: true, durationMs: 2_000 }));
  });

  test('covers all attempts and the waits between them, and nothing is tried after it', async () => {
    const rig = startRun([cmd('a', { timeoutMs: 2_500, retries: 9, retryDelayMs: 1_000, env: ['FAKE_EXIT_CODE=1'] })]);
    await rig.clock.sleeping(2);
    await rig.clock.advance(2_500);
    await rig.result;
    expect(runs(rig)).toHaveLength(3);
    expect(rig.ends()).toEqual(['a failed (the command did not end within 2.5 s: timed out)']);
    expect(rig.clock.remaining()).toEqual([]);
  });

  test('covers repetitions', async () => {
    const rig = startRun([cmd('a', { timeoutMs: 2_500, repeat: 9, env: ['FAKE_SLEEP_MS=1000'] })]);
    await rig.clock.sleeping(2);
    await rig.clock.advance(2_500);
    await rig.result;
    expect(runs(rig)).toHaveLength(3);
  });

  test('does not count the start delay', async () => {
    const rig = startRun([cmd('a', { timeoutMs: 1_000, startDelayMs: 5_000, env: ['FAKE_SLEEP_MS=900'] })]);
    await rig.until({ type: 'step-delayed', delayMs: 5_000 });
    await rig.clock.advance(5_000);
    await rig.until({ type: 'step-started' });
    await rig.clock.advance(900);
    expect((await rig.result).status).toBe('Succeeded');
  });

  test('does not count the explicit pull', async () => {
    const failed = { ok: false, message: '500', permanent: false, canceled: false } as const;
    const rig = startRun([cmd('a', { timeoutMs: 1_000, pull: { retries: 3, retryDelayMs: 4_000 } })]);
    rig.engine.scripts.pull.set('busybox', failed, failed, { ok: true, digest: '' });
    for (const attempt of [1, 2]) {
      await rig.until({ type: 'step-retrying', attempt });
      await rig.clock.advance(4_000);
    }
    expect((await rig.result).status).toBe('Succeeded');
  });

  test('counts for ignoreErrors', async () => {
    const rig = startRun([cmd('a', { timeoutMs: 1_000, ignoreErrors: true, env: ['FAKE_HOLD=1'] }), cmd('b', { needs: ['a'] })]);
    await rig.engine.nextStart('a');
    await rig.clock.advance(1_000);
    expect((await rig.result).status).toBe('Succeeded');
    expect(rig.ends()).toEqual(['a succeeded (the command did not end within 1 s: timed out)', 'b succeeded']);
  });
});

describe('explicit pull', () => {
  test('comes before the first container, with retries of its own', async () => {
    const rig = startRun([cmd('a', { pull: { retries: 1, retryDelayMs: 500 }, container: { platform: 'linux/arm64' } })]);
    rig.engine.scripts.pull.set('busybox', { ok: false, message: 'reset', permanent: false, canceled: false }, { ok: true, digest: '' });
    await rig.until({ type: 'step-retrying', because: 'pulling busybox: reset' });
    await rig.clock.advance(500);
    await rig.result;
    expect(rig.engine.calls.slice(0, 3)).toEqual(['pull busybox', 'pull busybox', 'run a#1']);
  });

  test('refused for good: failed at once; not answered: an error', async () => {
    const rig = startRun([cmd('a', { pull: { retries: 5, retryDelayMs: 500 } })]);
    rig.engine.scripts.pull.set('busybox', { ok: false, message: 'denied', permanent: true, canceled: false });
    expect((await rig.result).status).toBe('Failed');
    expect(rig.ends()).toEqual(['a failed (pulling busybox: denied)']);
    const other = startRun([cmd('a', { pull: { retries: 0, retryDelayMs: 500 } })]);
    other.engine.scripts.pull.set('busybox', { ok: false, message: '503', permanent: false, canceled: false });
    expect(await other.result).toMatchObject({ status: 'Error', failure: { errorCode: 'registry-failed' } });
  });
});

describe('detach', () => {
  test('succeeds once started, and again under another number when repeated', async () => {
    const rig = await oneStep({ detach: true, repeat: 1 });
    expect(runs(rig)).toEqual(['run a#1', 'run a#2']);
    expect(rig.engine.peak).toBe(2);
  });
});
