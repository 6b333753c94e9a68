import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DependencyGraph, type GraphTask, isNewsFor } from '../../../src/trigger/image/dependency-graph.ts';

const tag = (repository: string, name = '1') => ({ registry: 'r.io', repository, tag: name });
const follows = (repository: string, pattern = '') => ({ image: tag(repository, pattern === '' ? '1' : ''), pattern });

/** Tasks by name, each with what it follows; each pushes the image of its name. */
function graphOf(tasks: Readonly<Record<string, readonly string[]>>): DependencyGraph {
  return new DependencyGraph(
    Object.entries(tasks).map(
      ([name, from]): GraphTask => ({ id: name, name, bases: from.map((one) => follows(one)), outputs: [tag(name)] }),
    ),
  );
}

describe('edges', () => {
  it.each([
    [follows('a'), tag('a'), true],
    [follows('a'), tag('a', '2'), false],
    [follows('a'), tag('b'), false],
    [follows('a'), tag('a', ''), false],
    [follows('a', 'semver:~1.2'), tag('a', '1.2.3'), true],
    [follows('a', 'semver:~1.2'), tag('a', '1.3.0'), false],
    [follows('a', 'semver:~1.2'), tag('a', ''), true],
    [follows('a', 'regex:('), tag('a', 'x'), false],
  ])('%j and %j: %s', (base, pushed, news) => expect(isNewsFor(base, pushed)).toBe(news));
});

describe('order and cycles', () => {
  it('puts who builds on what others push after them', () => {
    const graph = graphOf({ top: ['left', 'right'], right: ['root'], left: ['root'], root: ['outside'] });
    expect([...graph.upstream('top')].sort()).toEqual(['left', 'right', 'root']);
    expect(graph.inOrder(['top', 'left', 'right', 'root'])).toEqual(['root', 'left', 'right', 'top']);
    expect(graph.cycles()).toEqual([]);
  });

  it('names each cycle once, in the order of building', () => {
    const graph = graphOf({ self: ['self'], a: ['c'], b: ['a'], c: ['b'], after: ['a'] });
    expect(graph.cycles()).toEqual([['self'], ['a', 'b', 'c']]);
    expect(graph.isAfter('a', 'b')).toBe(false);
    expect(graph.isAfter('after', 'b')).toBe(true);
  });

  it('orders any graph so that nobody comes before whom it has to wait for', () => {
    const edges = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 25 });
    fc.assert(
      fc.property(edges, (pairs) => {
        const names = Array.from({ length: 10 }, (_, at) => `t${at}`);
        const graph = graphOf(
          Object.fromEntries(names.map((name, at) => [name, pairs.filter(([to]) => to === at).map(([, from]) => `t${from}`)])),
        );
        const order = graph.inOrder(names);
        expect([...order].sort()).toEqual(names);
        for (const [at, name] of order.entries()) for (const later of order.slice(at + 1)) expect(graph.isAfter(name, later)).toBe(false);
        const cyclic = new Set(graph.cycles().flat());
        for (const cycle of graph.cycles()) {
          for (const [at, name] of cycle.entries()) expect(graph.producers(cycle[(at + 1) % cycle.length] ?? '')).toContain(name);
        }
        for (const name of names) if (!graph.upstream(name).has(name)) expect(cyclic.has(name)).toBe(false);
      }),
    );
  });

  it('is quick with ten thousand tasks in a row', () => {
    const graph = graphOf(Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`t${at}`, at === 0 ? [] : ['t0']])));
    expect(graph.cycles()).toEqual([]);
    expect(graph.inOrder(['t9', 't0'])).toEqual(['t0', 't9']);
  });
});
