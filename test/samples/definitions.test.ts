import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { namedTriggers } from '../../src/service/tasks/complete-triggers.ts';
import { checkTaskInput } from '../../src/service/tasks/definition-checks.ts';
import { standardTaskDefaults } from '../../src/service/tasks/task-defaults.ts';
import { readTaskDocuments } from '../../src/service/tasks/task-documents.ts';
import { DEFINITIONS, definitionFiles, samplesFolder } from './sample-runs.ts';

function documentsOf(name: string) {
  const read = readTaskDocuments({ name, text: readFileSync(`${samplesFolder}/${name}`, 'utf8') });
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value;
}

test.each(definitionFiles())('%s can be read and defined, and says where its schema is', (name) => {
  const text = readFileSync(`${samplesFolder}/${name}`, 'utf8');
  for (const { input } of documentsOf(name)) expect(checkTaskInput(input, standardTaskDefaults('x64'))).toEqual([]);
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../../schemas/task-definition.schema.json');
});

test('every sample is a task file or a definition', () => {
  const others = readdirSync(samplesFolder).filter((name) => !readdirSync(`${samplesFolder}/${name}`).includes('acr-task.yaml'));
  expect(others).toEqual([...DEFINITIONS]);
});

test.each(DEFINITIONS.slice(1))('%s says in its page how it is used', (name) => {
  const page = readFileSync(`${samplesFolder}/${name}/README.md`, 'utf8');
  expect(page).toContain(`task apply -f samples/${name}`);
  expect(page).toContain('task explain');
});

test('the samples show every kind of trigger', () => {
  const triggers = definitionFiles()
    .flatMap(documentsOf)
    .map(({ input }) => namedTriggers(input));
  expect(
    new Set(
      triggers.flatMap(({ sourceTriggers }) => sourceTriggers.flatMap(({ sourceTriggerEvents = ['commit'] }) => sourceTriggerEvents)),
    ),
  ).toEqual(new Set(['commit', 'pullrequest', 'tag']));
  for (const kind of ['timerTriggers', 'afterTriggers'] as const) expect(triggers.some((one) => one[kind].length > 0)).toBe(true);
  expect(triggers.some(({ baseImageTrigger }) => baseImageTrigger?.baseImageTriggerType === 'All')).toBe(true);
});
