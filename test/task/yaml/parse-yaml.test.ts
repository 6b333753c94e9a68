import { describe, expect, it } from 'vitest';
import { renderDiagnostic } from '../../../src/model/render-diagnostic.ts';
import { mapWhole } from '../../../src/task/mapped-text.ts';
import { parseYaml, YAML_LIMITS, type YamlLimits } from '../../../src/task/yaml/parse-yaml.ts';
import type { YamlNode } from '../../../src/task/yaml/yaml-node.ts';

type Plain = string | Plain[] | { [key: string]: Plain };

/** Source texts of scalars; later entries of a key win, as every reader must do. */
function plain(node: YamlNode): Plain {
  if (node.kind === 'scalar') return node.text;
  if (node.kind === 'sequence') return node.items.map(plain);
  return Object.fromEntries(node.entries.map(({ key, value }) => [String(plain(key)), plain(value)]));
}

function read(text: string, limits?: Partial<YamlLimits>): Plain | undefined {
  const parsed = parseYaml(mapWhole({ name: 'a.yaml', text }), { ...YAML_LIMITS, ...limits });
  if (!parsed.ok) return parsed.error.map((one) => renderDiagnostic(one)).join('\n');
  return parsed.value === undefined ? undefined : plain(parsed.value);
}

describe('parseYaml', () => {
  it.each([
    ['no document', '', undefined],
    ['comments only', '# x\n', undefined],
    ['mapping', 'a: 1\nb: [x, {c: d}]\n', { a: '1', b: ['x', { c: 'd' }] }],
    ['duplicate keys: the last wins', 'a: 1\na: 2\n', { a: '2' }],
    ['first document only', 'a: 1\n---\nb: [', { a: '1' }],
    ['explicit start', '%YAML 1.1\n# c\n---\na: 1\n...\n}{', { a: '1' }],
    ['empty first document', '---\n---\na: 1\n', ''],
    ['marker ends a block scalar', 'a: |\n  x\n--- b\n', { a: 'x\n' }],
    ['dashes that mark nothing', 'a: 1\n---b: 2\n', { a: '1', '---b': '2' }],
    ['lone dash in a flow sequence', 'when: [-]\nx: [a, -, "-,", -]\ny: "[-]"\n', { when: ['-'], x: ['a', '-', '-,', '-'], y: '[-]' }],
    ['alias', 'a: &x [1]\nb: *x\n', { a: ['1'], b: ['1'] }],
    ['anchor defined twice', 'a: &x 1\nb: *x\nc: &x 2\nd: *x\n', { a: '1', b: '1', c: '2', d: '2' }],
    ['merge', 'x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\n', { x: { a: '1', b: '2' }, y: { a: '1', b: '3' } }],
    ['merge overrides keys above it', 'x: &x {a: 1}\ny: {a: 2, <<: *x}\n', { x: { a: '1' }, y: { a: '1' } }],
    ['first of merged mappings wins', 'y: {<<: [{a: 1}, {a: 2, b: 3}]}\n', { y: { a: '1', b: '3' } }],
    ['quoted merge key is a key', 'y: {"<<": {a: 1}}\n', { y: { '<<': { a: '1' } } }],
  ])('%s', (_name, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each([
    ['a: [1\n', 'yaml-syntax'],
    ['a: b: c', 'yaml-syntax'],
    ['a: @x', 'yaml-syntax'],
    ['a: *x', 'yaml-anchor'],
    ['a: &x [*x]', 'yaml-anchor'],
    ['a: {<<: 1}', 'yaml-merge'],
    ['a: {<<: [1]}', 'yaml-merge'],
    ['a\0b', 'yaml-syntax'],
  ])('%j is an error with its place: %s', (text, code) => {
    const shown = read(text);
    expect(shown).toContain(`[${code}]`);
    expect(shown).toMatch(/^a\.yaml:\d+:\d+: error:/);
  });

  it('points at the place in the file', () => {
    expect(read('a: 1\nb: *nosuch\n')).toBe(
      ['a.yaml:2:4: error: No anchor is named "nosuch". [yaml-anchor]', '  2 | b: *nosuch', '    |    ^~~~~~~'].join('\n'),
    );
  });

  it('gives every node its range', () => {
    const text = 'steps:\n  - cmd: "a b"\n    when: [x, y]\n';
    const parsed = parseYaml(mapWhole({ name: 'a.yaml', text }));
    if (!parsed.ok || parsed.value?.kind !== 'mapping') throw new Error('no mapping');
    const cut = (node: YamlNode): string => text.slice(node.range?.start, node.range?.end);
    const [steps] = parsed.value.entries;
    const step = steps?.value.kind === 'sequence' ? steps.value.items[0] : undefined;
    if (step?.kind !== 'mapping') throw new Error('no step');
    expect(cut(step)).toContain('cmd: "a b"\n    when: [x, y');
    expect(step.entries.map(({ key, value }) => [cut(key), cut(value)])).toEqual([
      ['cmd', 'a b'],
      ['when', '[x, y'],
    ]);
  });
});

describe('limits of parseYaml', () => {
  it.each([
    ['text length', 'x'.repeat(101), { length: 100 }],
    ['nodes', '[a, b, c]', { nodes: 3 }],
    ['nodes, before the parser runs', `[${'a,'.repeat(60)}]`, { nodes: 10 }],
    ['depth in flow style', `${'['.repeat(30)}${']'.repeat(30)}`, { depth: 20 }],
    ['depth in block style', `${'- '.repeat(30)}a`, { depth: 20 }],
  ])('%s', (_name, text, limits) => {
    expect(read(text, limits)).toContain('[yaml-too-big]');
  });

  it('counts aliases in full, so that a bomb of nine levels is refused', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level += 1) {
      const below = Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ');
      lines.push(`a${level}: &a${level} [${below}]`);
    }
    expect(read(lines.join('\n'))).toContain('[yaml-too-big]');
  });

  it('counts merged keys, so that merges of merges are refused', () => {
    const keys = Array.from({ length: 1000 }, (_, index) => `k${index}: 1`).join(', ');
    const merges = Array.from({ length: 1000 }, () => '*base').join(', ');
    expect(read(`base: &base {${keys}}\nall: {<<: [${merges}]}\n`)).toContain('[yaml-too-big]');
  });

  it('reads what the default depth allows and refuses one more without exhausting the stack', () => {
    const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(Array.isArray(read(nested(YAML_LIMITS.depth - 1)))).toBe(true);
    expect(read(nested(100_000))).toContain('[yaml-too-big]');
  });
});
