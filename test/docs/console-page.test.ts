import { describe, expect, it } from 'vitest';
import { matchesOutput, readPage } from './console-page.ts';

const PAGE = `Text

\`\`\`yaml title=a/task.yaml
steps: []
\`\`\`

\`\`\`yaml
not: a file
\`\`\`

<!-- exit 2 -->
\`\`\`console
$ task one
out
$ task two \\
    --more
…
\`\`\`

<!-- not run: needs the internet -->
\`\`\`console
$ task three
\`\`\`
`;

describe('readPage', () => {
  it('finds files and commands in order', () => {
    expect(readPage(PAGE)).toEqual([
      { kind: 'file', line: 3, path: 'a/task.yaml', text: 'steps: []\n' },
      { kind: 'command', line: 13, text: 'task one', output: ['out'], exitCode: 0 },
      { kind: 'command', line: 15, text: 'task two \\\n    --more', output: ['…'], exitCode: 2 },
    ]);
  });

  it('refuses a block that is never closed', () => {
    expect(() => readPage('```console\n$ task\n')).toThrow('line 1');
  });
});

describe('matchesOutput', () => {
  it.each([
    ['the same', ['a', 'b'], ['a', 'b'], true],
    ['times, ids and digests', ['11:00:00 mwt7c4lrbila 0.4s sha256:aaaaaaaa'], ['12:34:56 mwt9zzzzzzzz 12.3s sha256:bbbbbbbb'], true],
    [
      'dates and random ids',
      ['2026-11-23 14:05 (3m ago) e102f788-125a-41d6-9bfc-12597728d944'],
      ['2027-01-02 15:06 (now) 110beace-80b2-4a07-9b91-cb2785e2de05'],
      true,
    ],
    ['times in columns', ['3s ago  2.4s', '(in 5m)'], ['now  0.1s', '(in 1h)'], true],
    ['commits and events', ['e7 at 1a2b3c4, 1a2b3c4d5e6f'], ['e12 at abcdef0, 0123456789ab'], true],
    ['any text', ['a … c'], ['a b b c'], true],
    ['any lines', ['a', '…', 'd'], ['a', 'b', 'c', 'd'], true],
    ['no lines', ['a', '…'], ['a'], true],
    ['another line', ['a', 'b'], ['a', 'c'], false],
    ['a line more', ['a'], ['a', 'b'], false],
    ['a line less', ['a', '…', 'b'], ['a'], false],
    ['characters of patterns', ['a.c'], ['abc'], false],
  ])('%s', (_name, expected, printed, matches) => {
    expect(matchesOutput(expected, printed)).toBe(matches);
  });
});
