import { describe, expect, test } from 'vitest';
import { failure, render } from './render.ts';

const SMALL = { options: { limits: { steps: 50_000, characters: 100_000 } } };

describe('a template cannot keep a machine busy', () => {
  test.each([
    ['a loop over a large number', '{{range 100000000000}}x{{end}}'],
    ['empty loops over a list', '{{$l := until 30000}}{{range $l}}{{range $l}}{{end}}{{end}}'],
    [
      'empty loops over a map',
      '{{$d := dict}}{{range until 500}}{{$_ := set $d (print .) .}}{{end}}{{range $d}}{{range $d}}{{end}}{{end}}',
    ],
    ['dates in zones', '{{range 10000}}{{dateInZone "MST" now "Europe/Berlin"}}{{end}}'],
    ['patterns', '{{range 10000}}{{regexMatch "a(b|c)*d" "x"}}{{end}}'],
    ['a large list', '{{range until 1000000000}}x{{end}}'],
    ['steps without end', '{{untilStep 0 9223372036854775807 1}}'],
    ['a doubling text', '{{$s := "x"}}{{range 100}}{{$s = print $s $s}}{{end}}'],
    ['a repeated text', '{{repeat 100000000000 "x"}}'],
    ['a growing replacement', '{{repeat 90000 "x" | replace "x" "yyyyyyyyyyyyyyyyy"}}'],
    ['a wide margin', '{{indent 1000000000 "a\\nb"}}'],
    ['wide numbers', '{{printf (repeat 1000 "%90000d") 1}}'],
    ['a doubling list', '{{$l := list 1}}{{range 60}}{{$l = list $l $l}}{{end}}{{$l}}'],
    ['a copy of a doubling list', '{{$l := list 1}}{{range 60}}{{$l = list $l $l}}{{end}}{{deepCopy $l}}'],
    [
      'a comparison of doubling lists',
      '{{$l := list 1}}{{$m := list 1}}{{range 60}}{{$l = list $l $l}}{{$m = list $m $m}}{{end}}{{deepEqual $l $m}}',
    ],
    ['JSON of a doubling list', '{{$l := list 1}}{{range 60}}{{$l = list $l $l}}{{end}}{{toJson $l}}'],
    ['a map that holds itself', '{{$d := dict}}{{$_ := set $d "a" $d}}{{$d}}'],
    ['a copy of a map that holds itself', '{{$d := dict}}{{$_ := set $d "a" $d}}{{deepCopy $d}}'],
    ['a deep list', '{{$l := list}}{{range 10000}}{{$l = list $l}}{{end}}{{$l}}'],
    ['a template that calls itself', '{{define "x"}}{{template "x"}}{{end}}{{template "x"}}'],
    [
      'a template that calls itself in blocks',
      `{{define "x"}}${'{{if true}}'.repeat(200)}{{template "x"}}${'{{end}}'.repeat(200)}{{end}}{{template "x"}}`,
    ],
    ['a slow regular expression on a long text', '{{$s := repeat 90000 "a"}}{{regexFindAll "((a{0,100}){0,9})*b" $s -1}}'],
    ['keys without end', '{{range 1000}}{{genPrivateKey "rsa"}}{{end}}'],
  ])('%s', (_, text) => {
    expect(failure(text, SMALL).code).toBe('template-limit');
  });

  test.each([
    '{{range $i := until 9000}}{{range until 9000}}{{$x := printf "%d-%v" . $i}}{{end}}{{end}}',
    '{{range 1000000}}{{dateInZone "15:04 MST" now "Asia/Kolkata"}}{{end}}',
    '{{range 1000000}}{{regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W"}}{{end}}',
  ])('%s stops soon', (text) => {
    const started = performance.now();
    expect(failure(text).code).toBe('template-limit');
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('a long file of many actions stays far from the limits', () => {
    const line = '  - cmd: build {{.Run.Registry}}/{{.Values.s | upper}}:{{if eq .Values.s "str"}}{{.Run.ID}}{{end}}\n';
    const made = render(line.repeat(10_000), { options: { limits: { steps: 400_000 } } });
    expect(made).toBe('  - cmd: build r.io/STR:ab12\n'.repeat(10_000));
  });

  test('blocks and parentheses inside each other', () => {
    expect(failure('{{if true}}'.repeat(1000)).message).toBe('blocks and parentheses are nested deeper than 400 levels');
    expect(failure(`{{${'('.repeat(1000)}`).message).toBe('blocks and parentheses are nested deeper than 400 levels');
    expect(render(`{{${'('.repeat(300)}1${')'.repeat(300)}}}`)).toBe('1');
    expect(render(`${'{{if true}}'.repeat(300)}x${'{{end}}'.repeat(300)}`)).toBe('x');
  });

  test('templates inside each other up to the limit', () => {
    const countDown = '{{define "x"}}{{if .}}{{template "x" (int (sub . 1))}}{{end}}.{{end}}{{template "x" N}}';
    expect(render(countDown.replace('N', '400'))).toBe('.'.repeat(401));
    expect(failure(countDown.replace('N', '600'))).toMatchObject({ code: 'template-limit', at: 'template "x" (int (sub . 1))' });
  });

  test('a self-holding map has no JSON, as in Go', () => {
    expect(render('[{{$d := dict}}{{$_ := set $d "a" $d}}{{toJson $d}}]')).toBe('[]');
  });

  test('a regular expression of nested repetitions takes linear time', () => {
    const started = performance.now();
    expect(render('{{regexMatch "^(a+)+$" (print (repeat 5000 "a") "b")}}')).toBe('false');
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
