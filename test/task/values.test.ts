import { describe, expect, test } from 'vitest';
import { loadValues } from '../../src/task/values.ts';
import { render } from './template/render.ts';

function show(template: string, file?: string, set: readonly string[] = []): unknown {
  const loaded = loadValues(file === undefined ? undefined : { name: 'values.yaml', text: file }, set);
  return loaded.ok ? render(template, { data: { Values: loaded.value.value } }) : loaded.error;
}

describe('--set', () => {
  test('assigns strings; the last one wins; only the first = counts; keys are literal', () => {
    expect(show('{{.ValuesJSON}}', undefined, ['a=b', 'b===ll', 'c=12345', 'd=ab=', 'e=', 'f=sadf=234', 'x.y=1', 'a=2', 'l=a=1,b=2'])).toBe(
      `'{"a":"2","b":"==ll","c":"12345","d":"ab=","e":"","f":"sadf=234","l":"a=1,b=2","x.y":"1"}'`,
    );
    expect(show('{{index .Values "a.b"}}', undefined, ['a.b=c'])).toBe('c');
    expect(show('{{if eq .Values.n 5}}{{end}}', undefined, ['n=5'])).toMatchObject({ code: 'template-failed' });
  });

  test('without a name or without = is refused, every one of them', () => {
    expect(show('x', undefined, ['apple', '=k', '', 'ok=1'])).toMatchObject([
      { code: 'values-set', message: '--set "apple" has no "="' },
      { code: 'values-set', message: '--set "=k" has no name before "="' },
      { code: 'values-set', message: '--set "" has no "="' },
    ]);
  });

  test('wins over the file, also over a mapping', () => {
    expect(show('{{.Values.a}} {{.Values.b}}', 'a: {x: 1}\nb: 2\n', ['a=flat'])).toBe('flat 2');
  });
});

describe('a values file', () => {
  test('is typed by YAML 1.1', () => {
    const file =
      'flag: yes\noctal: 010\nv: 1.10\nbig: 1000000.0\nexp: 1e6\ndate: 2020-01-02\nq: "5"\nhuge: 18446744073709551615\nnothing: ~\nlist: [1, a]\n';
    expect(
      show(
        '{{.Values.flag}} {{.Values.octal}} {{.Values.v}} {{.Values.big}} {{.Values.exp}} {{.Values.date}} {{.Values.nothing}}|{{.Values.list}}',
        file,
      ),
    ).toBe('true 8 1.1 1e+06 1e+06 2020-01-02 |[1 a]');
    const types = ['flag', 'octal', 'v', 'date', 'q', 'huge', 'list'].map((name) => `{{printf "%T" .Values.${name}}}`).join(' ');
    expect(show(types, file)).toBe('bool int float64 string string uint64 []interface {}');
  });

  test('nests, with keys as texts', () => {
    expect(
      show(
        '{{.Values.a.b.c}} {{range .Values.l}}{{.k}}{{end}} {{.Values.m}} {{.ValuesJSON}}',
        'a: {b: {c: 1}}\nl: [{k: x}, {k: z}]\nm: {1: one, yes: 2, ~: 3}\n',
      ),
    ).toBe(`1 xz map[:3 1:one yes:2] '{"a":{"b":{"c":1}},"l":[{"k":"x"},{"k":"z"}],"m":{"":3,"1":"one","yes":2}}'`);
    expect(show('{{.Values.b.y}}{{.Values.b.x}}', 'a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n')).toBe('21');
  });

  test('may be empty', () => {
    for (const file of ['', '# only a comment\n', '---\n', '~\n']) expect(show('[{{.Values}}]', file)).toBe('[map[]]');
  });

  test('with mistakes says where', () => {
    expect(show('x', '- a\n')).toMatchObject([{ code: 'values-not-a-mapping', range: { source: { name: 'values.yaml' }, start: 0 } }]);
    expect(show('x', 'just text\n')).toMatchObject([{ code: 'values-not-a-mapping' }]);
    expect(show('x', 'a: [b\n')).toMatchObject([{ severity: 'error', range: { source: { name: 'values.yaml' } } }]);
    expect(show('x', 'a: .inf\nb: .nan\n? [x]\n: 1\n')).toMatchObject([
      { code: 'values-number' },
      { code: 'values-number' },
      { code: 'values-key' },
    ]);
  });
});
