import { expect, it } from 'vitest';
import { send } from './client.ts';
import { startDaemon } from './daemon-fixture.ts';

it('counts requests by route, never by path, and shows the queue and the agents', async () => {
  await using daemon = await startDaemon();
  await daemon.queueRun();
  await send(daemon.socket, { path: '/api/v1/runs/ra001' });
  await send(daemon.socket, { path: '/api/v1/runs/zzzz' });
  await send(daemon.url, { path: '/api/v1/me' });
  const { text, headers } = await send(daemon.socket, { path: '/metrics' });
  expect(headers['content-type']).toContain('text/plain');
  const lines = text.split('\n');
  expect(lines).toStrictEqual(
    expect.arrayContaining([
      'slipway_queue_depth 1',
      'slipway_queue_paused 0',
      'slipway_runs{status="Queued"} 1',
      'slipway_agent_slots{agent="agent1"} 100',
      'slipway_agent_slots_used{agent="agent1"} 0',
      'slipway_http_refused_proofs_total 1',
      'slipway_http_request_duration_seconds_count{method="GET",route="/api/v1/runs/:id",status="200"} 1',
      'slipway_http_request_duration_seconds_count{method="GET",route="/api/v1/runs/:id",status="404"} 1',
    ]),
  );
  expect(text).not.toContain('zzzz');
  expect(lines.some((line) => line.startsWith('process_resident_memory_bytes '))).toBe(true);
});

it('says why it is not ready', async () => {
  const checks = [{ name: 'store', ok: false, because: 'the database cannot be written' }];
  await using daemon = await startDaemon({
    change: ({ operations }) => ({ operations: { ...operations, readiness: async () => ({ ready: false, checks }) } }),
  });
  const answer = await send(daemon.url, { path: '/readyz' });
  expect([answer.status, answer.json()]).toStrictEqual([503, { ready: false, checks }]);
  expect((await send(daemon.url, { path: '/healthz' })).status).toBe(200);
});
