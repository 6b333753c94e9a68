import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { taskResourceOf } from '../../../src/api/task-resource.ts';
import { taskSecretBinding } from '../../../src/model/ports/secret-box.ts';
import type { TaskInput } from '../../../src/model/task-input.ts';
import { createTaskCredentials } from '../../../src/service/tasks/task-credentials.ts';
import { ADMIN, openServices, principal, refusal, type ServiceParts } from '../parts.ts';

const WEB: TaskInput = { name: 'web', step: { contextPath: 'https://git.example/web.git#main', imageNames: ['web:{{.Run.ID}}'] } };
const EDITOR = principal('editor');
let parts: ServiceParts;

beforeEach(async () => {
  parts = await openServices();
});

afterEach(() => parts[Symbol.asyncDispose]());

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}

describe('a new task', () => {
  test('has the defaults of ACR', async () => {
    const { record, action, warnings } = await parts.tasks.create(EDITOR, WEB);
    expect(action).toBe('created');
    expect(warnings).toEqual([]);
    expect(record).toMatchObject({ version: 1 });
    expect(record.definition).toEqual({
      name: 'web',
      status: 'Enabled',
      platform: { os: 'linux', architecture: 'amd64' },
      agentConfiguration: { cpu: 2 },
      timeout: 3600,
      step: {
        type: 'Docker',
        contextPath: 'https://git.example/web.git#main',
        dockerFilePath: 'Dockerfile',
        imageNames: ['web:{{.Run.ID}}'],
        isPushEnabled: true,
        noCache: false,
        arguments: [],
      },
      credentials: [],
      agentPoolName: 'default',
      priority: 0,
      policy: { privileged: false, hostMounts: false, dockerSocket: false },
      trigger: {
        sourceTriggers: [
          {
            name: 'defaultSourceTriggerName',
            status: 'Enabled',
            sourceTriggerEvents: ['commit'],
            sourceRepository: { sourceControlType: 'Generic', repositoryUrl: 'https://git.example/web.git' },
            branches: [],
            tags: [],
            paths: { include: [], exclude: [] },
            skipCi: false,
            latestOnly: false,
            forks: 'approve',
            commitStatus: true,
          },
        ],
        timerTriggers: [],
        baseImageTrigger: {
          name: 'defaultBaseimageTriggerName',
          status: 'Enabled',
          baseImageTriggerType: 'Runtime',
          updateTriggerPayloadType: 'Default',
          trackIndex: false,
          tracks: [],
        },
        afterTriggers: [],
      },
    });
    expect((await refusal(parts.tasks.create(EDITOR, WEB))).code).toBe('already-exists');
  });

  test.each<[string, Partial<TaskInput>]>([
    ['name', { name: 'Web' }],
    ['platform.os', { platform: { os: 'windows' } }],
    ['platform.architecture', { platform: { architecture: 'x64' } }],
    ['platform.variant', { platform: { architecture: 'amd64', variant: 'v9' } }],
    ['agentConfiguration.cpu', { agentConfiguration: { cpu: 0 } }],
    ['timeout', { timeout: 299 }],
    ['timeout', { timeout: 28_801 }],
    ['registry', { registry: 'https://registry.example' }],
    ['priority', { priority: 101 }],
    ['maxParallelRuns', { maxParallelRuns: 0 }],
    ['concurrency.group', { concurrency: { group: 'deploy-${brnch}' } }],
    ['concurrency.limit', { concurrency: { group: 'deploy', limit: 0 } }],
    [
      'credentials[1].loginServer',
      { credentials: [0, 1].map(() => ({ loginServer: 'a.example', userName: 'u', password: { secret: 'P' } })) },
    ],
    ['credentials[0].password', { credentials: [{ loginServer: 'a.example', userName: 'u', password: { stored: true } }] }],
    ['step.contextPath', { step: {} }],
    ['step.contextPath', { step: { contextPath: './here' } }],
    ['step.contextPath', { step: { contextPath: '/etc' } }],
    ['step.contextPath', { step: { contextPath: 'file:///etc' } }],
    ['step.contextPath', { step: { contextPath: 'https://git.example/x.git#--upload-pack=sh' } }],
    ['step.contextPath', { step: { contextPath: 'https://git.example/x.git#main:../..' } }],
    ['step.contextPath', { step: { contextPath: 'https://user:password@git.example/x.git' } }],
    ['step.contextPath', { step: { contextPath: `https://ghp_${'x'.repeat(36)}@github.com/x.git` } }],
    ['step.contextPath', { step: { contextPath: 'upload:abc' } }],
    ['step.dockerFilePath', { step: { ...WEB.step, dockerFilePath: '../Dockerfile' } }],
    ['step.imageNames[0]', { step: { ...WEB.step, imageNames: ['Web App'] } }],
    ['step.target', { step: { ...WEB.step, target: '-x' } }],
    ['step.arguments[1].name', { step: { ...WEB.step, arguments: [0, 1].map((value) => ({ name: 'A', value: `${value}` })) } }],
    ['step.arguments[0].value', { step: { ...WEB.step, arguments: [{ name: 'A', isSecret: true, value: { secret: '../x' } }] } }],
    ['step.taskFilePath', { step: { ...WEB.step, type: 'Docker', taskFilePath: 'a.yaml' } }],
    ['step.encodedTaskContent', { step: { type: 'EncodedTask' } }],
    ['step.encodedTaskContent', { step: { encodedTaskContent: '!!' } }],
    ['step.encodedTaskContent', { step: { encodedTaskContent: Buffer.from([0xff, 0xfe, 0x80]).toString('base64') } }],
  ])('with a bad %s is refused by that name', async (field, bad) => {
    const error = await refusal(parts.tasks.create(ADMIN, { ...WEB, ...bad }));
    expect(error.code).toBe('invalid-request');
    expect(error.diagnostics.map((diagnostic) => diagnostic.field)).toContain(field);
    expect(await parts.store.tasks.list({ limit: 1 })).toEqual([]);
  });

  test('is told every mistake at once', async () => {
    const error = await refusal(parts.tasks.create(ADMIN, { ...WEB, timeout: 1, priority: 999 }));
    expect(error.message).toBe('`timeout` is 1 (and 1 more)');
    expect(error.help).toBe('Expected: a whole number from 300 to 28800 seconds.');
    expect(error.diagnostics).toHaveLength(2);
  });

  test('seals the values that come with it to their place', async () => {
    const { record } = await parts.tasks.create(EDITOR, {
      ...WEB,
      step: { ...WEB.step, arguments: [{ name: 'A', isSecret: true, value: 'hidden-a' }] },
      credentials: [{ loginServer: 'r.example:5000', userName: 'robot', password: { plain: 'hidden-p' } }],
    });
    const open = (ref: unknown, field: string): string => {
      const sealed = Object(ref).sealed;
      return parts.box.open(Buffer.from(String(sealed), 'base64'), taskSecretBinding('web', field)).toString();
    };
    const { step, credentials } = record.definition;
    expect(open(step.type === 'Docker' ? step.arguments[0]?.value : '', 'argument:A')).toBe('hidden-a');
    expect(open(credentials[0]?.password, 'password:r.example:5000')).toBe('hidden-p');
    expect(() => open(credentials[0]?.password, 'argument:A')).toThrow('belongs to another place');
    const shown = taskResourceOf(record);
    expect(JSON.stringify(shown)).not.toMatch(/sealed|hidden/);
    expect(shown.credentials).toEqual([{ loginServer: 'r.example:5000', userName: 'robot', password: { stored: true } }]);
  });

  test('may name secrets that are not there yet, and is warned', async () => {
    const step = { ...WEB.step, arguments: [{ name: 'A', isSecret: true as const, value: { secret: 'LATER' } }] };
    const { warnings } = await parts.tasks.create(EDITOR, { ...WEB, step });
    expect(warnings).toEqual([{ code: 'task-secret', severity: 'warning', message: 'there is no secret "LATER"' }]);
  });
});

describe('an inline task', () => {
  test('that is broken is refused with the places of its mistakes', async () => {
    const step = { encodedTaskContent: encoded('steps:\n  - id: a\n    when: [b]\n    cmd: alpine true\n') };
    const error = await refusal(parts.tasks.create(EDITOR, { name: 'inline', step }));
    expect(error.code).toBe('bad-task');
    expect(error.diagnostics[0]).toMatchObject({ code: 'when-unknown', range: { source: { name: 'inline (task file)' } } });
  });

  test('may need values that only a run has', async () => {
    const step = {
      encodedTaskContent: encoded('steps:\n  - build: -t $Registry/{{.Values.name}}:$ID .\n    timeout: {{.Values.seconds}}\n'),
    };
    await parts.tasks.create(EDITOR, { name: 'inline', step });
    const broken = { encodedTaskContent: encoded('steps:\n  - cmd: {{.Values.name\n') };
    expect((await refusal(parts.tasks.create(EDITOR, { name: 'broken', step: broken }))).code).toBe('bad-task');
  });
});

describe('a change', () => {
  beforeEach(async () => {
    await parts.tasks.create(EDITOR, {
      ...WEB,
      tags: { team: 'a', 'x.y': 'b' },
      step: {
        ...WEB.step,
        target: 'release',
        arguments: [
          { name: 'A', value: '1' },
          { name: 'S', isSecret: true, value: 'hidden' },
        ],
      },
      credentials: [{ loginServer: 'r.example', userName: 'u', password: { plain: 'hidden' } }],
    });
  });

  test('touches only what it names, and counts the version up', async () => {
    const before = (await parts.tasks.get(EDITOR, 'web')).definition;
    const { record, changes } = await parts.tasks.patch(EDITOR, 'web', { timeout: 600, step: { noCache: true }, tags: { team: 'b' } });
    expect(changes).toEqual(['step.noCache', 'tags.team', 'timeout']);
    expect(record.version).toBe(2);
    expect(record.definition).toEqual({
      ...before,
      timeout: 600,
      step: { ...before.step, noCache: true },
      tags: { ...before.tags, team: 'b' },
    });
  });

  test('of nothing changes nothing', async () => {
    const change = await parts.tasks.patch(EDITOR, 'web', { timeout: 3600 });
    expect(change).toMatchObject({ action: 'unchanged', changes: [], record: { version: 1 } });
  });

  test('replaces lists as a whole, or their entries by name', async () => {
    const args = async (patch: Record<string, unknown>): Promise<unknown> => {
      const { step } = (await parts.tasks.patch(EDITOR, 'web', { step: { arguments: patch } })).record.definition;
      return step.type === 'Docker'
        ? step.arguments.map(({ name, value }) => [name, typeof value === 'string' ? value : 'ref'])
        : undefined;
    };
    expect(
      await args({
        set: [
          { name: 'A', value: '2' },
          { name: 'B', value: '3' },
        ],
      }),
    ).toEqual([
      ['A', '2'],
      ['S', 'ref'],
      ['B', '3'],
    ]);
    expect(await args({ unset: ['S'] })).toEqual([
      ['A', '2'],
      ['B', '3'],
    ]);
    const { step } = (await parts.tasks.patch(EDITOR, 'web', { step: { arguments: [{ name: 'C', value: '4' }] } })).record.definition;
    expect(step).toMatchObject({ arguments: [{ name: 'C', value: '4', isSecret: false }] });
  });

  test('takes away what `unset` and null name', async () => {
    const unset = ['step.target', 'tags.x.y', 'step.arguments.S', 'credentials.r.example', 'maxParallelRuns'];
    const { definition } = (await parts.tasks.patch(EDITOR, 'web', { tags: { team: null } }, { unset })).record;
    expect(definition.step).not.toHaveProperty('target');
    expect(definition).not.toHaveProperty('tags');
    expect(definition.credentials).toEqual([]);
    expect(definition.step).toMatchObject({ arguments: [{ name: 'A' }] });
    const error = await refusal(parts.tasks.patch(EDITOR, 'web', {}, { unset: ['prioriti'] }));
    expect(error.help).toContain('did you mean "priority"');
    expect((await refusal(parts.tasks.patch(EDITOR, 'web', {}, { unset: ['step.contextPath'] }))).diagnostics[0]?.code).toBe(
      'task-field-missing',
    );
  });

  test('of the type drops the fields of the type before', async () => {
    const { record } = await parts.tasks.patch(EDITOR, 'web', { step: { type: 'FileTask', taskFilePath: 'ci.yaml' } });
    expect(record.definition.step).toEqual({
      type: 'FileTask',
      contextPath: 'https://git.example/web.git#main',
      taskFilePath: 'ci.yaml',
      values: [],
    });
  });

  test('is refused when it was made to another version', async () => {
    await parts.tasks.patch(EDITOR, 'web', { timeout: 600 }, { version: 1 });
    for (const late of [
      parts.tasks.patch(EDITOR, 'web', { timeout: 700 }, { version: 1 }),
      parts.tasks.replace(EDITOR, WEB, { version: 1 }),
      parts.tasks.delete(EDITOR, 'web', { version: 1 }),
    ]) {
      expect((await refusal(late)).code).toBe('version-conflict');
    }
  });

  test('without a version is laid over what others did at the same time', async () => {
    await Promise.all([
      parts.tasks.patch(EDITOR, 'web', { timeout: 600 }),
      parts.tasks.patch(EDITOR, 'web', { priority: 7 }),
      parts.tasks.patch(EDITOR, 'web', { step: { noCache: true } }),
    ]);
    const { definition, version } = await parts.tasks.get(EDITOR, 'web');
    expect(version).toBe(4);
    expect(definition).toMatchObject({ timeout: 600, priority: 7, step: { noCache: true } });
  });

  test('by an answer that is sent back changes nothing, sealed values too', async () => {
    const record = await parts.tasks.get(EDITOR, 'web');
    const { id, version, creationDate, lastUpdatedTime, managedBy, ...shown } = taskResourceOf(record);
    const change = await parts.tasks.replace(EDITOR, shown, { version });
    expect(change.action).toBe('unchanged');
    expect(change.record.definition).toEqual(record.definition);
  });

  test('of a task that a file manages needs force, and leaves it to the file', async () => {
    await parts.tasks.replace(EDITOR, WEB, { managedBy: 'ci.yaml' });
    for (const work of [
      parts.tasks.patch(EDITOR, 'web', { priority: 1 }),
      parts.tasks.delete(EDITOR, 'web'),
      parts.tasks.replace(EDITOR, WEB, { managedBy: 'other.yaml' }),
    ]) {
      expect((await refusal(work)).code).toBe('managed-by-file');
    }
    expect((await parts.tasks.patch(EDITOR, 'web', { priority: 1 }, { force: true })).record.managedBy).toBe('ci.yaml');
  });
});

describe('special rights', () => {
  const policy = { privileged: true };

  test('are given by admins for all tasks only', async () => {
    for (const who of [EDITOR, principal('admin', { tasks: ['web'] }), principal('admin', { scopes: ['task:write'] })]) {
      const error = await refusal(parts.tasks.create(who, { ...WEB, policy }));
      expect(error).toMatchObject({ code: 'forbidden', message: expect.stringContaining('the role admin') });
    }
    await parts.tasks.create(ADMIN, { ...WEB, policy });
  });

  test('keep others from changing what the task runs, unless they take the rights away', async () => {
    await parts.tasks.create(ADMIN, { ...WEB, policy });
    expect((await refusal(parts.tasks.patch(EDITOR, 'web', { step: { dockerFilePath: 'Evil' } }))).code).toBe('forbidden');
    expect((await refusal(parts.tasks.patch(EDITOR, 'web', { registry: 'evil.example' }))).code).toBe('forbidden');
    await parts.tasks.patch(EDITOR, 'web', { status: 'Disabled' });
    expect(
      (await parts.tasks.patch(EDITOR, 'web', { step: { dockerFilePath: 'Other' }, policy: null })).record.definition.policy.privileged,
    ).toBe(false);
  });
});

test('a task ends runs of other tasks only when somebody for all tasks says so', async () => {
  const team = principal('editor', { tasks: ['web*'] });
  const concurrency = { group: 'deploy', limit: 1, onConflict: 'cancel-running' } as const;
  for (const onConflict of ['cancel-running', 'cancel-pending'] as const) {
    expect((await refusal(parts.tasks.create(team, { ...WEB, concurrency: { ...concurrency, onConflict } }))).code).toBe('forbidden');
  }
  const own = { ...concurrency, group: '${task}-${branch}' };
  await parts.tasks.create(team, { ...WEB, concurrency: own });
  await parts.tasks.create(team, { ...WEB, name: 'web-2', concurrency: { ...concurrency, onConflict: 'queue' } });
  await parts.tasks.patch(EDITOR, 'web', { concurrency });
  await parts.tasks.patch(team, 'web', { priority: 3 });
  expect((await refusal(parts.tasks.patch(team, 'web', { concurrency: { group: 'other' } }))).code).toBe('forbidden');
});

describe('tasks', () => {
  test('are seen by those who may see them', async () => {
    for (const name of ['api-1', 'api-2', 'web', 'web-1', 'web-2']) await parts.tasks.create(ADMIN, { ...WEB, name });
    const team = principal('viewer', { tasks: ['web*'] });
    const names = async (after?: string): Promise<readonly string[]> =>
      (await parts.tasks.list(team, { limit: 2, ...(after === undefined ? {} : { after }) })).map(({ definition }) => definition.name);
    expect(await names()).toEqual(['web', 'web-1']);
    expect(await names('web-1')).toEqual(['web-2']);
    expect((await refusal(parts.tasks.get(team, 'api-1'))).code).toBe('forbidden');
    expect((await refusal(parts.tasks.get(team, 'nothing'))).code).toBe('forbidden');
    expect((await refusal(parts.tasks.get(team, 'web-9'))).code).toBe('not-found');
    expect((await refusal(parts.tasks.create(principal('editor', { tasks: ['web*'] }), { ...WEB, name: 'api-3' }))).code).toBe('forbidden');
  });

  test('leave every change in the audit, without values', async () => {
    await parts.tasks.create(EDITOR, { ...WEB, step: { ...WEB.step, arguments: [{ name: 'S', isSecret: true, value: 'canary-1' }] } });
    await parts.tasks.patch(EDITOR, 'web', { priority: 1 });
    await parts.tasks.delete(EDITOR, 'web');
    const entries = await parts.audit.list({ limit: 10, target: 'web' });
    expect(entries.map(({ action }) => action)).toEqual(['task.delete', 'task.update', 'task.create']);
    expect(entries[1]?.details).toMatchObject({ changes: ['priority'], version: 2 });
    expect(JSON.stringify(entries)).not.toContain('canary');
  });
});

describe('credentials', () => {
  test('are one a registry: add refuses a second, update changes in part', async () => {
    const credentials = createTaskCredentials(parts.tasks);
    const one = { loginServer: 'r.example', userName: 'u', password: { plain: 'hidden-1' } };
    await parts.tasks.create(EDITOR, WEB);
    await credentials.add(EDITOR, 'web', one);
    expect((await refusal(credentials.add(EDITOR, 'web', one))).code).toBe('already-exists');
    await credentials.update(EDITOR, 'web', { loginServer: 'r.example', userName: 'v' });
    expect(await credentials.list(EDITOR, 'web')).toEqual([{ loginServer: 'r.example', userName: 'v', password: { stored: true } }]);
    expect((await credentials.put(EDITOR, 'web', { ...one, userName: 'v', password: { stored: true } })).action).toBe('unchanged');
    expect((await refusal(credentials.update(EDITOR, 'web', { loginServer: 'x.example', userName: 'v' }))).code).toBe('not-found');
    await credentials.remove(EDITOR, 'web', 'r.example');
    expect((await refusal(credentials.remove(EDITOR, 'web', 'r.example'))).code).toBe('not-found');
    expect((await parts.audit.list({ limit: 9 })).map(({ action }) => action)).toEqual([
      'task.credential.remove',
      'task.credential.update',
      'task.credential.add',
      'task.create',
    ]);
  });
});
