import { expect, test } from 'vitest';
import { FAULTS, runFault } from './table.ts';

/** One round says nothing of a soak, and takes a minute of an unknown commit: those are left to `npm run chaos`. */
const LONG: readonly string[] = ['soak', 'commit unknown'];

test.each(FAULTS.map(([fault]) => fault).filter(({ name }) => !LONG.includes(name)))('$name: $about', async (fault) => {
  const { lost, doubled, runs } = await runFault(fault, { rounds: 1, seed: 7, brief: true });
  expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
  expect(runs).toBeGreaterThan(0);
});
