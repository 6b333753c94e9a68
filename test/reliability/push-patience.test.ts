import { expect, test } from 'vitest';
import { LONG_PATIENCE } from '../../src/run/push-patience.ts';
import { push } from '../run/plans.ts';
import { type Rig, startRun } from '../run/rig.ts';

const BUSY = { ok: false, message: '503 busy', permanent: false, canceled: false } as const;
const MINUTE_MS = 60_000;

const patient = { options: { pushPatience: LONG_PATIENCE } };
const pushes = (rig: Rig): number => rig.engine.calls.filter((call) => call.startsWith('push ')).length;
const waits = (rig: Rig): readonly number[] => rig.events.flatMap((event) => (event.type === 'step-retrying' ? [event.delayMs] : []));

test('fault 7: a registry that is away for ten minutes costs a push nothing but time: waits of 1 s to 60 s', async () => {
  const rig = startRun([push('p', ['x:1'], { timeoutMs: 60 * MINUTE_MS })], patient);
  rig.engine.scripts.push.set('x:1', BUSY);
  await rig.until({ type: 'step-retrying' });
  await rig.clock.advance(10 * MINUTE_MS);
  expect(waits(rig).slice(0, 8)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  rig.engine.scripts.push.set('x:1', { ok: true, digest: `sha256:${'a'.repeat(64)}` });
  await rig.clock.advance(MINUTE_MS);
  expect((await rig.result).status).toBe('Succeeded');
});

test('fault 7: after fifteen minutes it is given up', async () => {
  const rig = startRun([push('p', ['x:1'], { timeoutMs: 60 * MINUTE_MS })], patient);
  rig.engine.scripts.push.set('x:1', BUSY);
  await rig.until({ type: 'step-retrying' });
  await rig.clock.advance(16 * MINUTE_MS);
  expect(await rig.result).toMatchObject({ status: 'Error', failure: { errorCode: 'registry-failed' } });
  expect(waits(rig).reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(15 * MINUTE_MS);
  expect(pushes(rig)).toBeGreaterThan(15);
});

test('fault 7: what the registry asks for is kept, and a name that nobody knows is given up soon', async () => {
  const rig = startRun([push('p', ['x:1', 'y:2'], { timeoutMs: 60 * MINUTE_MS })], patient);
  rig.engine.scripts.push.set('x:1', { ...BUSY, retryAfterMs: 90_000 }, { ok: true, digest: `sha256:${'a'.repeat(64)}` });
  rig.engine.scripts.push.set('y:2', { ...BUSY, message: 'dial tcp: lookup y: no such host' });
  await rig.until({ type: 'step-retrying', delayMs: 90_000 });
  await rig.clock.advance(2 * MINUTE_MS);
  expect((await rig.result).status).toBe('Error');
  expect(pushes(rig)).toBe(2 + 3);
});
