import { join } from 'node:path';
import { expect, test } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../../scripts/lib/base-image.mjs');

interface BaseImageScript {
  builtMeanwhile(before: ReadonlySet<string>, now: readonly string[]): readonly string[];
}

test('only images that came while the sample ran are taken back, and never the helper image that others use', async () => {
  const { builtMeanwhile } = (await import(SCRIPT)) as BaseImageScript;
  const before = new Set(['127.0.0.1:5000/quickstart-client:theirs', 'slipway-holder:1']);
  const now = [...before, '127.0.0.1:5000/quickstart-client:ours', 'slipway-holder:2'];
  expect(builtMeanwhile(before, now)).toEqual(['127.0.0.1:5000/quickstart-client:ours']);
});
