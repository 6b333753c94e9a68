import { expect, it } from 'vitest';
import { KeyedLock } from '../../src/util/keyed-lock.ts';

const { signal: NEVER } = new AbortController();

it('lets one work at a time, in order, and others of another key beside it', async () => {
  const lock = new KeyedLock();
  const said: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = lock.run('a', NEVER, async () => {
    await gate.promise;
    said.push('first');
  });
  const second = lock.run('a', NEVER, async () => void said.push('second'));
  await lock.run('b', NEVER, async () => void said.push('beside'));
  expect(said).toEqual(['beside']);
  gate.resolve();
  await Promise.all([first, second]);
  expect(said).toEqual(['beside', 'first', 'second']);
});

it('goes on after work that failed, and passes over who gave up waiting without letting anybody in before', async () => {
  const lock = new KeyedLock();
  const said: string[] = [];
  const gate = Promise.withResolvers<void>();
  const failing = lock.run('a', NEVER, async () => {
    await gate.promise;
    said.push('failing');
    throw new Error('broken');
  });
  const gone = new AbortController();
  const waiting = lock.run('a', gone.signal, async () => void said.push('never'));
  const last = lock.run('a', NEVER, async () => void said.push('last'));
  gone.abort(new Error('gave up'));
  await expect(waiting).rejects.toThrow('gave up');
  expect(said).toEqual([]);
  gate.resolve();
  await expect(failing).rejects.toThrow('broken');
  await last;
  expect(said).toEqual(['failing', 'last']);
  await expect(lock.run('a', gone.signal, async () => undefined)).rejects.toThrow('gave up');
});
