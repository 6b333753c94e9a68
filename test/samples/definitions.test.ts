import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readTaskDocuments } from '../../src/service/tasks/task-documents.ts';
import { definitionsFolder, samplesFolder } from './sample-runs.ts';

const FILES = readdirSync(definitionsFolder);

test.each(FILES)('%s can be read, and says where its schema is', (name) => {
  const text = readFileSync(`${definitionsFolder}/${name}`, 'utf8');
  expect(readTaskDocuments({ name, text })).toMatchObject({ ok: true });
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../../schemas/task-definition.schema.json');
});

test('every sample is a task file or a definition', () => {
  const others = readdirSync(samplesFolder).filter((name) => !readdirSync(`${samplesFolder}/${name}`).includes('acr-task.yaml'));
  expect(others.map((name) => `${samplesFolder}/${name}`)).toEqual([definitionsFolder]);
});
