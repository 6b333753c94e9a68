import { expect, test } from 'vitest';
import type { TraceVertex } from '../../../src/container/build/build-trace.ts';
import { TraceProgress } from '../../../src/container/build/trace-progress.ts';
import type { BuildProgress } from '../../../src/model/ports/container-engine.ts';

async function told(vertex: Partial<TraceVertex>): Promise<{ readonly told: readonly BuildProgress[]; readonly failure: unknown }> {
  const all: BuildProgress[] = [];
  const io = {
    signal: new AbortController().signal,
    onOutput: () => undefined,
    onProgress: (progress: BuildProgress) => void all.push(progress),
  };
  const progress = new TraceProgress(io);
  const ended = { digest: 'd', name: '', cached: false, startedNs: 1n, completedNs: 9_000_000n, error: '', ...vertex };
  await progress.handle({ vertexes: [ended], statuses: [], logs: [], warnings: [] });
  return { told: all, failure: progress.failure('') };
}

test('a cache that does not exist yet is a note and no failure', async () => {
  const name = 'importing cache manifest from r.io/app:cache_t_build';
  const { told: first, failure } = await told({ name, error: 'r.io/app:cache_t_build: not found' });
  expect(first).toMatchObject([{ name, state: 'done', note: 'no cache yet at r.io/app:cache_t_build' }]);
  expect(failure).toBeUndefined();
  expect((await told({ name, error: 'failed to authorize: 401 Unauthorized' })).told).toMatchObject([{ state: 'failed' }]);
  expect((await told({ name: '[2/2] RUN x', error: 'x: not found' })).told).toMatchObject([{ state: 'failed' }]);
});
