import { randomInt } from 'node:crypto';
import type { SettingStore } from '../model/ports/store.ts';

const KEY = 'daemonId';
const LENGTH = 6;

/** The id of the daemon whose database this is, made at the first start: part of every name it gives to things in an engine. */
export async function daemonId(settings: SettingStore): Promise<string> {
  const stored = await settings.get(KEY);
  if (typeof stored === 'string' && /^[a-z0-9]{6}$/.test(stored)) return stored;
  const made = randomInt(36 ** LENGTH)
    .toString(36)
    .padStart(LENGTH, '0');
  await settings.set(KEY, made);
  return made;
}
