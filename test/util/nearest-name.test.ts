import { describe, expect, it } from 'vitest';
import { nearestName } from '../../src/util/nearest-name.ts';

describe('nearestName', () => {
  it.each([
    ['wehn', ['cmd', 'when', 'env'], 'when'],
    ['entrypoint', ['entryPoint', 'env'], 'entryPoint'],
    ['memroy', ['memory', 'memory-swap'], 'memory'],
    ['vlumes', ['volume', 'volumes'], 'volumes'],
    ['x', ['y', 'long'], 'y'],
    ['nothing-like-it', ['memory', 'volume'], undefined],
    ['', ['ab'], undefined],
    ['ab', [], undefined],
  ])('%j among %j', (name, candidates, expected) => {
    expect(nearestName(name, candidates)).toBe(expected);
  });
});
