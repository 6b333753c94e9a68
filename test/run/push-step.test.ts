import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/model/engine-error.ts';
import { push } from './plans.ts';
import { NO_REGISTRY, type Rig, startRun } from './rig.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const BUSY = { ok: false, message: '503 busy', permanent: false, canceled: false } as const;
const pushes = (rig: Rig): readonly string[] => rig.engine.calls.filter((call) => call.startsWith('push '));

describe('push', () => {
  test('pushes the images in their order and records their digests', async () => {
    const rig = startRun([push('p', ['x:1', 'y:2'])]);
    rig.engine.scripts.push.set('y:2', { ok: true, digest: DIGEST });
    const result = await rig.result;
    expect(pushes(rig)).toEqual(['push x:1', 'push y:2']);
    expect(result.images[1]).toEqual({ step: 'p', reference: 'y:2', digest: DIGEST });
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'image-pushed', reference: 'y:2', digest: DIGEST }));
  });

  test('three attempts with a growing back-off, then an error; later images are not pushed', async () => {
    const rig = startRun([push('p', ['x:1', 'y:2'])]);
    rig.engine.scripts.push.set('x:1', BUSY);
    await rig.until({ type: 'step-retrying', attempt: 1, delayMs: 250 });
    await rig.clock.advance(250);
    await rig.until({ type: 'step-retrying', attempt: 2, delayMs: 500 });
    await rig.clock.advance(500);
    expect(await rig.result).toMatchObject({
      status: 'Error',
      failure: { errorCode: 'registry-failed', message: 'pushing x:1: 503 busy' },
    });
    expect(pushes(rig)).toEqual(['push x:1', 'push x:1', 'push x:1']);
  });

  test('the back-off is spread at random, but Retry-After is kept', async () => {
    const rig = startRun([push('p', ['x:1'])], { deps: { random: () => 0.5 } });
    rig.engine.scripts.push.set('x:1', BUSY, { ...BUSY, retryAfterMs: 7_000 }, { ok: true, digest: DIGEST });
    await rig.until({ type: 'step-retrying', delayMs: 125 });
    await rig.clock.advance(125);
    await rig.until({ type: 'step-retrying', delayMs: 7_000 });
    await rig.clock.advance(7_000);
    expect((await rig.result).status).toBe('Succeeded');
  });

  test('a refusal for good is not tried again and is a failure', async () => {
    const rig = startRun([push('p', ['x:1'])]);
    rig.engine.scripts.push.set('x:1', { ...BUSY, message: 'denied', permanent: true });
    expect(await rig.result).toMatchObject({ status: 'Failed', failure: { message: 'pushing x:1: denied' } });
    expect(pushes(rig)).toHaveLength(1);
  });

  test('a broken engine is tried again', async () => {
    const rig = startRun([push('p', ['x:1'])]);
    rig.engine.scripts.push.set('x:1', new EngineError('engine-failed', 'hiccup'), { ok: true, digest: DIGEST });
    await rig.until({ type: 'step-retrying', because: 'hiccup' });
    await rig.clock.advance(250);
    expect((await rig.result).status).toBe('Succeeded');
  });

  test('a digest that the engine does not tell is read back', async () => {
    const registry = { ...NO_REGISTRY, resolve: async () => ({ digest: DIGEST, mediaType: '', platformDigest: DIGEST }) };
    const rig = startRun([push('p', ['x:1'])], { deps: { registry } });
    rig.engine.scripts.push.set('x:1', { ok: true, digest: '' });
    expect((await rig.result).images).toEqual([{ step: 'p', reference: 'x:1', digest: DIGEST }]);
  });

  test('a digest that nobody knows is a warning', async () => {
    const rig = startRun([push('p', ['x:1'])]);
    rig.engine.scripts.push.set('x:1', { ok: true, digest: '' });
    expect(await rig.result).toMatchObject({ status: 'Succeeded', images: [{ reference: 'x:1', digest: '' }] });
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'note', level: 'warning', step: 'p' }));
  });

  test('the timeout covers the whole list; retries and repeat of the step do not count', async () => {
    const rig = startRun([push('p', ['x:1'], { timeoutMs: 1_000, retries: 9, repeat: 9 })]);
    rig.engine.scripts.push.set('x:1', 'hold');
    await rig.until({ type: 'step-started' });
    await rig.clock.sleeping();
    await rig.clock.advance(1_000);
    expect((await rig.result).status).toBe('Failed');
    expect(rig.ends()).toEqual(['p failed (the push did not end within 1 s: timed out)']);
    expect(pushes(rig)).toHaveLength(1);
  });

  test('canceled while it waits for the next attempt', async () => {
    const rig = startRun([push('p', ['x:1'])]);
    rig.engine.scripts.push.set('x:1', BUSY);
    await rig.until({ type: 'step-retrying' });
    rig.cancel.abort();
    expect((await rig.result).status).toBe('Canceled');
    expect(pushes(rig)).toHaveLength(1);
  });

  test('--no-push pushes nothing and says so', async () => {
    const rig = startRun([push('p', ['x:1'])], { options: { noPush: true } });
    expect(await rig.result).toMatchObject({ status: 'Succeeded', images: [] });
    expect(pushes(rig)).toEqual([]);
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'note', message: 'not pushed (--no-push): x:1' }));
  });
});
