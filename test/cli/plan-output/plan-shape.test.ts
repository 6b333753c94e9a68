import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shapeOf } from '../../../src/cli/plan-output/plan-shape.ts';
import type { PlanStep } from '../../../src/model/plan.ts';

function pushStep(id: string, needs: readonly string[]): PlanStep {
  return {
    id,
    kind: 'push',
    needs,
    weight: 1,
    timeoutMs: 600_000,
    startDelayMs: 0,
    ignoreErrors: false,
    retries: 0,
    retryDelayMs: 0,
    retryOnErrors: [],
    repeat: 0,
    images: ['x'],
  };
}

const dag = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 40 })
  .map((choices) =>
    choices.map((picks, index) => pushStep(`s${index}`, index === 0 ? [] : [...new Set(picks.map((pick) => `s${pick % index}`))])),
  );

test('a step is in a later wave than all it waits for, and no later than needed', () => {
  fc.assert(
    fc.property(dag, (steps) => {
      const { waveOf, waves } = shapeOf(steps);
      for (const step of steps) {
        const expected = Math.max(0, ...step.needs.map((need) => (waveOf.get(need) ?? 0) + 1));
        expect(waveOf.get(step.id)).toBe(expected);
        expect(waves[expected]).toContain(step.id);
      }
    }),
  );
});

test('the critical path is a chain of needs with one step of every wave', () => {
  fc.assert(
    fc.property(dag, (steps) => {
      const { criticalPath, waves } = shapeOf(steps);
      expect(criticalPath).toHaveLength(waves.length);
      for (const [index, id] of criticalPath.entries()) {
        if (index > 0) expect(steps.find((step) => step.id === id)?.needs).toContain(criticalPath[index - 1]);
      }
    }),
  );
});
