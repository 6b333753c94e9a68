import { expect, test } from 'vitest';
import { FAULTS, runFault } from './table.ts';

test.each(FAULTS.map(([fault]) => fault))('$name: $about', async (fault) => {
  const { lost, doubled, runs } = await runFault(fault, { rounds: 1, seed: 7 });
  expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
  expect(runs).toBeGreaterThan(0);
});
