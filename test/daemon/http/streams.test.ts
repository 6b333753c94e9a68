import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Assignment } from '../../../src/model/ports/agent-channel.ts';
import type { RunFact } from '../../../src/model/run-event.ts';
import { waitFor } from '../../support/wait-for.ts';
import { send } from './client.ts';
import { ADMIN, type DaemonFixture, startDaemon } from './daemon-fixture.ts';
import { type EventStream, openStream, type StreamMessage } from './event-stream.ts';

const STARTED = { type: 'run-started', task: '', registry: '', engine: 'fake', steps: [{ id: 'one', kind: 'cmd', needs: [] }] } as const;
const STEP = { type: 'step-started', step: 'one', attempt: 1, detail: 'busybox true' } as const;
const STEP_END = { type: 'step-finished', step: 'one', status: 'succeeded', attempts: 1, durationMs: 5, exitCode: 0 } as const;
const END: RunFact = {
  ...{ type: 'run-finished' as const, status: 'Succeeded' as const, durationMs: 9, criticalPathMs: 5 },
  ...{ images: [], built: [], baseImages: [], dependencies: [] },
};

async function begun(daemon: DaemonFixture, task?: string): Promise<Assignment> {
  await daemon.queueRun(task);
  const run = await daemon.claim();
  await daemon.report(run, 1, STARTED);
  await daemon.report(run, 2, STEP);
  return run;
}

async function ended(daemon: DaemonFixture, run: Assignment, from = 3): Promise<void> {
  await daemon.report(run, from, STEP_END);
  await daemon.report(run, from + 1, END);
  await daemon.finish(run);
}

let position = 0;
async function say(daemon: DaemonFixture, run: Assignment, output: string | Uint8Array, afterEvent = 2): Promise<void> {
  const bytes = typeof output === 'string' ? Buffer.from(output) : output;
  position += bytes.length;
  const at = new Date().toISOString();
  await daemon.gateway.log(run, { step: 'one', attempt: 1, stream: 'stdout', bytes, position, at, afterEvent });
}

function shapes(messages: readonly StreamMessage[]): readonly string[] {
  return messages.map(({ data }) => (data['type'] === 'step-output' ? `output ${JSON.stringify(data['text'])}` : String(data['type'])));
}

const ALL = ['run-started', 'step-started', 'step-finished', 'run-finished'];
const eventsOf = (run: { readonly run: string }, query = ''): string => `/api/v1/runs/${run.run}/events${query}`;
const logOf = (run: { readonly run: string }, query = ''): string => `/api/v1/runs/${run.run}/log${query}`;

describe('the stream of one run', () => {
  it('tells what was, what happens, and ends with the run', async () => {
    await using daemon = await startDaemon();
    const run = await begun(daemon);
    const stream = await openStream(daemon.socket, eventsOf(run));
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(shapes([await taken(stream), await taken(stream)])).toStrictEqual(['run-started', 'step-started']);
    await ended(daemon, run);
    const rest = await stream.rest();
    expect(shapes(rest)).toStrictEqual(['step-finished', 'run-finished']);
    expect(rest.map(({ id }) => id)).toStrictEqual(['3.0', '4.0']);
    expect((await send(daemon.socket, { path: `/api/v1/runs/${run.run}` })).json()['status']).toBe('Succeeded');
  });

  it('puts output where it belongs, whole and split, and goes on from every place without loss or repeat', async () => {
    await using daemon = await startDaemon();
    const run = await begun(daemon);
    const euro = Buffer.from('€');
    await say(daemon, run, 'first\nsecond');
    await say(daemon, run, ' line\n');
    await say(daemon, run, Buffer.concat([Buffer.from('5 '), euro.subarray(0, 1)]));
    await say(daemon, run, Buffer.concat([euro.subarray(1), Buffer.from('\n')]));
    await daemon.report(run, 3, STEP_END);
    await say(daemon, run, 'late\n', 3);
    await daemon.report(run, 4, END);
    await daemon.finish(run);
    const all = await (await openStream(daemon.socket, eventsOf(run, '?logs=true'))).rest();
    const output = (messages: readonly StreamMessage[]): string =>
      messages
        .filter(({ data }) => data['type'] === 'step-output')
        .map(({ data }) => `${String(data['text'])}${data['partial'] === true ? '' : '\n'}`)
        .join('');
    expect(output(all)).toBe('first\nsecond line\n5 €\nlate\n');
    expect(shapes(all).filter((shape) => !shape.startsWith('output'))).toStrictEqual(ALL);
    expect(shapes(all).indexOf('output "late"')).toBeGreaterThan(shapes(all).indexOf('step-finished'));
    expect(shapes(all).indexOf('output "late"')).toBeLessThan(shapes(all).indexOf('run-finished'));
    for (const [index, { id }] of all.entries()) {
      if (id === undefined) throw new Error('every stored message has an id');
      const rest =
        index === all.length - 1 ? [] : await (await openStream(daemon.socket, eventsOf(run, '?logs=true'), { lastId: id })).rest();
      expect(output(all.slice(0, index + 1)) + output(rest)).toBe(output(all));
      expect(shapes(rest).filter((shape) => !shape.startsWith('output'))).toStrictEqual(
        shapes(all.slice(index + 1)).filter((shape) => !shape.startsWith('output')),
      );
    }
  });

  it('tells a reader that knows all not to come again', async () => {
    await using daemon = await startDaemon();
    const run = await begun(daemon);
    await ended(daemon, run);
    const last = (await (await openStream(daemon.socket, eventsOf(run))).rest()).at(-1);
    const again = await openStream(daemon.socket, eventsOf(run), last?.id === undefined ? {} : { lastId: last.id });
    expect(again.status).toBe(204);
  });

  it('ends for a run that was canceled before it ran', async () => {
    await using daemon = await startDaemon();
    const { id: run } = await daemon.queueRun();
    const stream = await openStream(daemon.socket, eventsOf({ run }, '?logs=true'));
    await send(daemon.socket, { method: 'POST', path: `/api/v1/runs/${run}/cancel`, body: { reason: 'not needed' } });
    const [end, ...more] = await stream.rest();
    expect([end?.data['type'], end?.data['status'], more]).toStrictEqual(['run-finished', 'Canceled', []]);
  });

  it('passes progress on at once, without an id', async () => {
    await using daemon = await startDaemon();
    const run = await begun(daemon);
    const stream = await openStream(daemon.socket, eventsOf(run));
    await taken(stream);
    await taken(stream);
    daemon.progress(run, { type: 'build-progress', step: 'one', vertex: 'v1', name: 'RUN true', state: 'running' });
    expect(await stream.next()).toMatchObject({ id: undefined, data: { type: 'build-progress', vertex: 'v1' } });
    stream.close();
  });

  it('says now and then that it lives', async () => {
    await using daemon = await startDaemon({ limits: { heartbeatMs: 20 } });
    const run = await begun(daemon);
    const stream = await openStream(daemon.socket, eventsOf(run));
    const rest = stream.rest();
    const feed = await openStream(daemon.socket, '/api/v1/events');
    const feedRest = feed.rest().catch(() => []);
    while (stream.comments() < 3 || feed.comments() < 3) await new Promise((resolve) => setImmediate(resolve));
    await ended(daemon, run);
    expect(shapes(await rest)).toStrictEqual(ALL);
    feed.close();
    await feedRest;
  });

  it('ends with the token that it was asked for with', async () => {
    await using own = await startDaemon({ limits: { proofMs: 20 } });
    const { id } = await own.queueRun();
    const { token, record } = await own.services.tokens.create(ADMIN, { name: 'short', role: 'viewer' });
    const stream = await openStream(own.url, `/api/v1/runs/${id}/events`, { token });
    const socket = await openStream(own.socket, `/api/v1/runs/${id}/events`);
    const ended = stream.rest().then(
      () => 'ended',
      () => 'ended',
    );
    await own.services.tokens.revoke(ADMIN, record.id);
    expect(await ended).toBe('ended');
    await waitFor(async () => (own.server.streams() === 1 ? true : undefined));
    socket.close();
  });

  it('ends when the daemon does, and goes on where it was', async () => {
    const daemon = await startDaemon();
    const run = await begun(daemon);
    const stream = await openStream(daemon.socket, eventsOf(run));
    await taken(stream);
    const before = performance.now();
    await daemon[Symbol.asyncDispose]();
    expect(performance.now() - before).toBeLessThan(3000);
    expect(shapes(await stream.rest().catch(() => []))).toStrictEqual(['step-started']);
  });

  it('has pages too', async () => {
    await using daemon = await startDaemon();
    const run = await begun(daemon);
    const first = (await send(daemon.socket, { path: eventsOf(run, '?top=1') })).json();
    expect(first).toMatchObject({ next: 1, finished: false, items: [{ type: 'run-started', engine: 'fake' }] });
    await ended(daemon, run);
    const rest = (await send(daemon.socket, { path: eventsOf(run, '?after=1') })).json();
    expect(rest).toMatchObject({ next: 4, finished: true });
  });
});

describe('the stream of all runs', () => {
  it('tells of the runs that the asker may see, and goes on after a break', async () => {
    await using daemon = await startDaemon();
    await daemon.defineTask('mine');
    await daemon.defineTask('other');
    const token = await daemon.token({ name: 'mine', role: 'viewer', tasks: ['mine'] });
    const [all, mine] = [await openStream(daemon.socket, '/api/v1/events'), await openStream(daemon.url, '/api/v1/events', { token })];
    const other = await begun(daemon, 'other');
    const own = await begun(daemon, 'mine');
    const runs = async (stream: EventStream, count: number): Promise<unknown[]> => {
      const seen = [];
      for (let index = 0; index < count; index += 1) seen.push((await taken(stream)).data['run']);
      return seen;
    };
    expect(await runs(all, 4)).toStrictEqual([other.run, other.run, own.run, own.run]);
    const first = await taken(mine);
    expect(first.data['run']).toBe(own.run);
    mine.close();
    await ended(daemon, other);
    await ended(daemon, own);
    const back = await openStream(daemon.url, '/api/v1/events', { token, ...(first.id === undefined ? {} : { lastId: first.id }) });
    const seen = [await taken(back), await taken(back), await taken(back)];
    expect(seen.map(({ data }) => data['run'])).toStrictEqual([own.run, own.run, own.run]);
    expect(shapes(seen)).toStrictEqual(['step-started', 'step-finished', 'run-finished']);
    back.close();
    all.close();
  });

  it('tells a reader whose place is of another time that something is missing', async () => {
    await using daemon = await startDaemon();
    for (const lastId of ['0123456789ab-7', 'nonsense', '9.9']) {
      const stream = await openStream(daemon.socket, '/api/v1/events', { lastId });
      expect(await taken(stream)).toMatchObject({ event: 'gap', data: {} });
      stream.close();
    }
  });
});

describe('the log of a run', () => {
  const hostile = '\u001b]0;title\u0007\u001b]52;c;ZXZpbA==\u0007<script>alert(1)</script>\u001b[31mred\u001b[0m\r\n';

  it('is the bytes that were said, as text that no browser runs (threat 20)', async () => {
    await using daemon = await startDaemon();
    const run = await begun(daemon);
    await say(daemon, run, hostile);
    await say(daemon, run, Uint8Array.of(0xff, 0xfe, 0x00, 0x0a));
    await ended(daemon, run);
    const url = `${daemon.url}${logOf(run)}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${await daemon.token({ name: 'v', role: 'viewer' })}` } });
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes).toStrictEqual(Buffer.concat([Buffer.from(hostile), Buffer.of(0xff, 0xfe, 0x00, 0x0a)]));
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'x-log-next': String(bytes.length),
      'x-log-total': String(bytes.length),
    });
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('can be read on from any byte, in windows, and as lines of JSON', async () => {
    await using daemon = await startDaemon();
    const run = await begun(daemon);
    for (let line = 0; line < 50; line += 1) await say(daemon, run, `line ${line}\n`);
    await say(daemon, run, Uint8Array.of(0xff));
    await ended(daemon, run);
    const whole = await send(daemon.socket, { path: logOf(run) });
    const total = Number(whole.headers['x-log-total']);
    let together = '';
    for (let offset = 0; offset < total; ) {
      const window = await send(daemon.socket, { path: logOf(run, `?offset=${offset}&limit=37`) });
      together += window.text;
      expect(Number(window.headers['x-log-next'])).toBe(Math.min(total, offset + 37));
      offset = Number(window.headers['x-log-next']);
    }
    expect(together).toBe(whole.text);
    const lines = (await send(daemon.socket, { path: logOf(run), headers: { accept: 'application/x-ndjson' } })).text.trim().split('\n');
    const parsed = lines.map((line): Record<string, unknown> => JSON.parse(line));
    expect(parsed[0]).toMatchObject({ offset: 0, step: 'one', attempt: 1, stream: 'stdout' });
    expect(parsed.at(-1)).toMatchObject({ next: total });
    expect(
      parsed
        .map(({ text, base64 }) => Buffer.from(String(text ?? base64), text === undefined ? 'base64' : 'utf8').toString('latin1'))
        .join(''),
    ).toBe(`${Array.from({ length: 50 }, (_, line) => `line ${line}\n`).join('')}\u00ff`);
    expect((await send(daemon.socket, { path: logOf(run, '?step=two') })).text).toBe('');
    expect((await send(daemon.socket, { path: logOf(run, `?offset=${total + 5}`) })).text).toBe('');
  });

  it('is followed to the end of the run', async () => {
    await using daemon = await startDaemon();
    const run = await begun(daemon);
    await say(daemon, run, 'one\n');
    const following = send(daemon.socket, { path: logOf(run, '?follow=true') });
    await say(daemon, run, 'two\n');
    await ended(daemon, run);
    expect((await following).text).toBe('one\ntwo\n');
    const { id } = await daemon.queueRun();
    const never = send(daemon.socket, { path: logOf({ run: id }, '?follow=true') });
    await send(daemon.socket, { method: 'POST', path: `/api/v1/runs/${id}/cancel` });
    expect((await never).status).toBe(200);
  });

  it('breaks off when the daemon ends before the run: whoever reads to an end has the whole log', async () => {
    const daemon = await startDaemon();
    const run = await begun(daemon);
    await say(daemon, run, 'one\n');
    const stream = await openStream(daemon.socket, logOf(run, '?follow=true'));
    await daemon[Symbol.asyncDispose]();
    await expect(stream.rest()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('fault 14: readers that take nothing', () => {
  it('a thousand of them hold up no step and cost little', async () => {
    await using daemon = await startDaemon();
    const token = await daemon.token({ name: 'stalled', role: 'viewer' });
    const run = await begun(daemon);
    await say(daemon, run, 'x'.repeat(1023).concat('\n'));
    const before = process.memoryUsage().rss;
    // Not over TCP: for readers on the same machine the kernel takes megabytes each before they stall.
    const stalled: Socket[] = [];
    while (stalled.length < 1000) {
      // As many at once as the kernel keeps waiting for one that accepts.
      stalled.push(...(await Promise.all(Array.from({ length: 100 }, (_, index) => stall(daemon.socket, anyStream(run, index), token)))));
    }
    const block = Buffer.from(`${'y'.repeat(1023)}\n`.repeat(64));
    for (let count = 0; count < 256; count += 1) await say(daemon, run, block);
    // All of them are still there: what was said did not wait for their going.
    expect(daemon.server.streams()).toBe(1000);
    expect((await send(daemon.socket, { path: '/healthz' })).status).toBe(200);
    expect((process.memoryUsage().rss - before) / 1024 / 1024).toBeLessThan(500);
    await ended(daemon, run);
    expect((await send(daemon.socket, { path: logOf(run) })).text).toHaveLength(1024 + 256 * block.length);
    for (const socket of stalled) socket.destroy();
  }, 90_000);

  it('they are dropped after a while, and can come back', async () => {
    await using daemon = await startDaemon({ limits: { stallMs: 200 } });
    const token = await daemon.token({ name: 'stalled', role: 'viewer' });
    const run = await begun(daemon);
    await say(daemon, run, 'first\n');
    const stalled = await Promise.all(
      [0, 1, 2, 3].map((index) => stall(index < 2 ? daemon.socket : daemon.url, anyStream(run, index), token)),
    );
    const block = Buffer.from(`${'y'.repeat(1023)}\n`.repeat(64));
    for (let count = 0; count < 512; count += 1) await say(daemon, run, block);
    while (daemon.server.streams() > 0) await new Promise((resolve) => setImmediate(resolve));
    for (const socket of stalled) socket.destroy();
    await ended(daemon, run);
    const back = await openStream(daemon.socket, eventsOf(run, '?logs=true'), { lastId: '2.6' });
    expect(shapes(await back.rest()).at(-1)).toBe('run-finished');
  }, 60_000);

  it('no more streams are open than may be', async () => {
    await using daemon = await startDaemon({ limits: { streams: 3, streamsPerPrincipal: 2 } });
    const [one, two] = [await daemon.token({ name: 'one', role: 'viewer' }), await daemon.token({ name: 'two', role: 'viewer' })];
    const run = await begun(daemon);
    const open = [
      await openStream(daemon.url, eventsOf(run), { token: one }),
      await openStream(daemon.url, '/api/v1/events', { token: one }),
    ];
    const refused = await openStream(daemon.url, eventsOf(run), { token: one });
    expect([refused.status, refused.headers['retry-after']]).toStrictEqual([429, '10']);
    open.push(await openStream(daemon.url, eventsOf(run), { token: two }));
    expect((await openStream(daemon.url, eventsOf(run), { token: two })).status).toBe(429);
    for (const stream of open) stream.close();
    while (daemon.server.streams() > 0) await new Promise((resolve) => setImmediate(resolve));
    const again = await openStream(daemon.url, eventsOf(run), { token: two });
    expect(again.status).toBe(200);
    again.close();
  });
});

async function taken(stream: EventStream): Promise<StreamMessage> {
  const message = await stream.next();
  if (message === undefined) throw new Error('the stream ended');
  return message;
}

function anyStream(run: Assignment, index: number): string {
  return index % 2 === 0 ? eventsOf(run, '?logs=true') : logOf(run, '?follow=true');
}

/** Asks for a stream and reads nothing but the beginning of the answer. */
function stall(to: string, path: string, token: string): Promise<Socket> {
  const where = to.startsWith('/') ? { path: to } : { host: '127.0.0.1', port: Number(new URL(to).port) };
  return new Promise((resolve, reject) => {
    const socket = connect(where);
    socket.on('error', reject);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    socket.once('data', () => {
      socket.pause();
      resolve(socket);
    });
  });
}
