import type { Diagnostic } from '../model/diagnostic.ts';
import { err, ok, type Result } from '../util/result.ts';
import type { SettingKey } from './setting-key.ts';
import { SETTING_KEYS } from './setting-keys.ts';
import type { FlagValue, Settings, SettingValue } from './settings.ts';

export function readFlag(given: FlagValue): Result<Settings, Diagnostic> {
  const found = SETTING_KEYS.find(({ name }) => name === given.name);
  if (found === undefined) return ok({});
  // An empty one is how to have none where the settings name one.
  if (given.name === 'registry' && given.texts[0] === '') return ok({ registry: '' });
  return readSetting(found, { texts: given.texts, isList: found.list, place: given.flag });
}

/** The key's value as settings of that one key, or a diagnostic with the place. */
export function readSetting(setting: SettingKey, value: SettingValue): Result<Settings, Diagnostic> {
  const settings = value.isList === setting.list ? setting.read(value.texts) : undefined;
  if (settings !== undefined) return ok(settings);
  return err({
    code: 'setting-value',
    severity: 'error',
    message: `${value.place} has a value that is no ${setting.name}: ${value.texts.map((text) => JSON.stringify(text)).join(', ')}`,
    expected: setting.expected,
    ...(value.range === undefined ? {} : { range: value.range }),
  });
}
