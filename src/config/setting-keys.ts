import { DAEMON_SETTING_KEYS } from './daemon-setting-keys.ts';
import { RUN_SETTING_KEYS } from './run-setting-keys.ts';
import type { SettingKey } from './setting-key.ts';

/** Every key of slipway.yaml with its environment variable, in the order of the documentation. */
export const SETTING_KEYS: readonly SettingKey[] = [...RUN_SETTING_KEYS, ...DAEMON_SETTING_KEYS];
