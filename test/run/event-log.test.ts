import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/model/run-event.ts';
import { createEventLog } from '../../src/run/event-log.ts';
import { createMasker } from '../../src/util/masker.ts';
import { createFakeClock } from '../fakes/fake-clock.ts';

const note = (message: string) => ({ type: 'note', level: 'info', message }) as const;

function start(sink: (event: RunEvent) => void | Promise<void>) {
  const errors: unknown[] = [];
  const log = createEventLog({
    runId: 'r123',
    clock: createFakeClock(),
    masker: createMasker(['hunter22']),
    sink,
    onBroken: (error) => errors.push(error),
  });
  return { log, errors };
}

test('numbers, times and masks events in the order of the calls', () => {
  const events: RunEvent[] = [];
  const { log } = start((event) => void events.push(event));
  void log.emit(note('one hunter22'));
  void log.emit({ type: 'step-finished', step: 's', status: 'failed', attempts: 1, durationMs: 1, because: 'bad hunter22' });
  void log.emit({ type: 'build-progress', step: 's', vertex: 'v', name: 'RUN echo hunter22', state: 'failed', error: 'hunter22?' });
  expect(events.map((event) => event.seq)).toEqual([1, 2, 3]);
  expect(events[0]).toEqual({
    version: 1,
    seq: 1,
    at: '2030-01-02T03:04:05.000Z',
    run: 'r123',
    type: 'note',
    level: 'info',
    message: 'one ***',
  });
  expect(JSON.stringify(events)).not.toContain('hunter22');
});

test('drained waits for what is being taken', async () => {
  const taken = Promise.withResolvers<void>();
  const { log } = start(() => taken.promise);
  void log.emit(note('a'));
  let drained = false;
  const waiting = log.drained().then(() => {
    drained = true;
  });
  await Promise.resolve();
  expect(drained).toBe(false);
  taken.resolve();
  await waiting;
});

test('a taker that throws or rejects is told once and never throws back', async () => {
  const { log, errors } = start((event) => {
    if (event.seq === 1) throw new Error('sync');
    return Promise.reject(new Error('async'));
  });
  await log.emit(note('a'));
  await log.emit(note('b'));
  expect(errors).toEqual([new Error('sync')]);
});

test('nothing comes after the end', () => {
  const events: RunEvent[] = [];
  const { log } = start((event) => void events.push(event));
  log.close();
  void log.emit(note('late'));
  expect(events).toEqual([]);
});
