import { describe, expect, it } from 'vitest';
import { mapWhole } from '../../../src/task/mapped-text.ts';
import { parseYaml } from '../../../src/task/yaml/parse-yaml.ts';

function help(text: string): string | undefined {
  const parsed = parseYaml(mapWhole({ name: 'a.yaml', text }));
  return parsed.ok ? 'no problem' : parsed.error[0]?.help;
}

describe('help for YAML syntax', () => {
  it.each([
    ['cmd: a: b\n', 'A value that contains `: ` must stand in quotes.'],
    ['cmd: @foo\n', 'A value cannot start with `@`: put it in quotes.'],
    ['cmd: %x\n', 'A value cannot start with `%`: put it in quotes.'],
    ['a:\n\t- b\n', 'Indent with blanks, not with tabs.'],
    ['when: - a\n', 'A list starts on the line after its key.'],
    ['cmd: "a\n', 'Close the quote or the bracket, and indent the lines inside it.'],
    ['cmd: "a', 'Close the quote.'],
    ['when: [a b: c: d\n', 'A value that contains `: ` must stand in quotes.'],
    ['when: [a', 'Close the bracket, put commas between the items, and put items with special characters in quotes.'],
    ['steps:\n  - cmd: a\n   id: b\n', 'Keys of one mapping, and items of one list, start in the same column.'],
  ])('%j', (text, expected) => {
    expect(help(text)).toBe(expected);
  });
});
