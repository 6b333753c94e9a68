import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Diagnostic } from '../model/diagnostic.ts';
import { err, ok, type Result } from '../util/result.ts';
import { readFlag, readSetting } from './read-setting.ts';
import { SETTING_KEYS } from './setting-keys.ts';
import type { FlagValue, Settings } from './settings.ts';

/** Name of the file in the current folder. */
const FOLDER_FILE = 'slipway.yaml';

export interface SettingPlaces {
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** `--registry` of the command. */
  readonly registry?: string | undefined;
  /** Further flags of the command. */
  readonly flags?: readonly FlagValue[];
  /** A file read instead of slipway.yaml of the current folder; it must be there. */
  readonly file?: string | undefined;
}

/** Settings of one place, strongest place first. */
export interface SettingLayer {
  /** For people: `--listen`, `SLIPWAY_LISTEN`, a path. */
  readonly placeOf: (name: keyof Settings) => string;
  readonly settings: Settings;
}

/**
 * The settings that apply: flags and variables SLIPWAY_… beat slipway.yaml of the current folder (never of the context, which may be a
 * stranger's), which beats config.yaml of the user's configuration folder. Every problem is reported.
 */
export async function loadSettings(places: SettingPlaces): Promise<Result<Settings, readonly Diagnostic[]>> {
  const layers = await loadSettingLayers(places);
  return layers.ok ? ok(mergeLayers(layers.value)) : layers;
}

export function mergeLayers(layers: readonly SettingLayer[]): Settings {
  return merged(layers.toReversed().map(({ settings }) => settings));
}

export async function loadSettingLayers(places: SettingPlaces): Promise<Result<readonly SettingLayer[], readonly Diagnostic[]>> {
  const { registry, flags = [] } = places;
  const given = registry === undefined ? flags : [...flags, { name: 'registry' as const, flag: '--registry', texts: [registry] }];
  const flagged = readAll(given.map(readFlag));
  const variables = readVariables(places.environment);
  const file = places.file ?? join(places.directory, FOLDER_FILE);
  const fileName = places.file ?? FOLDER_FILE;
  const folder = await readSettingsFile(file, fileName, { required: places.file !== undefined });
  const userFile = join(configDirectory(places.environment), 'config.yaml');
  const user = await readSettingsFile(userFile, userFile, { required: false });
  const problems = [flagged, variables, folder, user].flatMap((result) => (result.ok ? [] : result.error));
  if (!flagged.ok || !variables.ok || !folder.ok || !user.ok) return err(problems);
  return ok([
    { settings: flagged.value, placeOf: (name: keyof Settings) => given.find((flag) => flag.name === name)?.flag ?? '' },
    { settings: variables.value, placeOf: (name: keyof Settings) => SETTING_KEYS.find((key) => key.name === name)?.variable ?? '' },
    { settings: folder.value, placeOf: () => fileName },
    { settings: user.value, placeOf: () => userFile },
  ]);
}

/** Folder of the user's own configuration of this program. */
export function configDirectory(environment: NodeJS.ProcessEnv): string {
  const base = environment['XDG_CONFIG_HOME'];
  return join(base === undefined || base === '' ? join(environment['HOME'] ?? homedir(), '.config') : base, 'slipway');
}

function readVariables(environment: NodeJS.ProcessEnv): Result<Settings, readonly Diagnostic[]> {
  const read = SETTING_KEYS.flatMap((key) => {
    const text = environment[key.variable];
    if (text === undefined || text === '') return [];
    const texts = key.list ? text.split(',').map((item) => item.trim()) : [text];
    return [readSetting(key, { texts, isList: key.list, place: key.variable })];
  });
  return readAll(read);
}

function readAll(results: readonly Result<Settings, Diagnostic>[]): Result<Settings, readonly Diagnostic[]> {
  const problems = results.flatMap((result) => (result.ok ? [] : [result.error]));
  if (problems.length > 0) return err(problems);
  return ok(merged(results.map((result) => (result.ok ? result.value : {}))));
}

function merged(settings: readonly Settings[]): Settings {
  return Object.assign({}, ...settings);
}

async function readSettingsFile(
  path: string,
  name: string,
  options: { readonly required: boolean },
): Promise<Result<Settings, readonly Diagnostic[]>> {
  let text: string;
  try {
    // Looking for what is mostly not there costs a turn through Node's threads, ten times what it costs here.
    if (!options.required && statSync(path, { throwIfNoEntry: false }) === undefined) return ok({});
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (!options.required && (code === 'ENOENT' || code === 'ENOTDIR')) return ok({});
    return err([{ code: 'file-unreadable', severity: 'error', message: `${name} cannot be read: ${String(code)}` }]);
  }
  // Loaded only when there is such a file: the YAML reader is a third of the start-up time.
  const { parseSettings } = await import('./settings-file.ts');
  return parseSettings({ name, text });
}
