import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/model/engine-error.ts';
import { RegistryGate } from '../../../src/trigger/image/registry-gate.ts';
import { createFakeClock, settled } from '../../fakes/fake-clock.ts';

const open = new AbortController().signal;

describe('the door to a registry', () => {
  it('lets so many through at once, and so many a second', async () => {
    const clock = createFakeClock();
    const gate = new RegistryGate({ concurrency: 2, perSecond: 10, burst: 5 }, clock, open);
    let [running, most, done] = [0, 0, 0];
    const all = Array.from({ length: 20 }, () =>
      gate.run(false, async () => {
        running += 1;
        most = Math.max(most, running);
        await settled();
        running -= 1;
        done += 1;
      }),
    );
    await clock.advance(0);
    for (let turn = 0; turn < 20; turn += 1) await settled();
    expect(done).toBe(5);
    await clock.advance(500);
    for (let turn = 0; turn < 20; turn += 1) await clock.advance(1);
    expect(done).toBeGreaterThanOrEqual(9);
    expect(done).toBeLessThanOrEqual(11);
    for (let turn = 0; turn < 200 && done < 20; turn += 1) await clock.advance(10);
    await Promise.all(all);
    expect(most).toBe(2);
  });

  it('takes urgent questions first', async () => {
    const gate = new RegistryGate({ concurrency: 1, perSecond: 1000, burst: 1000 }, createFakeClock(), open);
    const order: string[] = [];
    const ask = (name: string, urgent: boolean) => gate.run(urgent, async () => void order.push(name));
    await Promise.all([ask('first', false), ask('patient', false), ask('urgent', true), ask('urgent too', true)]);
    expect(order).toEqual(['first', 'urgent', 'urgent too', 'patient']);
  });

  it('stays shut for ever longer while the registry fails, and opens with the first answer', async () => {
    const clock = createFakeClock();
    const gate = new RegistryGate({ concurrency: 4, perSecond: 1000, burst: 1000 }, clock, open);
    const fail = () => gate.run(true, () => Promise.reject(new EngineError('registry-unreachable', 'nobody there'))).catch(() => undefined);
    const waits: number[] = [];
    for (let time = 0; time < 10; time += 1) {
      await Promise.all([fail(), fail(), fail()]);
      const waitMs = gate.refusal(false)?.waitMs ?? 0;
      waits.push(waitMs);
      await expect(gate.run(false, () => Promise.resolve(1))).rejects.toThrow('nobody there');
      await clock.advance(waitMs);
      expect(gate.refusal(false)).toBeUndefined();
    }
    expect(waits.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(waits.at(-1)).toBe(600_000);
    await fail();
    expect(await gate.run(true, () => Promise.resolve(1))).toBe(1);
    expect(gate.refusal(false)).toBeUndefined();
    await fail();
    expect(gate.refusal(false)?.waitMs).toBe(5_000);
  });

  it('heeds what the registry asks for, also for urgent questions, and not what concerns one image', async () => {
    const clock = createFakeClock();
    const gate = new RegistryGate({ concurrency: 4, perSecond: 1000, burst: 1000 }, clock, open);
    const failing = (error: EngineError) => gate.run(true, () => Promise.reject(error)).catch(() => undefined);
    await failing(new EngineError('registry-denied', 'not yours'));
    expect(gate.refusal(false)).toBeUndefined();
    await failing(new EngineError('registry-failed', 'slow down', { transient: true, retryAfterMs: 90_000 }));
    expect(gate.refusal(true)).toMatchObject({ waitMs: 90_000, because: 'slow down' });
    await expect(gate.run(true, () => Promise.resolve(1))).rejects.toThrow('slow down');
    await failing(new EngineError('registry-failed', 'for ever', { transient: true, retryAfterMs: 9_000_000 }));
    expect(gate.refusal(true)?.waitMs).toBeLessThanOrEqual(3_600_000);
  });

  it('ends what waits when it is closed', async () => {
    const closing = new AbortController();
    const gate = new RegistryGate({ concurrency: 1, perSecond: 0.001, burst: 1 }, createFakeClock(), closing.signal);
    await gate.run(false, () => Promise.resolve());
    const waiting = gate.run(false, () => Promise.resolve());
    closing.abort(new Error('over'));
    await expect(waiting).rejects.toThrow('over');
  });
});
