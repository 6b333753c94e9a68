import { expect, it } from 'vitest';
import { type BodyHold, BodyRoom } from '../../../src/daemon/http/body-room.ts';

const MIB = 1024 * 1024;
const PIECE = 64 * 1024;

function roomAt() {
  const clock = { ms: 0 };
  const room = new BodyRoom({ bytes: 256 * MIB, most: 25 * MIB }, () => clock.ms);
  let lost = 0;
  const hold = (hook: string, address: string): BodyHold =>
    room.hold({ hook, address }, () => {
      lost += 1;
    });
  return { clock, hold, lost: () => lost };
}

function fill(hold: BodyHold, bytes: number): boolean {
  for (let done = 0; done < bytes; done += PIECE) if (!hold.grow(Math.min(PIECE, bytes - done))) return false;
  return true;
}

it('what is declared and not sent takes nothing', () => {
  const { hold } = roomAt();
  for (let count = 0; count < 10_000; count += 1) expect(hold('a', 'x').grow(1)).toBe(true);
  expect(fill(hold('a', 'x'), 25 * MIB)).toBe(true);
});

it('a small body finds room however many are held open, and the oldest loses its', () => {
  const { hold, lost } = roomAt();
  for (let count = 0; count < 500; count += 1) expect(fill(hold('a', `x${count}`), MIB / 2)).toBe(true);
  expect(lost()).toBeGreaterThan(400);
  const before = lost();
  // Neither from the same place nor from elsewhere is anybody refused; another hook costs nobody anything.
  expect(fill(hold('b', 'y'), MIB / 2)).toBe(true);
  expect(lost()).toBe(before);
  expect(fill(hold('a', 'x0'), MIB / 2)).toBe(true);
});

it('a hook or an address takes half of the room of large bodies; others find theirs', () => {
  const { hold, clock } = roomAt();
  const first = Array.from({ length: 3 }, () => hold('a', 'x'));
  for (const one of first) expect(fill(one, 25 * MIB)).toBe(true);
  expect(fill(hold('a', 'y'), 25 * MIB)).toBe(false);
  expect(fill(hold('b', 'x'), 25 * MIB)).toBe(false);
  expect(fill(hold('b', 'y'), 25 * MIB)).toBe(true);
  expect(fill(hold('a', 'x'), MIB / 2)).toBe(true);
  // What has been read for long is given up.
  clock.ms = 2000;
  expect(fill(hold('a', 'x'), 25 * MIB)).toBe(true);
  expect(first.map((one) => one.grow(1))).toEqual([false, true, true]);
});

it('what was read to its end is given up for nobody, and its room is free when it is released', () => {
  const { hold, clock, lost } = roomAt();
  const read = Array.from({ length: 3 }, () => hold('a', 'x'));
  for (const one of read) {
    fill(one, 25 * MIB);
    one.complete();
  }
  clock.ms = 10_000;
  expect(fill(hold('a', 'x'), 25 * MIB)).toBe(false);
  expect(lost()).toBe(0);
  for (const one of read) {
    one.release();
    one.release();
  }
  for (let count = 0; count < 3; count += 1) expect(fill(hold('a', 'x'), 25 * MIB)).toBe(true);
});

it('pieces of one byte are counted with what they cost', () => {
  const { hold } = roomAt();
  const body = hold('a', 'x');
  let bytes = 0;
  while (body.grow(1)) bytes += 1;
  expect(bytes).toBeLessThan(MIB);
});
