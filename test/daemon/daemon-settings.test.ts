import { expect, test } from 'vitest';
import { daemonSettings } from '../../src/daemon/daemon-settings.ts';

const PLACE = { directory: '/', environment: {} };
const HOUR = 3_600_000;

test('looks at registries cannot be more often than they are seldom', () => {
  expect(() => daemonSettings({ baseImagePollMin: 2 * HOUR, baseImagePollMax: HOUR }, PLACE)).toThrow('`baseImagePollMin` is more than');
  expect(daemonSettings({ baseImagePollMin: 2 * HOUR }, PLACE).baseImagePoll).toEqual({ least: 2 * HOUR, most: 2 * HOUR });
});
