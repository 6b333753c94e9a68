import { expect, test } from 'vitest';
import { decideConflict } from '../../../src/service/runs/run-conflict.ts';
import { runRequest } from '../../contract/store-values.ts';

const older = (held: boolean) => [{ run: 'ra001', queued: true, held, trust: 'trusted' as const }];
const conflict = (onConflict: 'skip' | 'cancel-pending' | 'queue', held: boolean) =>
  decideConflict({ id: 'ra002', request: runRequest({ concurrency: { group: 'g', limit: 1, onConflict } }) }, older(held));

test('a held run makes no other skip, and is superseded like any that waits', () => {
  expect(conflict('skip', false).skip).toBe(true);
  expect(conflict('skip', true).skip).toBe(false);
  expect(conflict('cancel-pending', true).cancel).toEqual(['ra001']);
  expect(conflict('queue', false)).toMatchObject({ skip: false, cancel: [] });
});
