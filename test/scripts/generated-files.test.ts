import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { generatedFiles } from '../../scripts/lib/generated-files.ts';
import { taskSchema } from '../../scripts/lib/task-schema.ts';
import { mapWhole } from '../../src/task/mapped-text.ts';
import { decodeMapping } from '../../src/task/schema/decode.ts';
import { Problems } from '../../src/task/schema/problems.ts';
import type { PropertyTable } from '../../src/task/schema/property-table.ts';
import { MOUNT_PROPERTIES, STEP_PROPERTIES } from '../../src/task/schema/step-properties.ts';
import {
  ALIAS_PROPERTIES,
  NETWORK_PROPERTIES,
  SECRET_PROPERTIES,
  TASK_PROPERTIES,
  VOLUME_PROPERTIES,
} from '../../src/task/schema/task-properties.ts';
import { parseYaml } from '../../src/task/yaml/parse-yaml.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('generated files', () => {
  it.each([...generatedFiles()])('%s is current (npm run generate)', (path, content) => {
    expect(readFileSync(join(ROOT, path), 'utf8')).toBe(content);
  });
});

const TABLES: Readonly<Record<string, PropertyTable>> = {
  task: TASK_PROPERTIES,
  step: STEP_PROPERTIES,
  mount: MOUNT_PROPERTIES,
  secret: SECRET_PROPERTIES,
  network: NETWORK_PROPERTIES,
  volume: VOLUME_PROPERTIES,
  alias: ALIAS_PROPERTIES,
};

const EXAMPLES = Object.entries(TABLES).flatMap(([name, table]) =>
  Object.entries(table).map(([property, { example }]): [string, string, string] => [name, property, example]),
);

describe('examples of properties', () => {
  it.each(EXAMPLES)('%s: %s is read without a problem', (name, property, example) => {
    const parsed = parseYaml(mapWhole({ name: 'example', text: example }));
    if (!parsed.ok || parsed.value === undefined) throw new Error(`no YAML: ${example}`);
    const problems = new Problems();
    const decoded = decodeMapping(parsed.value, TABLES[name] ?? {}, name, problems);
    expect(problems.all()).toEqual([]);
    expect(Object.keys(decoded?.fields ?? {})).toEqual([property]);
  });
});

describe('the schema of task files', () => {
  const schema = z.fromJSONSchema(taskSchema() as Parameters<typeof z.fromJSONSchema>[0]);

  it.each<[string, unknown]>([
    ['an empty task', {}],
    ['a task', { version: 'v1.1.0', steps: [{ cmd: 'alpine', when: ['-'], timeout: 60 }, { push: ['a'] }] }],
    ['scalars for texts', { steps: [{ id: 7, cmd: true, cpus: 1.5 }] }],
    ['extensions', { stepTimeout: '10m', steps: [{ image: 'alpine', script: 'true' }, { cmd: ['alpine', 'ls'] }] }],
  ])('accepts %s', (_name, value) => {
    expect(schema.safeParse(value).error).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['a misspelt key', { stpes: [] }],
    ['a text for a list', { steps: [{ cmd: 'a', when: '-' }] }],
    ['a quoted number', { steps: [{ cmd: 'a', timeout: '60' }] }],
    ['a mapping for the environment', { env: { A: 1 } }],
  ])('refuses %s', (_name, value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });

  // Zod drops what stands beside `anyOf`, so these two are read off the schema.
  it('wants one of the types of a step and no other keys', () => {
    expect(taskSchema()).toMatchObject({
      properties: {
        steps: {
          items: {
            additionalProperties: false,
            anyOf: [['cmd'], ['build'], ['push'], ['script', 'image']].map((required) => ({ required })),
          },
        },
      },
    });
  });
});
