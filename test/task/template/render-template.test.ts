import { describe, expect, test } from 'vitest';
import { mapWhole, originOf } from '../../../src/task/mapped-text.ts';
import { renderTemplate } from '../../../src/task/template/render-template.ts';
import { GoMap } from '../../../src/task/template/value.ts';
import { failure, NOW, RUN, recordedValues, render } from './render.ts';

describe('data', () => {
  test('run variables, build id and JSON', () => {
    expect(render('{{.Run.ID}} {{.Build.ID}} {{.Run.Nope}}{{.Nope}}|')).toBe('ab12 ab12 |');
    expect(render('{{.RunJSON}}')).toMatch(/^'\{"Architecture":"amd64",.*"TriggeredBy":"cli"\}'$/);
    const quote = new GoMap(new Map([['q', "it's"]]));
    expect(render('{{.ValuesJSON}}', { data: { Values: quote } })).toBe(`'{"q":"it'"'"'s"}'`);
    expect(render('{{.ValuesJSON}}', { data: { Values: new GoMap() } })).toBe("'{}'");
  });

  test('secrets: known ones, missing ones, placeholders before they are known, none at all', () => {
    const data = { Secrets: new Map([['pw', 'hush']]) };
    expect(render('{{.Secrets.pw}}{{.Secrets.other}}|', { data })).toBe('hush|');
    expect(failure('{{.Secrets.other | upper}}', { data }).message).toContain('invalid value; expected string');
    expect(render('[{{.Secrets.pw | upper}}]', { data, options: { secrets: 'placeholders' } })).toBe('[]');
    expect(render('[{{index .Secrets "pw" | b64enc}}]{{.Secrets}}', { options: { secrets: 'placeholders' } })).toBe('[]map[]');
    const { value } = {
      value: renderTemplate(
        mapWhole({ name: 't', text: '{{.Secrets.x}}' }),
        't',
        { Run: RUN, Values: new GoMap() },
        { now: NOW, secrets: 'resolved' },
      ),
    };
    expect(value).toMatchObject({ ok: false, error: [{ message: expect.stringContaining('nil pointer evaluating') }] });
  });

  test('a rendering leaves the values as they were', () => {
    const Values = recordedValues();
    expect(render('{{$_ := set .Values "s" "new"}}{{$_ := set .Values.nested "a" 2}}{{.Values.s}}', { data: { Values } })).toBe('new');
    expect(render('{{.Values.s}} {{.Values.nested.a}}', { data: { Values } })).toBe('str 1');
  });

  test('names of JavaScript objects are ordinary missing names', () => {
    expect(render('{{.constructor}}{{.Values.__proto__}}{{.Values.toString}}|')).toBe('|');
    expect(failure('{{constructor}}').message).toBe('function "constructor" not defined');
    expect(failure('{{hasOwnProperty "a"}}').message).toContain('not defined');
    expect(failure('{{now.constructor}}').message).toContain("can't evaluate field constructor");
    expect(render('{{$d := dict "__proto__" 1}}{{$d}} {{hasKey (dict) "__proto__"}}')).toBe('map[__proto__:1] false');
  });
});

describe('result', () => {
  test('<no value> is removed wherever it stands', () => {
    expect(render('a <no value> b{{"<no"}} {{"value>"}}c{{.Nope}}')).toBe('a  bc');
  });

  test('nothing from something is an error, nothing from nothing is not', () => {
    expect(render('')).toBe('');
    expect(failure('{{if false}}x{{end}}').code).toBe('template-empty');
    expect(failure('<no value>').code).toBe('template-empty');
  });

  test('text keeps its place, output has the place of its action', () => {
    const text = 'a: 1\nb: {{ .Run.ID }}-{{- 1 }}\nc: {{ range until 2 }}{{ . }};{{ end }}!\n';
    const source = { name: 'task.yaml', text };
    const result = renderTemplate(mapWhole(source), 'task.yaml', { Run: RUN, Values: new GoMap() }, { now: NOW, secrets: 'resolved' });
    if (!result.ok) throw new Error('does not render');
    expect(result.value.text).toBe('a: 1\nb: ab12-1\nc: 0;1;!\n');
    const origin = (part: string): string => {
      const at = result.value.text.indexOf(part);
      const range = originOf(result.value, at, at + part.length);
      return text.slice(range?.start, range?.end);
    };
    expect(origin('b: ')).toBe('b: ');
    expect(origin('ab12')).toBe('.Run.ID');
    expect(origin('!\n')).toBe('!\n');
    expect(originOf(result.value, result.value.text.indexOf('0'), result.value.text.indexOf('0') + 1)?.start).toBe(text.indexOf('. }};'));
  });
});

describe('diagnostics point at the mistake', () => {
  test.each([
    ['a\n{{.Run.ID', 'template-syntax', 'unclosed action', '{{'],
    ['{{if true}}x', 'template-syntax', 'unexpected EOF: an {{end}} is missing', 'true'],
    ['{{"a" | toYaml}}', 'template-syntax', 'function "toYaml" not defined', 'toYaml'],
    ['{{.Values.my-name}}', 'template-syntax', "bad character U+002D '-'", '-'],
    ['{{$x}}', 'template-syntax', 'undefined variable "$x"', '$x'],
    ['{{end}}', 'template-syntax', 'unexpected {{end}}', 'end'],
    ['x {{break}}', 'template-syntax', '{{break}} outside {{range}}', 'break'],
    ['{{"\\q"}}', 'template-syntax', 'invalid syntax in a string constant', '"\\q"'],
    ['{{"a" | 3}}', 'template-syntax', 'non executable command in pipeline stage 2', '3'],
    ['{{/* never ends', 'template-syntax', 'unclosed comment', '{{/*'],
    ['{{.Nope.Deep}}', 'template-failed', 'nil pointer evaluating interface {}.Deep', '.Nope.Deep'],
    ['{{.Values.s.x}}', 'template-failed', "can't evaluate field x in type string", '.Values.s.x'],
    ['{{upper (print 1) 2}}', 'template-failed', 'wrong number of args for upper: want 1 got 2', 'upper'],
    ['{{repeat "x" "y"}}', 'template-failed', 'expected integer; found "x"', '"x"'],
    ['{{fail "boom"}}', 'template-failed', 'error calling fail: boom', 'fail "boom"'],
    ['{{if eq .Values.s 5}}{{end}}', 'template-failed', 'error calling eq: incompatible types for comparison', 'eq .Values.s 5'],
    ['{{index .Values.words 9}}', 'template-failed', 'error calling index: index out of range: 9', 'index .Values.words 9'],
    ['{{template "no" .}}', 'template-failed', 'template "no" not defined', 'template "no" .'],
    ['{{call .Run.ID}}', 'template-failed', 'error calling call: non-function .Run.ID of type string', 'call .Run.ID'],
    [
      '{{regexFind "[" "a"}}',
      'template-failed',
      'error calling regexFind: regexp: Compile("["): error parsing regexp: missing closing ]: `[`',
      'regexFind "[" "a"',
    ],
    ['{{div 1 0}}', 'template-failed', 'error calling div: runtime error: integer divide by zero', 'div 1 0'],
  ])('%j', (text, code, message, at) => {
    expect(failure(text)).toEqual({ code, message, at });
  });

  test('help for what people trip over', () => {
    expect(render('{{if gt .Values.s 3}}{{end}}')).toMatchObject({ help: expect.stringContaining('int .Values.n') });
    expect(render('{{.Values.a-b}}')).toMatchObject({ help: expect.stringContaining('index .Values') });
    expect(render('{{.Values.missing | upper}}')).toMatchObject({ help: expect.stringContaining('default') });
  });
});

describe('Go 1.26', () => {
  test('ranging over integers and else with', () => {
    expect(render('{{range 3}}{{.}}{{if eq . 1}}{{break}}{{end}}{{end}}')).toBe('01');
    expect(render('{{range $i := 2}}{{$i}}{{else}}none{{end}}{{range 0}}x{{else}}none{{end}}{{range -1}}x{{else}}none{{end}}')).toBe(
      '01nonenone',
    );
    expect(failure('{{range $i, $e := 3}}{{end}}').message).toBe("can't use 3 to iterate over more than one variable");
    expect(render('{{with 0}}a{{else with 5}}b{{.}}{{else}}c{{end}}{{with 0}}a{{else with 0}}b{{else}}c{{end}}')).toBe('b5c');
  });

  test('JSON escapes', () => {
    expect(render('{{toJson "\\b\\f\\v\\x7f"}}')).toBe('"\\b\\f\\u000b\x7f"');
  });
});

describe('departures from sprig', () => {
  test('b64enc encodes what is printed, nospace keeps characters whole, keys and values are sorted', () => {
    expect(render('{{b64enc 12}} {{b64enc (list 1 2)}} {{b64enc nil}}|')).toBe('MTI= WzEgMl0= |');
    expect(render('{{nospace "ż \u00a0ó"}}')).toBe('żó');
    expect(render('{{keys (dict "b" 1 "a" 2 "ż" 3)}} {{values (dict "b" 1 "a" 2)}}')).toBe('[a b ż] [2 1]');
  });

  test('the machine stays unseen', () => {
    process.env['SLIPWAY_TEMPLATE_TEST'] = 'secret';
    expect(
      render('[{{env "SLIPWAY_TEMPLATE_TEST"}}{{env "PATH"}}]{{expandenv "$PATH ${HOME} $$ a$"}}[{{getHostByName "localhost"}}]'),
    ).toBe('[]   a$[]');
  });
});
