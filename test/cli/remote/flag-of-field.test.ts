import { expect, test } from 'vitest';
import { namingFlags } from '../../../src/cli/remote/flag-of-field.ts';
import { DaemonProblem } from '../../../src/cli/remote/problem.ts';

const refused = (message: string, field?: string): Promise<unknown> =>
  namingFlags(() =>
    Promise.reject(
      new DaemonProblem(422, 'invalid-request', message, {
        help: 'help',
        mistakes: [{ code: 'task-field', severity: 'error', message, ...(field === undefined ? {} : { field }) }],
      }),
    ),
  ).catch((error: unknown) => error);

test.each([
  ['trigger.sourceTriggers[0].branches[2]', '--branch'],
  ['trigger.sourceTriggers[1].paths.exclude[0]', '--exclude-path'],
  ['trigger.timerTriggers[3].schedule', '--schedule'],
  ['schedule', '--schedule'],
  ['trigger.baseImageTrigger.tracks[0].pattern', '--track'],
  ['step.contextPath', '--context'],
])('%s is the flag %s for who typed it', async (field, flag) => {
  expect(await refused(`\`${field}\` is "x"`, field)).toMatchObject({
    ...{ status: 422, code: 'invalid-request', message: `\`${flag}\` is "x"`, help: 'help' },
    mistakes: [{ message: `\`${flag}\` is "x"`, field: flag }],
  });
});

test('what no flag sets keeps its name, and other errors pass', async () => {
  expect(await refused('`policy.hostMounts` is "x"; write `*` or the values', 'policy.hostMounts')).toMatchObject({
    message: '`policy.hostMounts` is "x"; write `*` or the values',
    mistakes: [{ field: 'policy.hostMounts' }],
  });
  const other = new Error('`schedule`');
  await expect(namingFlags(() => Promise.reject(other))).rejects.toBe(other);
  expect(await namingFlags(async () => 1)).toBe(1);
});
