import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { render } from './render.ts';

interface Recorded {
  readonly template: string;
  /** What Go's text/template with sprig 2.22 printed; absent where it refused. */
  readonly output?: string;
}

const LINES = readFileSync(join(import.meta.dirname, 'recorded.jsonl'), 'utf8')
  .trimEnd()
  .split('\n');
const CASES = LINES.map((line) => JSON.parse(line) as Recorded);

test('templates render as Go renders them', () => {
  const wrong: unknown[] = [];
  for (const { template, output } of CASES) {
    const ours = render(template);
    if (output === undefined ? typeof ours === 'string' && ours !== '' : !agrees(ours, output)) wrong.push({ template, output, ours });
  }
  expect(wrong).toEqual([]);
  expect(CASES.length).toBeGreaterThan(1000);
});

/** Nothing rendered from something is an error of ours, which Go alone does not know. */
function agrees(ours: unknown, output: string): boolean {
  return output === '' ? typeof ours === 'object' && ours !== null && 'code' in ours && ours.code === 'template-empty' : ours === output;
}
