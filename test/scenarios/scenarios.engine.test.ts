import { afterAll, describe, expect, it } from 'vitest';
import { leftovers } from '../support/leftovers.ts';
import { startLocalRegistry } from '../support/local-registry.ts';
import { runTask } from '../support/task-program.ts';
import { checkScenario, loadScenarios } from './scenario.ts';

const registry = await startLocalRegistry();
afterAll(() => registry.stop());

describe('scenarios on the real engine', () => {
  for (const { name, file, expected } of loadScenarios(registry.host)) {
    it(`${name}: ${expected.title}`, async () => {
      const result = await runTask(['run', '/dev/null', '-f', file, ...(expected.args ?? [])], { env: expected.env ?? {} });
      checkScenario(expected, result);
      expect(await leftovers(result.events[0]?.run)).toEqual([]);
    });
  }
});
