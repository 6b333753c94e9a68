import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';
import { compileGlobs, globProblem } from '../../src/util/globs.ts';

const matches = (patterns: string | readonly string[], name: string): boolean =>
  compileGlobs(typeof patterns === 'string' ? [patterns] : patterns).matches(name);

describe('globs', () => {
  it.each([
    ['main', 'main', true],
    ['main', 'Main', false],
    ['main', 'x/main', false],
    ['main', 'main/x', false],
    ['*', 'main', true],
    ['*', 'feature/x', false],
    ['**', 'feature/x/y', true],
    ['release/*', 'release/1', true],
    ['release/*', 'release/1/2', false],
    ['release/**', 'release/1/2', true],
    ['release/**', 'release', false],
    ['release/**', 'my-release/1', false],
    ['v[0-9]*.[0-9]*', 'v1.22', true],
    ['v[0-9]*.[0-9]*', 'vx.1', false],
    ['v[^0-9]', 'v1', false],
    ['{main,dev}/**', 'dev/a', true],
    ['v{1..3}', 'v2', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['**/*.ts', 'a.ts', true],
    ['**/*.ts', 'src/deep/a.ts', true],
    ['docs/**/*.md', 'docs/a.md', true],
    ['**', '.github/workflows/x.yml', true],
    ['*', '.env', true],
    ['.github/**', '.github/x', true],
    ['**/.env', 'a/.env', true],
    ['$(touch${IFS}x)', '$(touch${IFS}x)', true],
    ['$(touch*)', '$(touch${IFS}x)', true],
    ['*(touch*', '$(touch${IFS}x)', true],
    ['a|b', 'a|b', true],
    ['a|b', 'a', false],
    ['a+b.c', 'a+b.c', true],
    ['a+b.c', 'aab_c', false],
    ['+(a)', 'aa', false],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['"a"', '"a"', true],
    ['*', 'with\nnewline', true],
    ['**/x', 'with\nnewline/x', true],
    ['größe-*', 'größe-é', true],
    ['', '', false],
    ['[', 'x', false],
    ['a{b', 'ab', false],
    ['[z-a]', 'z', false],
  ])('%j matches %j: %j', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it('let the last one that matches decide', () => {
    const globs = compileGlobs(['**', '!release/**', 'release/1']);
    expect(['main', 'release/2', 'release/1'].map((name) => globs.matches(name))).toEqual([true, false, true]);
    expect(matches(['!main'], 'main')).toBe(false);
    expect(matches(['!main'], 'other')).toBe(false);
    expect(matches(['!!main'], 'main')).toBe(false);
    expect(matches([], 'main')).toBe(false);
    expect(['.github/ci.yml', '.gitignore', 'a'].map((name) => matches(['.*', '.*/**'], name))).toEqual([true, true, false]);
  });

  it('say what picomatch says', () => {
    const part = fc.constantFrom('a', 'b', '.', '*', '**', '?', '/', '[ab]', '{a,b}', '-', '1');
    const pattern = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
    const segment = fc.constantFrom('a', 'b', 'ab', '.a', 'a.b', '-1', 'aa', 'ba1');
    const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'));
    fc.assert(
      fc.property(pattern, name, (glob, text) => {
        // Their expressions differ where a pattern has a segment that no name can have.
        fc.pre(!/\/\/|^\/|\/$|(?:^|\/)\.{1,2}(?:\/|$)/.test(glob));
        const oracle = picomatch(glob, { dot: true, noextglob: true, nonegate: true, strictSlashes: true, fastpaths: false });
        expect([glob, text, matches(glob, text)]).toEqual([glob, text, oracle(text)]);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['*a'.repeat(200), 'a'.repeat(250)],
    ['**/a/'.repeat(80).concat('b'), 'a/'.repeat(2000).concat('a')],
    ['*'.repeat(500), 'x'.repeat(4000)],
    ['+(a|a)*'.repeat(60), 'a'.repeat(4000)],
    ['{a,a}*'.repeat(80), 'a'.repeat(4000)],
    [`${'{a,'.repeat(120)}b${'}'.repeat(120)}*c`, 'a'.repeat(4000)],
    ['[a-z]*'.repeat(80), `${'a'.repeat(4000)}/`],
    ['?'.repeat(500).concat('*'), 'a'.repeat(4000)],
    ['{1..99999999}*x', '1'.repeat(4000)],
  ])('take no long time: %j', (pattern, name) => {
    const began = performance.now();
    const globs = compileGlobs([pattern]);
    for (let time = 0; time < 3; time += 1) globs.matches(name);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('never throw, whatever the pattern', () => {
    const letter = fc.constantFrom(...'ab*?[]{}()!@+|\\/.,^$-"\'0');
    fc.assert(
      fc.property(fc.array(letter, { maxLength: 40 }), fc.string({ maxLength: 30 }), (letters, name) => {
        expect(typeof matches(letters.join(''), name)).toBe('boolean');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a glob that matches nothing', () => {
  it.each([
    ['', ', which matches nothing'],
    ['!', ', which matches nothing'],
    ['x'.repeat(513), ', which is too long'],
    ['[', 'brackets or braces'],
    ['!a{b', 'brackets or braces'],
  ])('%j is told apart: %j', (glob, problem) => {
    expect(globProblem(glob)).toContain(problem);
  });

  it('is the same for whoever checks it and whoever matches with it', () => {
    const glob = fc.string({
      unit: fc.constantFrom('a', '*', '?', '[', ']', '{', '}', ',', '(', ')', '|', '!', '\\', '/', '.', '-', '^', '+'),
    });
    fc.assert(
      fc.property(glob, (text) => {
        if (globProblem(text) !== undefined) expect(compileGlobs([text, '**']).matches('a')).toBe(true);
      }),
    );
  });
});
