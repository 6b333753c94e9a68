import { describe, expect, it } from 'vitest';
import type { Cause } from '../../src/model/run-record.ts';
import { chainOf } from '../../src/trigger/chain.ts';

const MANUAL: Cause = { kind: 'manual', principal: 'ann', from: 'test' };
const image = (name: string) => ({ registry: 'r.io', repository: name, tag: '1', digest: `sha256:${name}` });
const update = (names: readonly string[], run?: { readonly run: string; readonly task: string }): Cause => ({
  ...{ kind: 'image-update', trigger: 'base', images: names.map(image) },
  ...run,
});

/** Runs by id: the task, and the causes. Each pushed the image of its task. */
function history(runs: Readonly<Record<string, readonly [task: string, causes: readonly Cause[]]>>) {
  return {
    runs: {
      get: async (id: string) => {
        const known = runs[id];
        return known === undefined ? undefined : { id, request: { task: known[0], causes: known[1] } };
      },
    },
    watch: {
      pusherOf: async ({ repository }: { readonly repository: string }) => {
        const found = Object.entries(runs).find(([, [task]]) => task === repository);
        return found === undefined ? undefined : { run: found[0], task: repository };
      },
    },
  };
}

describe('chains of runs', () => {
  it('goes back over images that joined a run later', async () => {
    const parts = history({
      r1: ['left', [update(['root'])]],
      r2: ['right', [update(['root'])]],
      // Its cause names the run of the image that came last.
      r3: ['top', [update(['left', 'right'], { run: 'r2', task: 'right' }), update(['root'])]],
    });
    const chain = await chainOf({ run: 'r3', task: 'top' }, parts);
    expect(chain).toMatchObject({ run: 'r3', task: 'top', length: 2 });
    expect(chain?.cycleOf('left')).toEqual(['left', 'top', 'left']);
    expect(chain?.cycleOf('right')).toEqual(['right', 'top', 'right']);
    expect(chain?.cycleOf('other')).toBeUndefined();
  });

  it('goes over tasks that run after others', async () => {
    const parts = history({ r1: ['first', [MANUAL]], r2: ['second', [{ kind: 'after', task: 'first', run: 'r1' }, MANUAL]] });
    const chain = await chainOf({ run: 'r2', task: 'second' }, parts);
    expect(chain?.length).toBe(2);
    expect(chain?.cycleOf('first')).toEqual(['first', 'second', 'first']);
  });

  it('knows runs that are gone from what later ones say, and ends where runs go round', async () => {
    const kept = [update(['b'], { run: 'gone2', task: 'b' }), update(['a'], { run: 'gone1', task: 'a' }), MANUAL];
    const chain = await chainOf({ run: 'r9', task: 'c' }, history({ r9: ['c', kept] }));
    expect(chain?.length).toBe(3);
    expect(chain?.cycleOf('a')).toEqual(['a', 'b', 'c', 'a']);
    const round = history({ r1: ['a', [update(['b'], { run: 'r2', task: 'b' })]], r2: ['b', [update(['a'], { run: 'r1', task: 'a' })]] });
    expect((await chainOf({ run: 'r1', task: 'a' }, round))?.length).toBe(2);
    expect(await chainOf({ run: 'none', task: 'x' }, round)).toBeUndefined();
  });
});
