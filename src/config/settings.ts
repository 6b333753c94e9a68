import type { Diagnostic, SourceRange } from '../model/diagnostic.ts';
import { err, ok, type Result } from '../util/result.ts';

export const OUTPUT_FORMATS = ['auto', 'live', 'plain', 'json', 'quiet'] as const;

export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Defaults a person sets once instead of passing flags. */
export interface Settings {
  /** Registry of runs: `.Run.Registry` and what `task build` prefixes tags with. */
  readonly registry?: string;
  /** Address of the container engine, as DOCKER_HOST has it. */
  readonly engine?: string;
  /** Most steps at once. */
  readonly parallelism?: number;
  /** How runs are printed; `auto` draws on a terminal and prints lines elsewhere. */
  readonly format?: OutputFormat;
  /** Registries that may speak plain HTTP. */
  readonly insecureRegistries?: readonly string[];
  /** Token servers that may get the credentials of a registry of another domain. */
  readonly trustedRealms?: readonly string[];
  /** Folder that gets a folder of logs for each run. */
  readonly logDirectory?: string;
}

/** One place that can set a key: its texts (one, or several for a list) and where they stand. */
export interface SettingValue {
  readonly texts: readonly string[];
  readonly isList: boolean;
  /** For people: `SLIPWAY_FORMAT`, `"format" in slipway.yaml`. */
  readonly place: string;
  readonly range?: SourceRange;
}

interface SettingKey {
  readonly name: keyof Settings;
  readonly variable: string;
  readonly list: boolean;
  readonly expected: string;
  read(texts: readonly string[]): Settings | undefined;
}

/** Every key of slipway.yaml with its environment variable, in the order of the documentation. */
export const SETTING_KEYS: readonly SettingKey[] = [
  {
    name: 'registry',
    variable: 'SLIPWAY_REGISTRY',
    list: false,
    expected: 'a registry, for example `localhost:5000` or `ghcr.io/name`',
    read: ([text = '']) => (/^[A-Za-z0-9][^\s]*$/.test(text) && !text.includes('://') ? { registry: text.replace(/\/+$/, '') } : undefined),
  },
  {
    name: 'engine',
    variable: 'SLIPWAY_ENGINE',
    list: false,
    expected: 'an address such as `unix:///var/run/docker.sock`, `tcp://host:2376` or `ssh://user@host`',
    read: ([text = '']) => (/^(unix|tcp|http|https|ssh|npipe|fd):\/\/\S+$/.test(text) ? { engine: text } : undefined),
  },
  {
    name: 'parallelism',
    variable: 'SLIPWAY_PARALLELISM',
    list: false,
    expected: 'a whole number from 1',
    read: ([text = '']) => (/^[1-9][0-9]{0,5}$/.test(text) ? { parallelism: Number(text) } : undefined),
  },
  {
    name: 'format',
    variable: 'SLIPWAY_FORMAT',
    list: false,
    expected: `one of ${OUTPUT_FORMATS.join(', ')}`,
    read: ([text = '']) => {
      const format = OUTPUT_FORMATS.find((name) => name === text);
      return format === undefined ? undefined : { format };
    },
  },
  {
    name: 'insecureRegistries',
    variable: 'SLIPWAY_INSECURE_REGISTRIES',
    list: true,
    expected: 'a list of hosts, each `host` or `host:port`',
    read: (texts) => (texts.every((text) => /^[^\s/,]+$/.test(text)) ? { insecureRegistries: texts } : undefined),
  },
  {
    name: 'trustedRealms',
    variable: 'SLIPWAY_TRUSTED_REALMS',
    list: true,
    expected: 'a list of hosts, each `host` or `host:port`',
    read: (texts) => (texts.every((text) => /^[^\s/,]+$/.test(text)) ? { trustedRealms: texts } : undefined),
  },
  {
    name: 'logDirectory',
    variable: 'SLIPWAY_LOG_DIRECTORY',
    list: false,
    expected: 'a path of a folder',
    read: ([text = '']) => (text === '' ? undefined : { logDirectory: text }),
  },
];

/** `--registry` takes what the setting takes. */
export function readRegistryFlag(text: string | undefined): Result<Pick<Settings, 'registry'>, Diagnostic> {
  const key = SETTING_KEYS.find(({ name }) => name === 'registry');
  if (text === undefined || key === undefined) return ok({});
  // An empty one is how to have none where the settings name one.
  if (text === '') return ok({ registry: '' });
  return readSetting(key, { texts: [text], isList: false, place: '--registry' });
}

/** The key's value as settings of that one key, or a diagnostic with the place. */
export function readSetting(key: SettingKey, value: SettingValue): Result<Settings, Diagnostic> {
  const settings = value.isList === key.list ? key.read(value.texts) : undefined;
  if (settings !== undefined) return ok(settings);
  return err({
    code: 'setting-value',
    severity: 'error',
    message: `${value.place} has a value that is no ${key.name}: ${value.texts.map((text) => JSON.stringify(text)).join(', ')}`,
    expected: key.expected,
    ...(value.range === undefined ? {} : { range: value.range }),
  });
}
