import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../src/registry/challenge.ts';

describe('parseChallenges', () => {
  it.each([
    ['Basic realm="Registry"', { scheme: 'basic' }],
    ['basic', { scheme: 'basic' }],
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
      { scheme: 'bearer', realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:a/b:pull,push' },
    ],
    ['bearer realm=https://h/t, service = "s"', { scheme: 'bearer', realm: 'https://h/t', service: 's', scope: '' }],
    ['Basic realm="x", Bearer realm="https://h/t"', { scheme: 'bearer', realm: 'https://h/t', service: '', scope: '' }],
    ['Negotiate, Basic realm="a \\"quoted\\" word"', { scheme: 'basic' }],
    ['Negotiate', undefined],
    ['Bearer service="no realm"', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s', (header, challenge) => {
    expect(parseChallenges(header)).toEqual(challenge);
  });

  it('ends on any text', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('Basic ', 'Bearer ', 'realm=', '"', 'x', ',', ' ', '\\', '='), { maxLength: 40 }), (pieces) => {
        parseChallenges(pieces.join(''));
      }),
    );
    const started = performance.now();
    parseChallenges(`Bearer ${'a="'.repeat(100_000)}`);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
