import { describe, expect, it } from 'vitest';
import { mapWhole } from '../../../src/task/mapped-text.ts';
import { parseYaml } from '../../../src/task/yaml/parse-yaml.ts';
import { resolveScalar } from '../../../src/task/yaml/scalar.ts';

function resolve(text: string): string {
  const parsed = parseYaml(mapWhole({ name: 'values.yaml', text: `- ${text}` }));
  if (!parsed.ok || parsed.value?.kind !== 'sequence') throw new Error(`no sequence: ${text}`);
  const [item] = parsed.value.items;
  if (item?.kind !== 'scalar') throw new Error(`no scalar: ${text}`);
  const resolved = resolveScalar(item);
  return resolved.type === 'null' ? 'null' : `${resolved.type} ${resolved.value}`;
}

describe('resolveScalar', () => {
  it.each([
    ['', 'null'],
    ['~', 'null'],
    ['Null', 'null'],
    ['nULL', 'string nULL'],
    ['y', 'bool true'],
    ['Off', 'bool false'],
    ['oFF', 'string oFF'],
    ['"yes"', 'string yes'],
    ['12', 'int 12'],
    ['+12', 'int 12'],
    ['010', 'int 8'],
    ['-010', 'int -8'],
    ['08', 'float 8'],
    ['.1_5', 'float 0.15'],
    ['._5', 'string ._5'],
    ['!!float 0', 'float 0'],
    ["!!float '1.1'", 'float 1.1'],
    ["!!null ''", 'null'],
    ['!!timestamp "2015-01-01"', 'string 2015-01-01'],
    ['!!binary aGk=', 'string hi'],
    ['!!binary |\n    aG\n    k=\n', 'string hi'],
    ['0o17', 'int 15'],
    ['0x1F', 'int 31'],
    ['-0b101', 'int -5'],
    ['1_000', 'int 1000'],
    ['9223372036854775807', 'int 9223372036854775807'],
    ['18446744073709551615', 'int 18446744073709551615'],
    ['18446744073709551616', 'float 18446744073709552000'],
    ['-9223372036854775809', 'float -9223372036854776000'],
    ['1.50', 'float 1.5'],
    ['1.', 'float 1'],
    ['.5', 'float 0.5'],
    ['-.5', 'float -0.5'],
    ['1e6', 'float 1000000'],
    ['1e999', 'string 1e999'],
    ['.inf', 'float Infinity'],
    ['-.Inf', 'float -Infinity'],
    ['.nan', 'float NaN'],
    ['1:30', 'string 1:30'],
    ['2001-01-01', 'string 2001-01-01'],
    ['1.2.3', 'string 1.2.3'],
    ['!!str 12', 'string 12'],
    ['! 12', 'string 12'],
    ['!!int "12"', 'int 12'],
    ['!!float 12', 'float 12'],
    ['!<tag:yaml.org,2002:bool> yes', 'bool true'],
    ['!mine 12', 'string 12'],
    ['|-\n  12', 'string 12'],
  ])('%s is %s', (text, expected) => {
    expect(resolve(text)).toBe(expected);
  });
});

describe('a tag that its text does not fit', () => {
  it.each(['!!int abc', '!!int 1.0', '!!bool 1', '!!null x', '!!float "a"', '!!timestamp soon', '!!binary "**"', '!!int'])('%s', (text) => {
    const parsed = parseYaml(mapWhole({ name: 'values.yaml', text: `- ${text}` }));
    expect(parsed).toMatchObject({ ok: false, error: [{ code: 'yaml-syntax' }] });
  });
});
