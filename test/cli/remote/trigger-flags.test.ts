import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { type TaskResource, taskBody, taskPatch } from '../../../src/api/task-schema.ts';
import type { TriggersShown } from '../../../src/api/task-trigger-schema.ts';
import { addDefinitionCommands } from '../../../src/cli/commands/task-define.ts';
import { FlagError } from '../../../src/cli/remote/flag-error.ts';
import { taskBodyOf, taskPatchOf } from '../../../src/cli/remote/task-body.ts';
import type { TaskDefinitionFlags } from '../../../src/cli/remote/task-flags.ts';
import { timersText } from '../../../src/cli/tables/timer-table.ts';
import { triggerLines, triggerWords } from '../../../src/cli/tables/trigger-words.ts';
import { remoteIo } from './remote-io.ts';

const GIT = 'https://github.com/me/web.git';
const SOURCE: TriggersShown['sourceTriggers'][number] = {
  name: 'defaultSourceTriggerName',
  status: 'Enabled',
  sourceTriggerEvents: ['commit'],
  sourceRepository: {
    sourceControlType: 'Github',
    repositoryUrl: GIT,
    sourceControlAuthProperties: { tokenType: 'PAT', token: { stored: true } },
  },
  branches: ['main', 'release/*'],
  tags: [],
  paths: { include: ['src/**'], exclude: [] },
  skipCi: false,
  latestOnly: false,
  forks: 'approve',
  pollInterval: 120,
  commitStatus: true,
};
const TIMER: TriggersShown['timerTriggers'][number] = {
  ...{ name: 't1', schedule: '0 3 * * *', status: 'Enabled' },
  ...{ onMissed: 'latest', mostMissed: 10, overlap: 'allow', jitter: 60 },
};
const BASE: NonNullable<TriggersShown['baseImageTrigger']> = {
  ...{ name: 'defaultBaseimageTriggerName', status: 'Enabled', baseImageTriggerType: 'Runtime' },
  ...{ updateTriggerPayloadType: 'Default', trackIndex: false, tracks: [] },
};
const TASK = {
  name: 'web',
  step: {
    type: 'Docker',
    contextPath: `${GIT}#main`,
    dockerFilePath: 'Dockerfile',
    imageNames: [],
    isPushEnabled: true,
    noCache: false,
    arguments: [],
  },
  trigger: { sourceTriggers: [SOURCE], timerTriggers: [TIMER], baseImageTrigger: BASE, afterTriggers: [] },
} as unknown as TaskResource;

/** The flags of a command line as commander reads them. */
async function flagsOf(
  kind: 'create' | 'update',
  args: readonly string[],
): Promise<TaskDefinitionFlags & { readonly unset?: readonly string[] }> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addDefinitionCommands(program, { io: remoteIo({}).io, finish: () => undefined });
  const command = program.commands.find((one) => one.name() === kind);
  if (command === undefined) throw new Error(kind);
  let read: TaskDefinitionFlags | undefined;
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  command.action((_, flags: TaskDefinitionFlags) => {
    read = flags;
  });
  await program.parseAsync([kind, 'web', ...args], { from: 'user' });
  if (read === undefined) throw new Error('not parsed');
  return read;
}

async function create(...args: readonly string[]) {
  const body = await taskBodyOf(
    'web',
    await flagsOf('create', ['-c', GIT, ...args]),
    remoteIo({ environment: { HOOK: 'https://ci.example/x' } }).io,
  );
  taskBody.parse(body);
  return body;
}

async function update(args: readonly string[], current = TASK) {
  const flags = await flagsOf('update', args);
  const body = await taskPatchOf(current, flags, flags.unset ?? [], remoteIo({}).io);
  taskPatch.parse(body);
  return body;
}

describe('task create', () => {
  test('leaves the triggers to the daemon when no flag speaks of them', async () => {
    expect(await create('--branch', 'main')).not.toHaveProperty('trigger');
  });

  test('takes the flags of ACR', async () => {
    const { trigger } = await create(
      ...['--commit-trigger-enabled', 'false', '--pull-request-trigger-enabled', '--source-trigger-name', 'git'],
      ...[
        '--base-image-trigger-type',
        'All',
        '--base-image-trigger-name',
        'base',
        '--schedule',
        '0 3 * * *',
        '--schedule',
        'noon:0 12 * * *',
      ],
      ...['--update-trigger-endpoint', 'env:HOOK', '--update-trigger-payload-type', 'Token'],
    );
    expect(trigger).toEqual({
      sourceTriggers: [{ name: 'git', sourceTriggerEvents: ['pullrequest'] }],
      timerTriggers: [{ schedule: '0 3 * * *' }, { name: 'noon', schedule: '0 12 * * *' }],
      baseImageTrigger: {
        name: 'base',
        baseImageTriggerType: 'All',
        updateTriggerEndpoint: { plain: 'https://ci.example/x' },
        updateTriggerPayloadType: 'Token',
      },
      afterTriggers: [],
    });
  });

  test('takes what Slipway has beyond ACR', async () => {
    const { step, trigger } = await create(
      ...['--branch', 'main', '--branch', 'release/**', '--branch', '!release/old', '--tag', 'v*', '--include-path', 'src/**'],
      ...['--exclude-path', '**/*.md', '--skip-ci', '--latest-only', '--forks', 'ignore', '--poll-interval', '2m', '--forge', 'gitea'],
      ...[
        '--no-commit-status',
        '--on-missed',
        'all:3',
        '--overlap',
        'skip',
        '--jitter',
        '5m',
        '--schedule',
        'CRON_TZ=Europe/Berlin 0 3 * * *',
      ],
      ...['--track', 'node=semver:~20', '--track', 'ghcr.io/me/x=regex:^v=(\\d+)$', '--track', 'busybox=digest', '--track-index'],
      ...['--base-image-window', '0', '--base-image-poll', '1m-5m', '--after', 'base', '--after', 'tools:pushed'],
    );
    expect(step.contextPath).toBe(`${GIT}#main`);
    expect(trigger).toEqual({
      sourceTriggers: [
        {
          sourceTriggerEvents: ['commit', 'tag'],
          branches: ['main', 'release/**', '!release/old'],
          tags: ['v*'],
          paths: { include: ['src/**'], exclude: ['**/*.md'] },
          skipCi: true,
          latestOnly: true,
          forks: 'ignore',
          pollInterval: 120,
          commitStatus: false,
          sourceRepository: { sourceControlType: 'Gitea' },
        },
      ],
      timerTriggers: [{ schedule: 'CRON_TZ=Europe/Berlin 0 3 * * *', onMissed: 'all', mostMissed: 3, overlap: 'skip', jitter: 300 }],
      baseImageTrigger: {
        tracks: [
          { image: 'node', by: 'semver', pattern: '~20' },
          { image: 'ghcr.io/me/x', by: 'regex', pattern: '^v=(\\d+)$' },
          { image: 'busybox', by: 'digest' },
        ],
        trackIndex: true,
        window: 0,
        poll: { least: 60, most: 300 },
      },
      afterTriggers: [
        { task: 'base', on: 'succeeded' },
        { task: 'tools', on: 'pushed' },
      ],
    });
  });

  test('can leave any trigger out', async () => {
    expect((await create('--commit-trigger-enabled', 'false', '--base-image-trigger-enabled', 'false')).trigger).toEqual({
      timerTriggers: [],
      afterTriggers: [],
    });
    expect((await create('--commit-trigger-enabled', 'false')).trigger).toEqual({
      timerTriggers: [],
      baseImageTrigger: {},
      afterTriggers: [],
    });
  });

  test.each<[readonly string[], string]>([
    [['--commit-trigger-enabled', 'false', '--skip-ci'], 'nothing of the repository starts the task'],
    [['--base-image-trigger-enabled', 'false', '--track-index'], 'flags of the base image trigger need it enabled'],
    [
      ['--update-trigger-payload-type', 'Token'],
      '`--update-trigger-payload-type Token` says what is posted, and without `--update-trigger-endpoint`',
    ],
    [['--jitter', '5m'], '`--on-missed`, `--overlap` and `--jitter` are of timers'],
    [['-c', 'https://host/a.tgz', '--commit-trigger-enabled'], 'only with a git context'],
    [['-c', '/dev/null', '--cmd', 'busybox', '--branch', 'main'], '`--branch` needs a git URL'],
  ])('%j is a mistake', async (args, message) => {
    const refused = await create(...args).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(FlagError);
    expect((refused as FlagError).message).toContain(message);
  });

  test.each([
    ['--commit-trigger-enabled', 'yes'],
    ['--schedule', 'nightly:'],
    ['--track', 'node'],
    ['--track', 'node=newest'],
    ['--after', 'a:failed'],
    ['--on-missed', 'skip:3'],
    ['--base-image-poll', '1m-2m-3m'],
    ['--forks', 'trust'],
    ['--poll-interval', 'often'],
  ])('%s %s is refused by its flag', async (flag, value) => {
    await expect(create(flag, value)).rejects.toThrow(flag);
  });
});

describe('task update', () => {
  test('changes a source trigger and leaves the rest of it, also its token', async () => {
    expect(await update(['--pull-request-trigger-enabled', '--exclude-path', 'docs/**', '--forge', 'generic'])).toEqual({
      trigger: {
        sourceTriggers: {
          set: [
            {
              ...SOURCE,
              sourceTriggerEvents: ['commit', 'pullrequest'],
              paths: { include: ['src/**'], exclude: ['docs/**'] },
              sourceRepository: { ...SOURCE.sourceRepository, sourceControlType: 'Generic' },
            },
          ],
        },
      },
    });
  });

  test('turns triggers off without forgetting them, and on again', async () => {
    expect(await update(['--commit-trigger-enabled', 'false', '--base-image-trigger-enabled', 'false'])).toEqual({
      trigger: { sourceTriggers: { set: [{ ...SOURCE, status: 'Disabled' }] }, baseImageTrigger: { status: 'Disabled' } },
    });
    const off = { ...TASK, trigger: { ...TASK.trigger, sourceTriggers: [{ ...SOURCE, status: 'Disabled' as const }] } };
    expect((await update(['--commit-trigger-enabled'], off)).trigger?.sourceTriggers).toEqual({ set: [SOURCE] });
  });

  test('adds triggers to a task that has none', async () => {
    const bare = { ...TASK, trigger: { sourceTriggers: [], timerTriggers: [], afterTriggers: [] } };
    expect(await update(['--commit-trigger-enabled', '--base-image-trigger-enabled', '--after', 'base'], bare)).toEqual({
      trigger: {
        sourceTriggers: { set: [{ name: 'defaultSourceTriggerName', sourceTriggerEvents: ['commit'], status: 'Enabled' }] },
        baseImageTrigger: { status: 'Enabled' },
        afterTriggers: { set: [{ name: 'after-base', task: 'base', on: 'succeeded' }] },
      },
    });
  });

  test('changes timers by name, adds others, and says of all how they start', async () => {
    expect((await update(['--schedule', 't1:0 4 * * *', '--schedule', '0 5 * * *'])).trigger?.timerTriggers).toEqual({
      set: [{ ...TIMER, schedule: '0 4 * * *' }, { schedule: '0 5 * * *' }],
    });
    expect((await update(['--overlap', 'queue'])).trigger?.timerTriggers).toEqual({ set: [{ ...TIMER, overlap: 'queue' }] });
  });

  test('a single plain branch is that of the context, and its patterns go', async () => {
    expect(await update(['--branch', 'next'])).toEqual({
      step: { contextPath: `${GIT}#next` },
      trigger: { sourceTriggers: { set: [{ ...SOURCE, branches: [] }] } },
    });
    expect(await update(['--branch', 'next/*'])).toEqual({ trigger: { sourceTriggers: { set: [{ ...SOURCE, branches: ['next/*'] }] } } });
  });

  test('branches for a named source trigger are of it alone: the context stays', async () => {
    const named = ['--source-trigger-name', SOURCE.name];
    const branches = async (...args: readonly string[]) => {
      const { step, trigger } = await update([...named, ...args]);
      expect(step).toBeUndefined();
      return trigger?.sourceTriggers;
    };
    expect(await branches('--branch', 'next')).toEqual({ set: [{ ...SOURCE, branches: ['next'] }] });
    expect(await branches('--branch', 'next', '--branch', 'old/*')).toEqual({ set: [{ ...SOURCE, branches: ['next', 'old/*'] }] });
    const moved = await update([...named, '--branch', 'next', '--context', `${GIT}#dev`]);
    expect(moved.step).toEqual({ contextPath: `${GIT}#dev` });
    expect(moved.trigger?.sourceTriggers).toMatchObject({ set: [{ branches: ['next'] }] });
    expect(await update(['--source-trigger-name', 'second', '--branch', 'next'])).toEqual({
      trigger: { sourceTriggers: { set: [{ name: 'second', branches: ['next'], sourceTriggerEvents: ['commit'], status: 'Enabled' }] } },
    });
  });

  test('a trigger of the context follows it to another repository', async () => {
    const body = await update(['--context', 'https://gitlab.com/me/web.git', '--skip-ci']);
    const { sourceControlType: _, ...repository } = { ...SOURCE.sourceRepository, repositoryUrl: 'https://gitlab.com/me/web.git' };
    expect(body.trigger?.sourceTriggers).toEqual({ set: [{ ...SOURCE, skipCi: true, sourceRepository: repository }] });
    const elsewhere = { ...SOURCE, sourceRepository: { ...SOURCE.sourceRepository, repositoryUrl: 'https://github.com/me/other.git' } };
    const other = { ...TASK, trigger: { ...TASK.trigger, sourceTriggers: [elsewhere] } };
    expect((await update(['--context', 'https://gitlab.com/me/web.git', '--skip-ci'], other)).trigger?.sourceTriggers).toEqual({
      set: [{ ...elsewhere, skipCi: true }],
    });
  });

  test('--unset empties what a trigger has', async () => {
    const { pollInterval: _, ...rest } = SOURCE;
    expect(
      await update([
        '--unset',
        'include-path',
        '--unset',
        'branch',
        '--unset',
        'poll-interval',
        '--unset',
        'schedule.t1',
        '--unset',
        'after.base',
      ]),
    ).toEqual({
      trigger: { sourceTriggers: { set: [{ ...rest, branches: [], paths: { include: [], exclude: [] } }] } },
      unset: ['trigger.timerTriggers.t1', 'trigger.afterTriggers.base'],
    });
    const tagged = {
      ...TASK,
      trigger: { ...TASK.trigger, sourceTriggers: [{ ...SOURCE, sourceTriggerEvents: ['tag' as const], tags: ['v*'] }] },
    };
    expect((await update(['--unset', 'tag'], tagged)).trigger?.sourceTriggers).toEqual({
      set: [{ ...SOURCE, status: 'Disabled' }],
    });
  });

  test('refuses to say what is posted where nothing is, or is any more', async () => {
    const message = 'without `--update-trigger-endpoint` nothing is';
    await expect(update(['--update-trigger-payload-type', 'Token'])).rejects.toThrow(message);
    const baseImageTrigger = { ...BASE, updateTriggerEndpoint: { stored: true as const } };
    const posts = { ...TASK, trigger: { ...TASK.trigger, baseImageTrigger } };
    expect(await update(['--update-trigger-payload-type', 'Token'], posts)).toEqual({
      trigger: { baseImageTrigger: { updateTriggerPayloadType: 'Token' } },
    });
    const given = ['--update-trigger-payload-type', 'Token', '--update-trigger-endpoint', 'secret:hook'];
    expect((await update(given)).trigger?.baseImageTrigger).toMatchObject({ updateTriggerPayloadType: 'Token' });
    await expect(update(['--update-trigger-payload-type', 'Token', '--unset', 'update-trigger-endpoint'], posts)).rejects.toThrow(message);
  });

  test('asks which of several source triggers is meant, and only when one is to change', async () => {
    const two = { ...TASK, trigger: { ...TASK.trigger, sourceTriggers: ['a', 'b'].map((name) => ({ ...SOURCE, name })) } };
    await expect(update(['--skip-ci'], two)).rejects.toThrow('the task has 2 source triggers: a, b');
    await expect(update(['--branch', 'dev'], two)).rejects.toThrow('the task has 2 source triggers: a, b');
    expect(await update(['--timeout', '1h'], two)).toEqual({ timeout: 3600 });
    expect((await update(['--skip-ci', '--source-trigger-name', 'b'], two)).trigger?.sourceTriggers).toEqual({
      set: [{ ...SOURCE, name: 'b', skipCi: true }],
    });
  });
});

test('triggers as people read them', () => {
  expect(triggerWords(TASK.trigger)).toBe('commit, base image, timer');
  expect(triggerLines(TASK.trigger).map(({ kind, starts }) => `${kind}: ${starts}`)).toEqual([
    `source: commit of ${GIT}; branches main release/*; files src/**`,
    'base-image: updates of base images (Runtime)',
    'timer: 0 3 * * *',
  ]);
  expect(timersText([TIMER, { ...TIMER, name: 'never', schedule: '0 0 30 2 *' }], new Date('2026-11-23T12:00:00Z'))).toBe(
    'timer t1 (0 3 * * *): 2026-11-24 03:00 UTC, 2026-11-25 03:00 UTC, 2026-11-26 03:00 UTC, 2026-11-27 03:00 UTC, 2026-11-28 03:00 UTC\n' +
      'timer never (0 0 30 2 *): never\n',
  );
});
