import { expect, test } from 'vitest';
import type { RunEvent } from '../../../src/model/run-event.ts';
import { createRunHub, type HubMessage } from '../../../src/service/runs/hub.ts';

const never = new AbortController().signal;

function note(run: string, seq: number, stored = true): HubMessage {
  const event: RunEvent = { version: 1, seq, at: '2030-01-01T00:00:00.000Z', run, type: 'note', level: 'info', message: String(seq) };
  return { kind: 'event', run, event, stored };
}

test('each subscriber gets its run, or all, in order; growth of a log is told once until it is taken', async () => {
  const hub = createRunHub();
  const [one, all] = [hub.subscribe('ra001'), hub.subscribe()];
  const messages: HubMessage[] = [note('ra001', 1), { kind: 'output', run: 'ra001' }, { kind: 'output', run: 'ra001' }, note('ra002', 1)];
  for (const message of messages) hub.publish(message);
  expect(await one.take(never)).toEqual([messages[0], messages[1]]);
  expect(await all.take(never)).toEqual([messages[0], messages[1], messages[3]]);
  const waiting = one.take(never);
  hub.publish({ kind: 'output', run: 'ra001' });
  expect(await waiting).toEqual([messages[1]]);
});

test('a subscriber that does not take is dropped and told so; progress is dropped before it; others lose nothing', async () => {
  const hub = createRunHub(10);
  const [slow, quick] = [hub.subscribe('ra001'), hub.subscribe('ra001')];
  const seen: number[] = [];
  for (let seq = 1; seq <= 10; seq += 1) hub.publish(note('ra001', seq));
  hub.publish(note('ra001', 99, false));
  for (const message of [await quick.take(never)].flat())
    if (typeof message !== 'string' && message.kind === 'event') seen.push(message.event.seq);
  expect(seen.length).toBe(10);
  hub.publish(note('ra001', 11));
  expect(await slow.take(never)).toBe('behind');
  expect(await quick.take(never)).toMatchObject([{ event: { seq: 11 } }]);
  expect(hub.subscribers).toBe(1);
  quick.close();
  expect(await quick.take(never)).toBe('closed');
  expect(hub.subscribers).toBe(0);
});

test('an abort ends the waiting and the subscription', async () => {
  const hub = createRunHub();
  const subscription = hub.subscribe();
  const over = new AbortController();
  const waiting = subscription.take(over.signal);
  over.abort();
  expect(await waiting).toBe('closed');
  expect(hub.subscribers).toBe(0);
});
