import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { collectImages } from '../../../src/service/runs/image-retention.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-store.ts';
import { outcome, runRequest } from '../../contract/store-values.ts';
import { createFakeClock } from '../../fakes/fake-clock.ts';

const DAY_MS = 86_400_000;

/** Runs on the real store whose builds gave the named tags to images; the engine is what `images` says. */
async function rig(builds: readonly (readonly [tag: string, image: string])[], images: Map<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-images-'));
  const clock = createFakeClock();
  const store = await openSqliteStore({ path: join(folder, 'db'), clock });
  for (const [tag, id] of builds) {
    const run = await store.runs.create({ request: runRequest() });
    await store.runs.claim(run.id, { agent: 'one', from: 0 });
    await store.runs.finish(run.id, 1, outcome('Succeeded', { built: [{ step: 'b', id, tags: [tag] }] }));
    await clock.advance(DAY_MS);
  }
  const engine = {
    findImage: async (reference: string) => {
      const id = images.get(reference);
      return id === undefined ? undefined : { id, tags: [reference], repoDigests: [], os: 'linux', architecture: 'amd64' };
    },
    removeImage: async (reference: string): Promise<'removed' | 'missing'> => (images.delete(reference) ? 'removed' : 'missing'),
  };
  return {
    parts: (keepDays: number | undefined) => ({ store, engine, clock, keepMs: keepDays === undefined ? undefined : keepDays * DAY_MS }),
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

test('tags of old builds go, those that a later build has taken and foreign ones stay', async () => {
  const images = new Map([
    ['app:1', 'sha256:1'],
    ['app:latest', 'sha256:2'],
    ['app:2', 'sha256:2'],
    ['other', 'sha256:9'],
  ]);
  await using rigged = await rig(
    [
      ['app:1', 'sha256:1'],
      ['app:latest', 'sha256:1'],
      ['app:2', 'sha256:2'],
    ],
    images,
  );
  expect(await collectImages(rigged.parts(undefined), { dryRun: false })).toBe(0);
  expect(await collectImages(rigged.parts(1.5), { dryRun: true })).toBe(1);
  expect(await collectImages(rigged.parts(1.5), { dryRun: false })).toBe(1);
  expect([...images.keys()]).toEqual(['app:latest', 'app:2', 'other']);
  expect(await collectImages(rigged.parts(0.5), { dryRun: false })).toBe(1);
  expect([...images.keys()]).toEqual(['app:latest', 'other']);
});
