import { describe, expect, it } from 'vitest';
import { envValues, unquoteEnv } from '../../../src/task/command/unquote-env.ts';
import { containerWorkdir } from '../../../src/task/command/working-directory.ts';

describe('unquoteEnv', () => {
  it.each([
    ["MSG='a b'", 'MSG=a b'],
    ['MSG=a b', 'MSG=a b'],
    ['MSG="a \\"b\\" \\n"', 'MSG=a "b" \\n'],
    ['"MSG=a b"', 'MSG=a b'],
    ['A=$HOME"$X"\'$Y\'\\$Z', 'A=$HOME$X$Y$Z'],
    ['URL=http://x?a=1&b=2;c|d>e#f(g)`h`', 'URL=http://x?a=1&b=2;c|d>e#f(g)`h`'],
    ['A=b\\ c\\', 'A=b c\\'],
    ['A=1\\\n2"3\\\n4"', 'A=1234'],
    ['A=', 'A='],
    ['', ''],
    ['A=x\'y\'"z"', 'A=xyz'],
    ['A=line\nnext', 'A=line\nnext'],
  ])('%j', (entry, expected) => {
    expect(unquoteEnv(entry)).toEqual({ ok: true, value: expected });
  });

  it.each(["MSG=it's", 'D=5"', 'A="\\"'])('refuses %s', (entry) => {
    expect(unquoteEnv(entry)).toMatchObject({ ok: false, error: expect.stringContaining('never closed') });
  });
});

describe('envValues', () => {
  it('keeps the last of a name and leaves bare names out', () => {
    expect([...envValues(['A=1', 'B', 'A=2=3', '=x'])]).toEqual([['A', '2=3']]);
  });
});

describe('containerWorkdir', () => {
  it.each([
    ['', '/workspace'],
    ['a/../b/', '/workspace/b'],
    ['/a//b/../c', '/a/c'],
    ['../x', '/x'],
    ['../../..', '/'],
    ['//a/', '/a'],
    ['$HOME', '/workspace/$HOME'],
  ])('%j', (text, expected) => {
    expect(containerWorkdir(text)).toBe(expected);
  });
});
