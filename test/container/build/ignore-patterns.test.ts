import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob } from '../../../src/container/build/glob.ts';
import { compileIgnoreRules, IgnorePatternError } from '../../../src/container/build/ignore-patterns.ts';

describe('ignore patterns', () => {
  it.each([
    ['*.txt', 'a.txt', true],
    ['*.txt', 'd/a.txt', false],
    ['**/*.txt', 'd/e/a.txt', true],
    ['**/*.txt', 'a.txt', true],
    ['d/**', 'd/e/f', true],
    ['d/**', 'd', false],
    ['d/**/f', 'd/f', true],
    ['a?c', 'a/c', false],
    ['a?c', 'aéc', true],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a.b', 'axb', false],
    ['a+(b)|{c}$^', 'a+(b)|{c}$^', true],
    ['*a*b*c*d', 'xaxbxcxd', true],
    ['*a*b*c*d', 'xa/bxcxd', false],
    ['**/a*b*c*/**', 'q/r/aXbXc/s/t', true],
  ])('%s on %s: %s', (pattern, path, expected) => {
    const glob = compileGlob(pattern);
    if (typeof glob === 'string') throw new Error(glob);
    expect(glob.matches(path)).toBe(expected);
  });

  it('matches in the same way by expression and by simulation', () => {
    const piece = fc.constantFrom('a', 'b', '/', '*', '?', '**', '**/', '[ab]', '.');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.stringMatching(/^[ab./]{0,8}$/), (pieces, path) => {
        const pattern = pieces.join('');
        // Four more stars that match nothing send the same pattern through the simulation.
        const simulated = compileGlob(`${pattern}|*|*|*|*`);
        const plain = compileGlob(`${pattern}||||`);
        if (typeof plain === 'string' || typeof simulated === 'string') throw new Error('a valid pattern was refused');
        expect(simulated.matches(`${path}||||`)).toBe(plain.matches(`${path}||||`));
      }),
    );
  });

  it('takes no time for a pattern made to be slow', () => {
    const glob = compileGlob(`${'*a'.repeat(40)}b`);
    if (typeof glob === 'string') throw new Error(glob);
    const begun = performance.now();
    expect(glob.matches('a'.repeat(2000))).toBe(false);
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  it('names the line that is no pattern', () => {
    expect(() => compileIgnoreRules(['ok', '[z'])).toThrow(new IgnorePatternError(2, '[z', 'a "[" is not closed by "]"'));
    expect(() => compileIgnoreRules(['!'])).toThrow(IgnorePatternError);
    expect(() => compileIgnoreRules(['a\\'])).toThrow(IgnorePatternError);
    expect(() => compileIgnoreRules(['[b-a]'])).toThrow(IgnorePatternError);
  });

  it('knows where a walk is needed for a pattern that lets in again', () => {
    const rules = compileIgnoreRules(['*', '!src/*/keep', '!docs']);
    expect(rules.ignores('src/a/keep')).toBe(false);
    expect(rules.mayReincludeBelow('src')).toBe(true);
    expect(rules.mayReincludeBelow('src/a')).toBe(true);
    expect(rules.mayReincludeBelow('src/a/b')).toBe(false);
    expect(rules.mayReincludeBelow('docs')).toBe(false);
    expect(rules.mayReincludeBelow('node_modules')).toBe(false);
    expect(compileIgnoreRules(['a', '!**/x']).mayReincludeBelow('a/b/c')).toBe(true);
  });
});
