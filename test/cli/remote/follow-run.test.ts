import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { createDaemonClient } from '../../../src/cli/remote/client.ts';
import { parseServer } from '../../../src/cli/remote/find-server.ts';
import { followRun } from '../../../src/cli/remote/follow-run.ts';
import type { RunEvent } from '../../../src/model/run-event.ts';
import { startHttpServer } from '../../support/http-server.ts';

const base = { version: 1, at: '2026-11-23T12:00:00.000Z', run: 'ra001' } as const;
const EVENTS: readonly RunEvent[] = [
  { ...base, seq: 1, type: 'run-started', task: 't', registry: '', engine: '', steps: [{ id: 'a', kind: 'cmd', needs: [] }] },
  { ...base, seq: 2, type: 'step-started', step: 'a', attempt: 1, detail: 'busybox' },
  { ...base, seq: 2, type: 'step-output', step: 'a', attempt: 1, stream: 'stdout', text: 'hello' },
  { ...base, seq: 2, type: 'note', level: 'warning', message: 'output is missing here' },
  { ...base, seq: 3, type: 'step-finished', step: 'a', status: 'failed', attempts: 1, durationMs: 1, exitCode: 1 },
  {
    ...base,
    seq: 4,
    type: 'run-finished',
    status: 'Failed',
    durationMs: 2,
    criticalPathMs: 2,
    images: [],
    built: [],
    baseImages: [],
    dependencies: [],
  },
];

const message = (index: number): string => `id: ${index}.0\ndata: ${JSON.stringify(EVENTS[index])}\n\n`;

function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('retry: 1000\n\n: beat\n\n');
}

async function follow(url: string, signal = new AbortController().signal) {
  const told: { readonly events: RunEvent[]; readonly waiting: string[]; readonly connection: string[] } = {
    events: [],
    waiting: [],
    connection: [],
  };
  const client = createDaemonClient(parseServer(url, '--server', { directory: '/' }), {});
  const end = await followRun(client, {
    runId: 'ra001',
    logs: true,
    signal,
    onEvent: (event) => void told.events.push(event),
    onWaiting: (sentence) => void told.waiting.push(sentence),
    onConnection: (sentence) => void told.connection.push(sentence),
  });
  return { end, ...told };
}

test('a stream that breaks after every event is told whole, and once', async () => {
  const places: string[] = [];
  await using server = await startHttpServer((request, response) => {
    if (!request.url?.includes('/events')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"runId":"ra001","status":"Running"}');
      return;
    }
    const last = request.headers['last-event-id'];
    places.push(String(last ?? ''));
    begin(response);
    response.write(message(last === undefined ? 0 : Number.parseInt(String(last), 10) + 1), () => response.socket?.destroy());
  });
  const { end, events, connection } = await follow(server.url);
  expect(end).toMatchObject({ status: 'Failed', told: true });
  expect(events).toEqual(EVENTS);
  expect(places).toEqual(['', '0.0', '1.0', '2.0', '3.0', '4.0']);
  expect(connection.length).toBeGreaterThan(0);
});

test('a run that ended without an event is asked for', async () => {
  await using server = await startHttpServer((request, response) => {
    if (request.url?.includes('/events')) {
      begin(response);
      response.end();
    } else response.writeHead(200, { 'content-type': 'application/json' }).end('{"runId":"ra001","status":"Canceled"}');
  });
  const { end, events } = await follow(server.url);
  expect([end.status, end.told, events]).toEqual(['Canceled', false, []]);
});

test('a queued run says what it waits for, once for each reason', async () => {
  let asked = 0;
  await using server = await startHttpServer((request, response) => {
    if (request.url?.includes('/events')) {
      begin(response);
      request.on('close', () => response.end());
      const timer = setInterval(() => {
        if (asked < 3) return;
        clearInterval(timer);
        response.write(message(0) + message(5));
      }, 20);
      return;
    }
    asked += 1;
    const waiting = { position: asked < 3 ? 2 : 1, reason: 'agent-busy', because: 'the agent is busy', queuedMs: 1 };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ runId: 'ra001', status: 'Queued', waiting }));
  });
  const { waiting, end } = await follow(server.url);
  expect(end.status).toBe('Failed');
  expect(waiting[0]).toBe('waiting, position 2: the agent is busy');
  expect(waiting.length).toBeLessThanOrEqual(2);
});

test('a refusal is not tried again', async () => {
  let asked = 0;
  await using server = await startHttpServer((_request, response) => {
    asked += 1;
    response.writeHead(404, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ status: 404, title: 'x', detail: 'there is no run ra001', code: 'not-found', help: 'h' }));
  });
  await expect(follow(server.url)).rejects.toThrow('there is no run ra001');
  expect(asked).toBe(1);
});

test('leaving ends at once', async () => {
  await using server = await startHttpServer((_request, response) => begin(response));
  const leaving = new AbortController();
  setTimeout(() => leaving.abort(new Error('left')), 50);
  await expect(follow(server.url, leaving.signal)).rejects.toThrow('left');
});
