import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutAliasBlock } from '../../../src/task/alias/cut-alias-block.ts';
import { detectVersion } from '../../../src/task/alias/detect-version.ts';
import { substituteAliases } from '../../../src/task/alias/substitute.ts';
import { mapWhole } from '../../../src/task/mapped-text.ts';

const mapped = (text: string) => mapWhole({ name: 'a.yaml', text });

/** The algorithm in its plainest form: code point by code point, with a buffer for the name, which the blank at the end closes. */
function substituteByTheBook(text: string, aliases: ReadonlyMap<string, string>, directive: string): string {
  let out = '';
  let name: string | undefined;
  for (const point of `${text} `) {
    if (name === undefined) {
      if (point === directive) name = '';
      else out += point;
    } else if (point === directive && name === '') {
      out += directive;
      name = undefined;
    } else if (/^[A-Za-z0-9]$/.test(point)) {
      name += point;
    } else {
      const value = aliases.get(name);
      out += value ?? directive + name;
      const again: boolean = value !== undefined && point === directive;
      if (!again) out += point;
      name = again ? '' : undefined;
    }
  }
  return out.slice(0, -1);
}

const ALIASES = new Map([
  ['a', 'A$b'],
  ['ab', ''],
  ['b', 'x\ny'],
  ['1', '🐳'],
  ['B', 'b🐳a'],
]);

test.each(['$', '🐳', '&', '\\', 'é', '\n'])('references with the directive %j', (directive) => {
  const unit = fc.constantFrom(directive, directive, 'a', 'b', 'B', '1', ' ', '\n', '_', '-', 'é', '🐳', '$', '{', '\u0301', '🐋');
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 30 }), (text) => {
      expect(substituteAliases(mapped(text), ALIASES, directive)?.text).toBe(substituteByTheBook(text, ALIASES, directive));
    }),
    { numRuns: 3000 },
  );
});

const line = fc.string({
  unit: fc.constantFrom('version', 'alias', ':', ':', '"', "'", ' ', '\t', 'v1.1.0', 'v', '#', '\r', '-', 'x', '\u00a0', 'é'),
  maxLength: 6,
});
const lines = fc.array(line, { maxLength: 6 }).map((all) => all.join('\n'));

const trimQuotes = (text: string): string => {
  let trimmed = text;
  while (/^["']/.test(trimmed)) trimmed = trimmed.slice(1);
  while (/["']$/.test(trimmed)) trimmed = trimmed.slice(0, -1);
  return trimmed;
};

function versionByTheBook(text: string): string {
  for (const one of text.split('\n')) {
    if (one.trim() === '' || one.trim().startsWith('#')) continue;
    let unquoted = one;
    while (/^["']/.test(unquoted)) unquoted = unquoted.slice(1);
    if (!unquoted.startsWith('version') || !unquoted.includes(':')) continue;
    const colon = unquoted.indexOf(':');
    if (trimQuotes(unquoted.slice(0, colon).trim()) === 'version') return trimQuotes(unquoted.slice(colon + 1).trim());
  }
  return '';
}

test('the version of any lines', () => {
  fc.assert(
    fc.property(lines, (text) => {
      expect(detectVersion(text)).toBe(versionByTheBook(text));
    }),
    { numRuns: 5000 },
  );
});

function cutByTheBook(text: string): { block: string; rest: string } {
  const parts = { block: '', rest: '' };
  let inside = false;
  const all = text.split('\n');
  if (all.at(-1) === '') all.pop();
  for (const one of all) {
    if (inside) inside = one === '' || /^[\s:]/.test(one) || !one.includes(':');
    else inside = one.startsWith('alias') && one.slice('alias'.length).trimStart().startsWith(':');
    parts[inside ? 'block' : 'rest'] += `${one.endsWith('\r') ? one.slice(0, -1) : one}\n`;
  }
  return parts;
}

test('the alias block of any lines', () => {
  fc.assert(
    fc.property(lines, (text) => {
      const { block, rest } = cutAliasBlock(mapped(text));
      expect({ block: block.text, rest: rest.text }).toEqual(cutByTheBook(text));
    }),
    { numRuns: 5000 },
  );
});
