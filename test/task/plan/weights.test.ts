import { describe, expect, it } from 'vitest';
import { chainWeights } from '../../../src/task/plan/weights.ts';

describe('chainWeights', () => {
  it('counts the longest chain from a step to the end', () => {
    const steps = [
      { id: 'a', needs: [] },
      { id: 'b', needs: [] },
      { id: 'c', needs: ['a'] },
      { id: 'd', needs: ['c'] },
      { id: 'e', needs: ['a', 'b', 'd'] },
    ];
    expect(chainWeights(steps)).toEqual([4, 2, 3, 2, 1]);
  });
});
