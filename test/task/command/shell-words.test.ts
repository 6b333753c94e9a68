import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitShellWords } from '../../../src/task/command/shell-words.ts';
import { runProcess } from '../../../src/util/process.ts';

function words(text: string, variables: Readonly<Record<string, string>> = {}, newline: 'ends' | 'separates' = 'ends'): unknown {
  const result = splitShellWords(text, { variables: new Map(Object.entries(variables)), newline });
  return result.ok ? result.value.map((word) => word.text) : `${result.error.code} ${text.slice(result.error.start, result.error.end)}`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}

describe('splitShellWords', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['  busybox\t echo  hi ', ['busybox', 'echo', 'hi']],
    [`sh -c 'echo a; echo "b c"'`, ['sh', '-c', 'echo a; echo "b c"']],
    [`x "a b" 'c  d' e\\ f "" g`, ['x', 'a b', 'c  d', 'e f', '', 'g']],
    [`a'b'"c"d`, ['abcd']],
    ['printf "a\\tb\\\\n" \\n', ['printf', 'a\\tb\\n', 'n']],
    ['"a\\"b\\$c\\`d"', ['a"b$c`d']],
    ['a\\\nb "c\\\nd"', ['ab', 'cd']],
    ['a \\\n  b', ['a', 'b']],
    ['end\\', ['end\\']],
    ['echo * [a-z]? ~ {a,b} !x a=b', ['echo', '*', '[a-z]?', '~', '{a,b}', '!x', 'a=b']],
    ['echo a#b # a comment; with | operators', ['echo', 'a#b']],
    ['# nothing', []],
    ['url http://x/y#main', ['url', 'http://x/y#main']],
    ['zażółć "🐳 x"', ['zażółć', '🐳 x']],
  ])('%j', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it.each<[string, string[]]>([
    ['$HOME ${HOME} $1 $ $$ $@', ['$HOME', '${HOME}', '$1', '$', '$$', '$@']],
    ['"$HOME" "a$"', ['$HOME', 'a$']],
    ['${HOME:-a b} "${X:-"c d"}"', ['${HOME:-a b}', '${X:-"c d"}']],
    ['sh -c "echo $(date -u "+%F")"', ['sh', '-c', 'echo $(date -u "+%F")']],
    ['sh -c "echo `id \\"-u\\"` b"', ['sh', '-c', 'echo `id \\"-u\\"` b']],
  ])('leaves substitutions to the container: %j', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it.each<[string, string[]]>([
    ['$A ${A} "$A" \'$A\' \\$A "\\$A"', ['one', 'one', 'one', '$A', '$A', '$A']],
    ['x$B "x$B"', ['xtwo', 'words', 'xtwo words']],
    ['x${C}y', ['x', 'b', 'c', 'y']],
    ['$EMPTY "$EMPTY" a$EMPTY', ['', 'a']],
    ['$AB ${A}B', ['$AB', 'oneB']],
    ['$LOOP', ['$A']],
    ['a $EMPTY# b', ['a', '#', 'b']],
  ])('expands the variables of the step: %j', (text, expected) => {
    expect(words(text, { A: 'one', B: 'two words', C: ' b\tc\n', EMPTY: '', LOOP: '$A' })).toEqual(expected);
  });

  it.each([
    ['echo a > b', 'shell-operator >'],
    ['echo a 2>&1', 'shell-operator >&'],
    ['a && b', 'shell-operator &&'],
    ['a || b', 'shell-operator ||'],
    ['a|b', 'shell-operator |'],
    ['a; b', 'shell-operator ;'],
    ['a &', 'shell-operator &'],
    ['curl http://x?a=1&b=2', 'shell-operator &'],
    ['a < b', 'shell-operator <'],
    ['(a)', 'shell-operator ('],
    ['echo $(date)', 'shell-operator $('],
    ['echo $((1+2))', 'shell-operator $('],
    ['echo `id`', 'shell-operator `'],
    ["echo 'a", "shell-unterminated '"],
    ['echo "a', 'shell-unterminated "'],
    ['echo "$(a"', 'shell-unterminated $('],
    ['echo ${a', 'shell-unterminated ${'],
    ['echo "`a"', 'shell-unterminated `'],
  ])('refuses %j', (text, expected) => {
    expect(words(text)).toBe(expected);
  });

  it('ends a command at its line, unless newlines are blanks', () => {
    expect(words('\n  \na b\n\n  # done\n')).toEqual(['a', 'b']);
    expect(words('a "b\nc"\n')).toEqual(['a', 'b\nc']);
    expect(words('a b\n  c d \n')).toBe('shell-second-command c d');
    expect(words('-t a\n  .\n', {}, 'separates')).toEqual(['-t', 'a', '.']);
  });

  it('bounds what variables make of a text', () => {
    expect(words('a $A '.repeat(3), { A: 'x'.repeat(500_000) })).toBe('shell-too-long $A');
    expect(words('"$A"'.repeat(3), { A: 'x'.repeat(500_000) })).toBe('shell-too-long $A');
  });

  it('says where a word was written', () => {
    expect(splitShellWords(` a  'b c'd `, { newline: 'ends' })).toEqual({
      ok: true,
      value: [
        { text: 'a', start: 1, end: 2 },
        { text: 'b cd', start: 4, end: 10 },
      ],
    });
  });

  it('splits quoted words back into what they were', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 20 })), (list) => {
        expect(words(list.map(quote).join(' '))).toEqual(list);
      }),
    );
  });

  it("agrees with the machine's own sh", async () => {
    const pieces = fc.constantFrom(
      ' ',
      '\t',
      "'",
      '"',
      '\\',
      'a',
      'ż',
      '-',
      '=',
      '#',
      '{',
      '}',
      '!',
      'B',
      '\\\n',
      "'x y'",
      '"p  q"',
      '\\ ',
      '\\"',
      "\\'",
      ' $V ',
      '$V',
      '"$V"',
      '${V}',
      '$E',
    );
    const texts = fc.sample(fc.array(pieces, { maxLength: 12 }), { numRuns: 400, seed: 7 }).map((parts) => parts.join(''));
    const variables = { V: ' one two ', E: '' };
    // A longer name is no variable of the step: it stays, where sh makes it empty. And a first line that is only a comment
    // is no command, where the line given to sh has one already.
    const comparable = texts.filter((text) => !/\$[VE][a-zA-Z]/.test(text) && !(text.includes('#') && text.includes('\n')));
    const accepted = comparable.filter((text) => Array.isArray(words(text, variables)));
    const script = `set -f; p() { printf '%s\\0' "$@"; printf '\\1\\0'; }; for text; do eval "p x $text"; done`;
    const { stdout, stderr } = await runProcess({ file: '/bin/sh', args: ['-c', script, 'sh', ...accepted], env: variables });
    expect(stderr).toBe('');
    const seen = stdout.toString('utf8').split('\u0001\0').slice(0, -1);
    expect(accepted.length).toBeGreaterThan(150);
    expect(seen.map((one) => one.split('\0').slice(1, -1))).toEqual(accepted.map((text) => words(text, variables)));
  });

  it('ends in time and in bounds for any text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('$', '{', '}', '(', ')', '"', "'", '`', '\\', ' ', '\n', 'a', '#', '&', 'A'), { maxLength: 60 }),
        (parts) => {
          const text = parts.join('');
          const result = splitShellWords(text, { variables: new Map([['A', 'x y']]), newline: 'ends' });
          if (result.ok) for (const word of result.value) expect(word.end).toBeLessThanOrEqual(text.length);
          else expect(result.error.end).toBeLessThanOrEqual(text.length);
        },
      ),
    );
  });
});
