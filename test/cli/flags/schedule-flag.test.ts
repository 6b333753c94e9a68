import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addTriggerFlags } from '../../../src/cli/flags/trigger-flags.ts';

function schedules(text: string): unknown {
  const command = addTriggerFlags(new Command(), 'create')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parse(['--schedule', text], { from: 'user' }).opts()['schedule'];
}

test('a schedule whose name cannot be one is refused for its name', () => {
  expect(schedules('nightly:0 3 * * *')).toEqual([{ name: 'nightly', schedule: '0 3 * * *' }]);
  expect(schedules('CRON_TZ=Europe/Berlin 0 3 * * *')).toEqual([{ schedule: 'CRON_TZ=Europe/Berlin 0 3 * * *' }]);
  expect(() => schedules('bad name:0 3 * * *')).toThrow('The name "bad name" is none');
});
