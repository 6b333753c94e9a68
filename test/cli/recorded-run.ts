import type { RunEvent, RunFact } from '../../src/model/run-event.ts';

const STARTED = Date.UTC(2026, 0, 31, 12, 0, 0);

/** Events out of facts: numbered from 1, half a second apart. */
export function numbered(facts: readonly RunFact[]): readonly RunEvent[] {
  return facts.map((fact, index) => ({
    version: 1,
    seq: index + 1,
    at: new Date(STARTED + index * 500).toISOString(),
    run: 'r1abcd',
    ...fact,
  }));
}

/** A build that uses the cache, a test that fails on its second attempt, and a push that is skipped. */
export const FAILED_RUN: readonly RunEvent[] = numbered([
  {
    type: 'run-started',
    task: 'quickrun',
    registry: 'localhost:5000',
    engine: 'docker 28.0',
    steps: [
      { id: 'build', kind: 'build', needs: [] },
      { id: 'test', kind: 'cmd', needs: ['build'] },
      { id: 'push', kind: 'push', needs: ['test'] },
    ],
  },
  { type: 'note', level: 'warning', message: 'the registry is slow' },
  { type: 'step-started', step: 'build', attempt: 1, detail: '-t app:1 .' },
  { type: 'build-progress', step: 'build', vertex: 'v1', name: '[1/2] FROM base', state: 'cached' },
  { type: 'build-progress', step: 'build', vertex: 'v2', name: '[2/2] RUN make', state: 'started' },
  { type: 'step-output', step: 'build', attempt: 1, stream: 'stdout', text: 'compiling\nlinking' },
  { type: 'build-progress', step: 'build', vertex: 'v2', name: '[2/2] RUN make', state: 'done', durationMs: 1234 },
  { type: 'image-built', step: 'build', id: 'sha256:1111', tags: ['app:1'] },
  { type: 'step-finished', step: 'build', status: 'succeeded', attempts: 1, durationMs: 1500 },
  { type: 'step-started', step: 'test', attempt: 1, detail: "app:1 sh -c 'run tests'" },
  { type: 'step-output', step: 'test', attempt: 1, stream: 'stderr', text: 'first try' },
  { type: 'step-retrying', step: 'test', attempt: 1, delayMs: 2000, because: 'exit code 1' },
  { type: 'step-started', step: 'test', attempt: 2, detail: "app:1 sh -c 'run tests'" },
  { type: 'step-output', step: 'test', attempt: 2, stream: 'stdout', text: 'second\ntry' },
  {
    type: 'step-finished',
    step: 'test',
    status: 'failed',
    attempts: 2,
    durationMs: 65_000,
    exitCode: 3,
    because: 'the container ended with exit code 3',
  },
  { type: 'step-finished', step: 'push', status: 'skipped', attempts: 0, durationMs: 0, because: 'test failed' },
  {
    type: 'run-finished',
    status: 'Failed',
    durationMs: 66_600,
    criticalPathMs: 66_500,
    images: [],
    built: [{ step: 'build', id: 'sha256:1111', tags: ['app:1'] }],
    baseImages: [
      {
        step: 'build',
        reference: 'alpine:3',
        platform: 'linux/amd64',
        indexDigest: 'sha256:2222',
        platformDigest: 'sha256:3333',
        role: 'runtime',
        source: 'registry',
      },
    ],
    dependencies: [],
    failure: { step: 'test', message: 'the container ended with exit code 3' },
  },
]);
