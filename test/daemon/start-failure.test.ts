import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startTask } from '../cli/task-process.ts';
import { startHttpServer } from '../support/http-server.ts';

test('a daemon whose address is taken says so and ends, and leaves nothing open', { timeout: 60_000 }, async () => {
  await using other = await startHttpServer((_request, response) => response.end());
  const data = await mkdtemp(join(tmpdir(), 'slipway-start-'));
  try {
    const started = startTask(['serve', '--data', join(data, 'd'), '--listen', new URL(other.url).host]);
    const { code, stderr, signal } = await started.finished;
    expect([code, signal]).toEqual([2, null]);
    expect(stderr).toContain('cannot listen on');
    expect(stderr).toContain('--listen');
  } finally {
    await rm(data, { recursive: true });
  }
});
