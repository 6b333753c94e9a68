import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TaskDefinition } from '../../../src/model/task-definition.ts';
import { mergeTaskPatch } from '../../../src/service/tasks/merge-patch.ts';

const TASK: TaskDefinition = {
  name: 'web',
  status: 'Enabled',
  platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
  agentConfiguration: { cpu: 2 },
  timeout: 600,
  step: {
    type: 'Docker',
    contextPath: 'https://git.example/web.git',
    contextAccessToken: { secret: 'GIT' },
    dockerFilePath: 'Dockerfile',
    imageNames: ['web'],
    isPushEnabled: true,
    noCache: false,
    target: 'release',
    arguments: [{ name: 'A.B', value: '1', isSecret: false }],
  },
  credentials: [{ loginServer: 'r.example:5000', userName: 'u', password: { secret: 'P' } }],
  agentPoolName: 'default',
  priority: 0,
  concurrency: { group: 'g', limit: 1, onConflict: 'queue' },
  policy: { privileged: false, hostMounts: false, dockerSocket: false },
  tags: { 'a.b': '1', a: '2' },
};

/** RFC 7396 as it is written there. */
function rfc7396(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = rfc7396(result[name], value);
  }
  return result;
}

test('a patch without names of lists is a JSON merge patch', () => {
  const somePatch = fc.record(
    {
      timeout: fc.option(fc.integer()),
      registry: fc.option(fc.string()),
      platform: fc.option(fc.record({ architecture: fc.string(), variant: fc.option(fc.string()) }, { requiredKeys: [] })),
      step: fc.record(
        { target: fc.option(fc.string()), noCache: fc.boolean(), imageNames: fc.array(fc.string()), arguments: fc.constant([]) },
        { requiredKeys: [] },
      ),
      concurrency: fc.option(fc.record({ group: fc.string(), limit: fc.integer() }, { requiredKeys: [] })),
      credentials: fc.constant([]),
      tags: fc.option(
        fc.dictionary(
          fc.string().filter((name) => name !== '__proto__'),
          fc.option(fc.string()),
          { noNullPrototype: true },
        ),
      ),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(somePatch, (patch) => {
      const { input, problems } = mergeTaskPatch(TASK, patch, []);
      expect(problems).toEqual([]);
      expect(input).toEqual(rfc7396(TASK, patch));
    }),
  );
});

test('whatever is to be unset, nothing else changes, and the task as it is does not', () => {
  const before = structuredClone(TASK);
  const someName = fc.oneof(
    fc.string(),
    fc.constantFrom('step', 'tags', 'a', 'b', 'a.b', 'credentials', 'r.example:5000', 'arguments', 'A.B', '__proto__', 'constructor', ''),
  );
  fc.assert(
    fc.property(fc.array(someName, { maxLength: 4 }), (names) => {
      const path = names.join('.');
      const { input, problems } = mergeTaskPatch(TASK, {}, [path]);
      if (problems.length > 0) expect(input).toEqual({ ...TASK });
      expect(TASK).toEqual(before);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ['tags.a', { tags: { 'a.b': '1' } }],
  ['tags.a.b', { tags: { a: '2' } }],
  ['step.arguments.A.B', { step: { ...TASK.step, arguments: [] } }],
  ['credentials.r.example:5000', { credentials: [] }],
  ['platform.variant', { platform: { os: 'linux', architecture: 'arm' } }],
  ['registry', {}],
  ['step.valuesFilePath', {}],
])('unset %s', (path, change) => {
  expect(mergeTaskPatch(TASK, {}, [path])).toEqual({ input: { ...TASK, ...change }, problems: [] });
});

test('a secret is replaced as one value', () => {
  const { input } = mergeTaskPatch(TASK, { step: { contextAccessToken: { plain: 'x' } } }, []);
  expect(input.step.contextAccessToken).toEqual({ plain: 'x' });
});
