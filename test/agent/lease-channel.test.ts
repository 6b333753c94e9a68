import { describe, expect, it } from 'vitest';
import { ActiveRun } from '../../src/agent/active-run.ts';
import { LeaseChannel } from '../../src/agent/lease-channel.ts';
import { EngineError } from '../../src/model/engine-error.ts';
import type { RunEvent, RunFact } from '../../src/model/run-event.ts';
import { OUTPUT_MISSING } from '../../src/run/cmd-step.ts';
import { createFakeClock } from '../fakes/fake-clock.ts';
import { assignmentOf, createFakeChannel, encodedTask, runRequest } from './fake-channel.ts';

function parts() {
  const channel = createFakeChannel();
  const run = new ActiveRun(assignmentOf('ra001', runRequest(encodedTask(''))), 'ab12cd');
  const clock = createFakeClock();
  const calls: number[] = [];
  const { report } = channel;
  channel.report = async (lease, events) => {
    calls.push(events.length);
    await report(lease, events);
  };
  return { channel, run, clock, calls, told: new LeaseChannel(channel, run, clock) };
}

const NOTE: RunFact = { type: 'note', level: 'info', message: 'x' };
const event = (seq: number, fact: RunFact = NOTE): RunEvent => ({ version: 1, seq, at: '2030-01-02T03:04:05.000Z', run: 'ra001', ...fact });
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('what an attempt tells', () => {
  it('tells events of one turn at once, in order and in bounded batches, before the end', async () => {
    const { channel, calls, told } = parts();
    const taken = numbers(1200).map((seq) => told.emit(event(seq)));
    await told.finish({ status: 'Succeeded', images: [], built: [], baseImages: [], dependencies: [] });
    await Promise.all(taken);
    expect(calls).toEqual([500, 500, 200]);
    expect(channel.events.map(({ seq }) => seq)).toEqual(numbers(1200));
    expect(told.lastEvent).toBe(1200);
  });

  it('rejects what the daemon will never take', async () => {
    const { channel, told, run } = parts();
    channel.report = async () => {
      throw new EngineError('internal', 'no');
    };
    await expect(told.emit(event(1))).rejects.toThrow('no');
    expect(run.lost.aborted).toBe(false);
  });

  it('tries longer and longer what passes, until the lease is lost', async () => {
    const { channel, told, run, clock } = parts();
    let calls = 0;
    channel.report = async () => {
      calls += 1;
      throw new EngineError('store-failed', 'away');
    };
    const taken = told.emit(event(1));
    await clock.advance(60_000);
    expect(calls).toBeGreaterThan(8);
    expect(calls).toBeLessThan(25);
    run.lose();
    await taken;
    expect(told.emit(event(2))).toBeUndefined();
  });

  it('loses the run when the daemon has another attempt, whatever it was telling', async () => {
    for (const tell of [
      (told: LeaseChannel) => told.emit(event(1)),
      (told: LeaseChannel) => told.say('x'),
      (told: LeaseChannel) => told.planned({ plan: {} as never, source: {} }),
    ]) {
      const { channel, told, run } = parts();
      channel.fence('ra001');
      await tell(told);
      expect(run.lost.aborted).toBe(true);
    }
  });

  it('marks a gap in the log where the run says that output is missing', async () => {
    const { channel, told } = parts();
    await told.emit(event(1, { type: 'step-started', step: 'a', attempt: 3, detail: 'x' }));
    await told.emit(event(2, { type: 'note', level: 'warning', step: 'a', message: OUTPUT_MISSING }));
    expect(channel.gaps).toEqual(['ra001 a#3']);
  });
});

describe('a run that is suspended while the daemon cannot store', () => {
  it('is not waited for, but is told what can be told', async () => {
    const { channel, told, run, clock } = parts();
    const { report } = channel;
    let isFull = true;
    channel.report = async (lease, events) => {
      if (isFull) throw new EngineError('disk-full', 'full');
      await report(lease, events);
    };
    const taken = told.emit(event(1));
    await clock.sleeping();
    run.suspend();
    await taken;
    expect(channel.events).toEqual([]);
    isFull = false;
    await told.emit(event(2));
    expect(channel.events).toHaveLength(1);
  });
});
