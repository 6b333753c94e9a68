import { expect, test } from 'vitest';
import type { GroupMember } from '../../../src/model/ports/run-queue.ts';
import { decideConflict } from '../../../src/service/runs/run-conflict.ts';
import { runRequest } from '../../contract/store-values.ts';

test('untrusted members take no place of a trusted run, and are not ended by it; of an untrusted run all take places', () => {
  const members: readonly GroupMember[] = [{ run: 'ra001', queued: true, held: false, trust: 'untrusted' }];
  const trusted: readonly GroupMember[] = [{ run: 'ra000', queued: true, held: false, trust: 'trusted' }];
  for (const onConflict of ['skip', 'cancel-pending', 'cancel-running', 'queue'] as const) {
    const concurrency = { group: 'g', limit: 1, onConflict };
    const decide = (trust: 'trusted' | 'untrusted', all: readonly GroupMember[]) =>
      decideConflict({ id: 'ra002', request: runRequest({ trust, concurrency }) }, all);
    expect(decide('trusted', members)).toMatchObject({ skip: false, cancel: [] });
    expect(decide('untrusted', trusted)).toMatchObject({ skip: onConflict === 'skip', cancel: [] });
    expect(decide('untrusted', members)).toMatchObject({
      skip: onConflict === 'skip',
      cancel: /^cancel/.test(onConflict) ? ['ra001'] : [],
    });
    expect(decide('trusted', [...trusted, ...members])).toMatchObject({ cancel: /^cancel/.test(onConflict) ? ['ra000'] : [] });
  }
});

const older = (held: boolean) => [{ run: 'ra001', queued: true, held, trust: 'trusted' as const }];
const conflict = (onConflict: 'skip' | 'cancel-pending' | 'queue', held: boolean) =>
  decideConflict({ id: 'ra002', request: runRequest({ concurrency: { group: 'g', limit: 1, onConflict } }) }, older(held));

test('a held run makes no other skip, and is superseded like any that waits', () => {
  expect(conflict('skip', false).skip).toBe(true);
  expect(conflict('skip', true).skip).toBe(false);
  expect(conflict('cancel-pending', true).cancel).toEqual(['ra001']);
  expect(conflict('queue', false)).toMatchObject({ skip: false, cancel: [] });
});
