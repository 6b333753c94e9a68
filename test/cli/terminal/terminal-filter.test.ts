import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, TerminalFilter } from '../../../src/cli/terminal/terminal-filter.ts';

const ESC = '\x1b';

/** What attackers send, and what must be left of it. */
const CORPUS: readonly (readonly [name: string, input: string, shown: string])[] = [
  ['plain text', 'hello ünï 漢字 🎉', 'hello ünï 漢字 🎉'],
  ['colours', `${ESC}[1;31mred${ESC}[0m`, `${ESC}[1;31mred${ESC}[0m`],
  ['true colours with colons', `${ESC}[38:2::1:2:3mx${ESC}[m`, `${ESC}[38:2::1:2:3mx${ESC}[m`],
  ['tab, CR and LF', 'a\tb\r\nc', 'a\tb\r\nc'],
  ['clipboard (OSC 52)', `a${ESC}]52;c;ZXZpbA==${'\x07'}b`, 'ab'],
  ['title (OSC 0)', `a${ESC}]0;title${ESC}\\b`, 'ab'],
  ['link (OSC 8)', `${ESC}]8;;javascript:alert(1)${ESC}\\click${ESC}]8;;${ESC}\\`, 'click'],
  ['clear screen and cursor moves', `a${ESC}[2J${ESC}[1;1H${ESC}[?25lb`, 'ab'],
  ['device status report', `a${ESC}[6nb`, 'ab'],
  ['DCS, PM, APC, SOS', `${ESC}P+q544e${ESC}\\a${ESC}^x${ESC}\\b${ESC}_y${ESC}\\c${ESC}Xz${ESC}\\d`, 'abcd'],
  ['reset and charset', `${ESC}ca${ESC}(0b${ESC}#8c`, 'abc'],
  ['8-bit CSI and OSC', 'a\x9b2Jb\x9d0;t\x9cc', 'abc'],
  ['C0 controls', 'a\x00\x07\x08\x0b\x0c\x0e\x7fb', 'ab'],
  ['private SGR look-alike', `${ESC}[>4;2ma`, 'a'],
  ['an endless parameter list', `${ESC}[${'1;'.repeat(500)}mx`, 'x'],
  ['an unfinished title ends with its line', `${ESC}]0;never\nnext`, '\nnext'],
  ['an escape inside a sequence', `${ESC}[3${ESC}[31mx`, `${ESC}[31mx`],
];

test.each(CORPUS)('%s', (_name, input, shown) => {
  expect(new TerminalFilter().write(input)).toBe(shown);
});

test.each(CORPUS)('%s, a character at a time', (_name, input, shown) => {
  const filter = new TerminalFilter();
  expect(
    input
      .split('')
      .map((char) => filter.write(char))
      .join(''),
  ).toBe(shown);
});

test('whatever comes in, only SGR, TAB, CR and LF come out, however it is split', () => {
  const piece = fc.oneof(
    fc.constantFrom(...CORPUS.map(([, input]) => input), ESC, '[', ']', '\x9b', '\x07', 'm', '0;', '\n'),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const split = new TerminalFilter();
      const out = pieces.map((text) => split.write(text)).join('');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: SGR is what may pass
      const rest = out.replace(/\x1b\[[0-9;:]*m/g, '');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not pass
      expect(rest).not.toMatch(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/);
      expect(new TerminalFilter().write(pieces.join(''))).toBe(out);
    }),
  );
});

test('a name becomes one line without controls', () => {
  expect(printable(`a${ESC}[2Jb\nc\x9b`)).toBe('a [2Jb c ');
  expect(printable('safe/\u202egnp.exe a\u200b\u2028b \u2066x\u2069')).toBe('safe/ gnp.exe a b  x ');
  expect(printable('👩\u200d🔧 größe')).toBe('👩\u200d🔧 größe');
});
