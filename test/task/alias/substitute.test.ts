import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { substituteAliases } from '../../../src/task/alias/substitute.ts';
import { mapWhole, originOf } from '../../../src/task/mapped-text.ts';

const ALIASES = new Map([
  ['ID', '{{.Run.ID}}'],
  ['OS', 'linux'],
  ['foo', 'bar'],
  ['self', '$ID'],
  ['empty', ''],
]);

function substitute(text: string, aliases: ReadonlyMap<string, string> = ALIASES, directive = '$'): string | undefined {
  return substituteAliases(mapWhole({ name: 'a.yaml', text }), aliases, directive)?.text;
}

describe('substituteAliases', () => {
  it.each([
    ['build: -t $foo ', 'build: -t bar '],
    ['$foo', 'bar'],
    ['$$foo', '$foo'],
    ['$$$ID', '${{.Run.ID}}'],
    ['$$$$', '$$'],
    ['$(date) ${X} $HOME $1 $', '$(date) ${X} $HOME $1 $'],
    ['$OS_NAME $OSs $os', 'linux_NAME $OSs $os'],
    ['$foo$OS', 'barlinux'],
    ['$nope$ID', '$nope$ID'],
    ['$ID$nope', '{{.Run.ID}}$nope'],
    ['$foo$$ID', 'bar$ID'],
    ['$foo$', 'bar$'],
    ['$foo$ x', 'bar$ x'],
    ['$self', '$ID'],
    ['[$empty]', '[]'],
    ['$foo-amd64 $foo. $foo/x', 'bar-amd64 bar. bar/x'],
    ['{{$foo}}', '{{bar}}'],
    ['', ''],
  ])('%j: %j', (text, expected) => {
    expect(substitute(text)).toBe(expected);
  });

  it('takes any other character as the directive', () => {
    const digits = new Map([
      ['0', '0'],
      ['i', 'i'],
      ['d', 'd'],
    ]);
    expect(substitute('8🐳0🐳0🐳0 🐳i🐳d: $i', digits, '🐳')).toBe('8000 id: $i');
  });

  it('stops a text that grows beyond all bounds', () => {
    const big = new Map([['a', 'x'.repeat(1024 * 1024)]]);
    expect(substitute('$a '.repeat(100), big)).toBeUndefined();
  });

  it('leaves texts without references alone, and gives what it inserts the place of the reference', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', 'f', 'o', ' ', '-', 'x') }), (text) => {
        const mapped = substituteAliases(mapWhole({ name: 'a.yaml', text }), ALIASES, '$');
        if (!text.includes('$')) expect(mapped?.text).toBe(text);
        for (const match of mapped?.text.matchAll(/bar/g) ?? []) {
          const range = mapped === undefined ? undefined : originOf(mapped, match.index, match.index + 3);
          expect(text.slice(range?.start, range?.end)).toBe('$foo');
        }
      }),
    );
  });
});
