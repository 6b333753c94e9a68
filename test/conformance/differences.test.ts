import { expect, it } from 'vitest';
import { DIFFERENCES, loadCases } from './cases.ts';

it('lists differences of cases that exist, each with its section of the specification', () => {
  const ids = new Set(['alias', 'context', 'deps', 'exec', 'graph', 'template'].flatMap((name) => loadCases(name).map(({ id }) => id)));
  const own = Object.entries(DIFFERENCES).filter(([id]) => !id.startsWith('td-'));
  expect(own.filter(([id]) => !ids.has(id))).toEqual([]);
  for (const { kind, spec, ours } of Object.values(DIFFERENCES)) {
    expect(kind).toMatch(/^(?:FIX|CHOICE)$/);
    expect(spec).toMatch(/^[0-9]+(?:\.[0-9]+)?$/);
    expect(ours).not.toBe('');
  }
});
