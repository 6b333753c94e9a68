import { expect, test } from 'vitest';
import type { TaskExplanation } from '../../../src/api/explain-schema.ts';
import { taskExplanationText } from '../../../src/cli/tables/explain-text.ts';
import { createPaint } from '../../../src/cli/terminal/paint.ts';

const PLACE = { stream: process.stdout, paint: createPaint(false), now: new Date('2030-01-01T00:00:00.000Z') };
const NOTHING: TaskExplanation = { task: 'web', status: 'Enabled', triggers: [], decisions: [], undecided: [] };

test('decisions that are not shown are counted, and said how to see', () => {
  expect(taskExplanationText(NOTHING, PLACE)).toContain('Nothing was decided on for it yet.');
  const text = taskExplanationText({ ...NOTHING, passedOver: 12 }, PLACE);
  expect(text).toContain('12 more: a trigger follows other events (event-off); --all shows them');
  expect(text).not.toContain('Nothing was decided');
});
