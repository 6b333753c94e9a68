import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TaskDefinition } from '../../../src/model/task-definition.ts';
import { mergeTaskPatch } from '../../../src/service/tasks/merge-patch.ts';

const TASK = {
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
  trigger: {
    sourceTriggers: [
      {
        name: 'source',
        status: 'Enabled',
        sourceTriggerEvents: ['commit'],
        sourceRepository: {
          sourceControlType: 'Generic',
          repositoryUrl: 'https://git.example/web.git',
          sourceControlAuthProperties: { tokenType: 'PAT', token: { secret: 'GIT' } },
        },
        branches: [],
        tags: [],
        paths: { include: [], exclude: [] },
        skipCi: false,
        latestOnly: false,
        forks: 'approve',
        commitStatus: true,
      },
    ],
    timerTriggers: [
      { name: 't.1', schedule: '0 3 * * *', status: 'Enabled', onMissed: 'latest', mostMissed: 10, overlap: 'allow', jitter: 0 },
      { name: 't2', schedule: '0 4 * * *', status: 'Enabled', onMissed: 'latest', mostMissed: 10, overlap: 'allow', jitter: 0 },
    ],
    baseImageTrigger: {
      name: 'base',
      status: 'Enabled',
      baseImageTriggerType: 'Runtime',
      updateTriggerEndpoint: { secret: 'HOOK' },
      updateTriggerPayloadType: 'Default',
      trackIndex: false,
      tracks: [{ image: 'node', by: 'semver', pattern: '~20' }],
    },
    afterTriggers: [],
  },
  tags: { 'a.b': '1', a: '2' },
} as const satisfies TaskDefinition;

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
    fc.constantFrom(
      'step',
      'tags',
      'a',
      'b',
      'a.b',
      'credentials',
      'r.example:5000',
      'arguments',
      'A.B',
      'trigger',
      'timerTriggers',
      't.1',
      't2',
      'baseImageTrigger',
      'tracks',
      '__proto__',
      'constructor',
      '',
    ),
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
  ['trigger.timerTriggers.t.1', { trigger: { ...TASK.trigger, timerTriggers: TASK.trigger.timerTriggers.slice(1) } }],
  ['trigger.baseImageTrigger.window', {}],
  [
    'trigger.baseImageTrigger.tracks.node',
    { trigger: { ...TASK.trigger, baseImageTrigger: { ...TASK.trigger.baseImageTrigger, tracks: [] } } },
  ],
])('unset %s', (path, change) => {
  expect(mergeTaskPatch(TASK, {}, [path])).toEqual({ input: { ...TASK, ...change }, problems: [] });
});

test('a secret is replaced as one value', () => {
  const { input } = mergeTaskPatch(TASK, { step: { contextAccessToken: { plain: 'x' } } }, []);
  expect(input.step.contextAccessToken).toEqual({ plain: 'x' });
  const endpoint = { plain: 'https://ci.example/x' };
  const other = mergeTaskPatch(TASK, { trigger: { baseImageTrigger: { updateTriggerEndpoint: endpoint } } }, []).input;
  expect(other.trigger?.baseImageTrigger).toEqual({ ...TASK.trigger.baseImageTrigger, updateTriggerEndpoint: endpoint });
});

test('triggers change by name, and whole kinds go by null', () => {
  const [first, second] = TASK.trigger.timerTriggers;
  const { input, problems } = mergeTaskPatch(
    TASK,
    {
      trigger: {
        timerTriggers: { set: [{ ...second, schedule: '0 5 * * *' }, { schedule: '1 1 * * *' }, { schedule: '2 2 * * *' }] },
        baseImageTrigger: null,
      },
    },
    [],
  );
  expect(problems).toEqual([]);
  expect(input.trigger?.timerTriggers).toEqual([
    first,
    { ...second, schedule: '0 5 * * *' },
    { schedule: '1 1 * * *' },
    { schedule: '2 2 * * *' },
  ]);
  expect(input.trigger).not.toHaveProperty('baseImageTrigger');
  const [unknown] = mergeTaskPatch(TASK, {}, ['trigger.timerTriggers.t22']).problems;
  expect(unknown).toMatchObject({ field: 'trigger.timerTriggers.t22', help: 'did you mean "t2"?' });
});

test('source triggers of the context follow it to another repository, and away', () => {
  const sourceOf = (patch: Readonly<Record<string, unknown>>) => mergeTaskPatch(TASK, patch, []).input.trigger?.sourceTriggers;
  const [source] = TASK.trigger.sourceTriggers;
  expect(sourceOf({ step: { contextPath: 'https://git.example/web.git#main' } })).toEqual([source]);
  expect(sourceOf({ step: { contextPath: 'https://github.com/me/web.git#main' } })).toEqual([
    {
      ...source,
      sourceRepository: { ...source.sourceRepository, sourceControlType: 'Github', repositoryUrl: 'https://github.com/me/web.git' },
    },
  ]);
  expect(sourceOf({ step: { contextPath: null } })).toEqual([]);
  expect(sourceOf({ step: { contextPath: null }, trigger: { sourceTriggers: [source] } })).toEqual([source]);
});

test('a task of a version without triggers keeps none', () => {
  const { trigger: _, ...old } = TASK;
  expect(mergeTaskPatch(old, { timeout: 700 }, []).input.trigger).toEqual({ sourceTriggers: [], timerTriggers: [], afterTriggers: [] });
});
