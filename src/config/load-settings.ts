import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Diagnostic } from '../model/diagnostic.ts';
import { err, ok, type Result } from '../util/result.ts';
import { readRegistryFlag, readSetting, SETTING_KEYS, type Settings } from './settings.ts';

/** Name of the file in the current folder. */
const FOLDER_FILE = 'slipway.yaml';

/**
 * The settings that apply: the flag `--registry` and variables SLIPWAY_… beat slipway.yaml of the current folder (never of the context, which may be a
 * stranger's), which beats config.yaml of the user's configuration folder. Every problem is reported.
 */
export async function loadSettings(place: {
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** `--registry` of the command. */
  readonly registry?: string | undefined;
}): Promise<Result<Settings, readonly Diagnostic[]>> {
  const variables = readVariables(place.environment);
  const folder = await readSettingsFile(join(place.directory, FOLDER_FILE), FOLDER_FILE);
  const userFile = join(configDirectory(place.environment), 'config.yaml');
  const user = await readSettingsFile(userFile, userFile);
  const flag = readRegistryFlag(place.registry);
  const problems = [flag, variables, folder, user].flatMap((result) => (result.ok ? [] : result.error));
  if (!flag.ok || !variables.ok || !folder.ok || !user.ok) return err(problems);
  return ok({ ...user.value, ...folder.value, ...variables.value, ...flag.value });
}

function configDirectory(environment: NodeJS.ProcessEnv): string {
  const base = environment['XDG_CONFIG_HOME'];
  return join(base === undefined || base === '' ? join(environment['HOME'] ?? homedir(), '.config') : base, 'slipway');
}

function readVariables(environment: NodeJS.ProcessEnv): Result<Settings, readonly Diagnostic[]> {
  let settings: Settings = {};
  const problems: Diagnostic[] = [];
  for (const key of SETTING_KEYS) {
    const text = environment[key.variable];
    if (text === undefined || text === '') continue;
    const texts = key.list ? text.split(',').map((item) => item.trim()) : [text];
    const read = readSetting(key, { texts, isList: key.list, place: key.variable });
    if (read.ok) settings = { ...settings, ...read.value };
    else problems.push(read.error);
  }
  return problems.length > 0 ? err(problems) : ok(settings);
}

async function readSettingsFile(path: string, name: string): Promise<Result<Settings, readonly Diagnostic[]>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return ok({});
    return err([{ code: 'file-unreadable', severity: 'error', message: `${name} cannot be read: ${String(code)}` }]);
  }
  // Loaded only when there is such a file: the YAML reader is a third of the start-up time.
  const { parseSettings } = await import('./settings-file.ts');
  return parseSettings({ name, text });
}
