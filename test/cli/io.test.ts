import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { guardReader } from '../../src/cli/io.ts';

/** A stream whose reader takes nothing, with the properties of a terminal's. */
function stalled() {
  return Object.assign(new PassThrough({ highWaterMark: 1 }), { isTTY: false, columns: 80, rows: 24 });
}

test('any number of writers wait for a slow reader behind one listener, and all go on when it has caught up', () => {
  const stream = stalled();
  const guarded = guardReader(stream, () => undefined);
  let woken = 0;
  for (let writer = 0; writer < 100; writer += 1) {
    expect(guarded.write('text')).toBe(false);
    guarded.once('drain', () => {
      woken += 1;
    });
  }
  expect(stream.listenerCount('drain')).toBe(1);
  stream.emit('drain');
  stream.emit('drain');
  expect(woken).toBe(100);
});

test('when the reader has gone nobody waits, and whoever started the program is told once', () => {
  const stream = stalled();
  let gone = 0;
  const guarded = guardReader(stream, () => {
    gone += 1;
  });
  let woken = 0;
  const wake = (): void => {
    woken += 1;
  };
  guarded.once('drain', wake);
  const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
  stream.emit('error', broken);
  stream.emit('error', broken);
  guarded.once('drain', wake);
  expect([gone, woken, guarded.write('more')]).toEqual([1, 2, true]);
});
