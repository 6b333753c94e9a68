import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGitRef } from '../../src/git/validate-ref.ts';
import { runProcess } from '../../src/util/process.ts';
import { HOSTILE_REFS } from './hostile-corpus.ts';

const id = 'a'.repeat(40);

describe('parseGitRef', () => {
  it.each([
    ['', { kind: 'default' }],
    ['HEAD', { kind: 'default' }],
    [id.toUpperCase(), { kind: 'commit', id }],
    ['b'.repeat(64), { kind: 'commit', id: 'b'.repeat(64) }],
    ['deadbeef', { kind: 'name', name: 'deadbeef', maybeCommit: true }],
    ['main', { kind: 'name', name: 'main', maybeCommit: false }],
    ['feature/a-b_c.1+x', { kind: 'name', name: 'feature/a-b_c.1+x', maybeCommit: false }],
    ['größe', { kind: 'name', name: 'größe', maybeCommit: false }],
    ["$(touch x)'".replace(' ', ''), { kind: 'name', name: "$(touchx)'", maybeCommit: false }],
    ['pull/12/head', { kind: 'ref', name: 'refs/pull/12/head' }],
    ['pull/12/merge', { kind: 'ref', name: 'refs/pull/12/merge' }],
    ['refs/pull/3/merge', { kind: 'ref', name: 'refs/pull/3/merge' }],
    ['refs/heads/main', { kind: 'ref', name: 'refs/heads/main' }],
  ])('reads %j', (text, value) => {
    expect(parseGitRef(text)).toEqual({ ok: true, value });
  });

  it.each(HOSTILE_REFS)('refuses %j', (text) => {
    expect(parseGitRef(text).ok).toBe(false);
  });

  it('accepts nothing that git check-ref-format refuses', async () => {
    const piece = fc.constantFrom(
      'a',
      'B',
      '1',
      '.',
      '..',
      '/',
      '-',
      '@',
      '{',
      '}',
      '.lock',
      '~',
      '^',
      ':',
      ' ',
      '*',
      '[',
      '\\',
      'é',
      '\u0001',
      '+',
    );
    const texts = fc.sample(fc.array(piece, { minLength: 1, maxLength: 6 }), 300).map((pieces) => pieces.join(''));
    const accepted = texts.filter((text) => parseGitRef(text).ok && text !== 'HEAD');
    expect(accepted.length).toBeGreaterThan(10);
    for (const text of new Set(accepted)) {
      const outcome = await runProcess({
        file: 'git',
        args: ['check-ref-format', `refs/heads/${text}`],
        env: { PATH: process.env['PATH'] ?? '' },
      });
      expect([text, outcome]).toMatchObject([text, { kind: 'exited', exitCode: 0 }]);
    }
  });
});
