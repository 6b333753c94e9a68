import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TEMPLATE_FUNCTIONS } from '../../../src/task/template/functions/table.ts';
import { fromBytes, normalized, toBytes, toWellFormed } from '../../../src/task/template/go-string.ts';
import { tokenize } from '../../../src/task/template/lexer.ts';
import { render } from './render.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const plain = text.filter((one) => !one.includes('{{') && !one.includes('<no value>') && one !== '');
const literal = (value: string): string => JSON.stringify(value).replaceAll('\u007f', '\\u007f');

const operand = fc.constantFrom(
  ...[
    '1',
    '-2.5',
    '"a"',
    '"1"',
    'true',
    'nil',
    '.',
    '.Values.list',
    '.Values.nested',
    '.Values.missing',
    '(list 1 "x" nil)',
    '(dict "a" 1)',
    "'x'",
    '1i',
    'now',
  ],
);
const SLOW: ReadonlySet<string> = new Set(['genPrivateKey', 'genCA', 'genSelfSignedCert', 'genSignedCert', 'derivePassword']);
const call = fc
  .tuple(fc.constantFrom(...Object.keys(TEMPLATE_FUNCTIONS).filter((name) => !SLOW.has(name))), fc.array(operand, { maxLength: 4 }))
  .map(([name, args]) => [name, ...args].join(' '));
const verb = fc.stringMatching(/^%[-+# 0]{0,2}([0-9]|\*|\[[0-9]\])?(\.[0-9*]?)?[a-zA-Z%!é]?$/);
const fragment = fc.constantFrom(
  ...[
    '{{',
    '}}',
    '{{- ',
    ' -}}',
    '/*',
    '*/',
    '"',
    '`',
    "'",
    '.',
    '$',
    '$x',
    ' := ',
    ' = ',
    ' | ',
    '(',
    ')',
    ' ',
    '\n',
    'if ',
    'range ',
    'with ',
    'else',
    'end',
  ],
  ...[
    'define "t"',
    'template "t"',
    'block "b" ',
    'break',
    'continue',
    'nil',
    'true',
    '1',
    '0x',
    '1e',
    ',',
    'print',
    '.Values.list',
    'text',
    '{{end}}',
    '{{else}}',
  ],
);

describe('any text', () => {
  test('without {{ is unchanged', () => {
    fc.assert(
      fc.property(plain, (one) => {
        expect(render(one)).toBe(one);
      }),
    );
  });

  test('comes back from a quoted constant', () => {
    fc.assert(
      fc.property(text, (one) => {
        expect(render(`[{{${literal(one)}}}]`)).toBe(`[${one.replaceAll('<no value>', '')}]`);
      }),
    );
  });

  test('trim markers take the blanks beside them and nothing else', () => {
    // A brace right before the action would belong to its delimiter.
    const unbraced = plain.filter((one) => !one.endsWith('{'));
    const blanks = fc.stringMatching(/^[ \t\r\n]{0,5}$/);
    fc.assert(
      fc.property(unbraced, blanks, blanks, plain, (left, before, after, right) => {
        const trimmed = `${left.replace(/[ \t\r\n]+$/, '')}1${right.replace(/^[ \t\r\n]+/, '')}`;
        expect(render(`${left}${before}{{- 1 -}}${after}${right}`)).toBe(trimmed);
      }),
    );
  });

  test('is covered by its tokens in order', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fragment, plain), { maxLength: 15 }), (parts) => {
        const source = parts.join('');
        let at = 0;
        for (const token of tokenize(source)) {
          if (token.type === 'error') break;
          expect(token.start).toBeGreaterThanOrEqual(at);
          expect(source.slice(token.start, token.end)).toBe(token.text);
          at = token.end;
        }
      }),
    );
  });
});

describe('any template ends in a text or one diagnostic', () => {
  const limits = { options: { limits: { steps: 20_000, characters: 20_000 } } };
  const settles = (source: string): void => {
    const result = render(source, limits);
    if (typeof result === 'string') expect(result.length).toBeLessThanOrEqual(20_000);
    else expect(result.code).toMatch(/^template-(syntax|failed|limit|empty)$/);
  };

  test('made of pieces of the syntax', () => {
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 25 }), (parts) => settles(parts.join(''))),
      { numRuns: 2000 },
    );
  });

  test('made of calls with any arguments', () => {
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 3 }), (calls) => settles(`{{${calls.join(' | ')}}}`)),
      { numRuns: 3000 },
    );
  });

  test('a time in Go syntax', () => {
    expect(render('{{printf "%#v %#v" now (list now)}}')).toMatch(
      /^(time\.Date\(\d+, time\.[A-Z][a-z]+, (?:\d+, ){5}time\.UTC\)) \[\]interface \{\}\{\1\}$/,
    );
  });

  test('printf never fails', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(verb, plain), { maxLength: 4 }), fc.array(operand, { maxLength: 3 }), (format, args) => {
        const result = render(`x{{printf ${literal(format.join(''))} ${args.join(' ')}}}`);
        expect(typeof result).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });

  test('nested as deep as one likes', () => {
    const open = fc.constantFrom('{{if 1}}', '{{with 1}}', '{{range 2}}');
    fc.assert(
      fc.property(fc.array(open, { maxLength: 600 }), (opens) => settles(`${opens.join('')}x${'{{end}}'.repeat(opens.length)}`)),
      { numRuns: 50 },
    );
  });
});

describe('strings of bytes', () => {
  test('bytes survive the way through strings, cut anywhere', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(40), (bytes, cut) => {
        const all = Buffer.from(bytes).toString('latin1');
        expect(toBytes(fromBytes(all))).toBe(all);
        expect(normalized(fromBytes(all.slice(0, cut)) + fromBytes(all.slice(cut)))).toBe(fromBytes(all));
        expect(toWellFormed(fromBytes(all)).isWellFormed()).toBe(true);
      }),
    );
  });
});
