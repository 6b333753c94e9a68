import { describe, expect, it } from 'vitest';
import { renderDiagnostic } from '../../src/model/render-diagnostic.ts';
import { lintTask } from '../../src/task/lint-task.ts';
import { inputsOf } from './task-inputs.ts';

/** Codes of everything said about a task; every message can be printed. */
async function codes(text: string): Promise<ReadonlySet<string>> {
  const said = await lintTask(inputsOf(text), { acr: false, extended: false });
  expect(said.length).toBeLessThanOrEqual(1002);
  for (const problem of said.slice(0, 3)) expect(renderDiagnostic(problem).length).toBeLessThan(3000);
  return new Set(said.map(({ code }) => code));
}

describe('hostile task files end with an error, by counting and not by time', () => {
  it.each<[string, string, string]>([
    ['brackets without end', `a: ${'['.repeat(100_000)}`, 'yaml-too-big'],
    ['mappings in mappings', `${'{a: '.repeat(5000)}${'}'.repeat(5000)}`, 'yaml-too-big'],
    ['explicit keys in keys', '? '.repeat(100_000), 'yaml-too-big'],
    [
      'an alias bomb',
      Array.from({ length: 30 }, (_, level) => `a${level}: &a${level} [*a${level - 1}, *a${level - 1}]`.replaceAll('*a-1', 'x')).join('\n'),
      'yaml-too-big',
    ],
    [
      'merges of merges',
      Array.from({ length: 30 }, (_, level) =>
        `a${level}: &a${level} {k${level}: 1, <<: [*a${level - 1}, *a${level - 1}]}`.replaceAll('*a-1', '{}'),
      ).join('\n'),
      'yaml-too-big',
    ],
    ['an alias of itself', 'steps: &s [*s]', 'yaml-anchor'],
    ['steps without end', `steps: [${'{cmd: a},'.repeat(100_001)}]`, 'too-many-steps'],
    ['problems without end', `steps:\n${'  - {id: a}\n'.repeat(2000)}`, 'too-many-problems'],
    ['unknown keys without end', `${Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n')}`, 'unknown-key'],
    [
      'an alias that grows',
      `version: v1.1.0\nalias: {values: {a: ${'x'.repeat(100_000)}}}\nsteps:\n  - cmd: ${'$a '.repeat(1000)}\n`,
      'alias-too-big',
    ],
    ['too many sources', `version: v1.1.0\nalias: {src: [${'a,'.repeat(200)}]}\n`, 'alias-source-failed'],
    ['a template that grows', '{{range until 100000}}{{range until 1000}}xxxxxxxxxxxxxxxx{{end}}{{end}}', 'template-limit'],
    ['a file without end', 'x'.repeat(5_000_000), 'task-too-big'],
    ['NUL', 'a: "\0"', 'yaml-syntax'],
    ['half a surrogate pair', 'a: \ud800\n', 'yaml-syntax'],
  ])('%s', async (_name, text, code) => {
    expect(await codes(text)).toContain(code);
  });

  it('names like those of prototypes are names', async () => {
    expect(
      await codes(
        'constructor: 1\n__proto__: {a: 1}\ntoString: x\nsteps: [{cmd: a, id: __proto__}, {cmd: b, when: [__proto__], hasOwnProperty: 1}]\n',
      ),
    ).toEqual(new Set(['unknown-key']));
  });
});
