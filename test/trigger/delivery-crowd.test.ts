import { expect, it } from 'vitest';
import { createCrowd } from '../../src/trigger/delivery-crowd.ts';

function clockAt() {
  const clock = { ms: 0, monotonicMs: () => clock.ms };
  return clock;
}

it('a few deliveries after one another are no crowd', () => {
  const clock = clockAt();
  const crowd = createCrowd(clock);
  for (clock.ms = 0; clock.ms < 2000; clock.ms += 6) {
    crowd.stored(clock.ms - 5);
    expect(crowd.isThere()).toBe(false);
  }
});

it('several that waited at the same time are one, and for a while afterwards', () => {
  const clock = clockAt();
  const crowd = createCrowd(clock);
  clock.ms = 100;
  for (let count = 0; count < 6; count += 1) {
    expect(crowd.isThere()).toBe(false);
    crowd.stored(90);
  }
  expect(crowd.isThere()).toBe(true);
  clock.ms = 349;
  expect(crowd.isThere()).toBe(true);
  clock.ms = 350;
  expect(crowd.isThere()).toBe(false);
});

it('many in a short time are one, however fast each is answered', () => {
  const clock = clockAt();
  const crowd = createCrowd(clock);
  for (clock.ms = 0; clock.ms < 100; clock.ms += 1) crowd.stored(clock.ms);
  expect(crowd.isThere()).toBe(true);
});
