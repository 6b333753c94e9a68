import type { SourceRange } from '../model/diagnostic.ts';

export const OUTPUT_FORMATS = ['auto', 'live', 'plain', 'json', 'quiet'] as const;

export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** What the settings can hold, by key; a key that nobody set is absent. Durations are milliseconds, sizes bytes. */
export interface Settings {
  readonly registry?: string;
  readonly engine?: string;
  readonly parallelism?: number;
  readonly format?: OutputFormat;
  readonly insecureRegistries?: readonly string[];
  readonly trustedRealms?: readonly string[];
  readonly logDirectory?: string;
  readonly data?: string;
  readonly listen?: { readonly host: string; readonly port: number };
  readonly publicUrl?: string;
  readonly allowedHosts?: readonly string[];
  readonly tasksDirectory?: string;
  readonly pool?: string;
  readonly maxRuns?: number;
  readonly poolLimits?: Readonly<Record<string, number>>;
  readonly maxQueued?: number;
  readonly minTimeout?: number;
  readonly maxTimeout?: number;
  readonly gracePeriod?: number;
  readonly uploadLimit?: number;
  readonly logLimit?: number;
  readonly runRetention?: number;
  readonly logRetention?: number;
  readonly uploadRetention?: number;
  readonly imageRetention?: number;
  readonly allowPrivateAddresses?: boolean;
  readonly allowLoopbackAddresses?: boolean;
  readonly gitPollInterval?: number;
  readonly allowFileGit?: boolean;
  readonly untrustedLocalImages?: readonly string[];
  readonly baseImagePollMin?: number;
  readonly baseImagePollMax?: number;
  readonly baseImageWindow?: number;
  readonly maxBackgroundRuns?: number;
  readonly eventRetention?: number;
  readonly webhookBodyLimit?: number;
  readonly stepMemory?: number;
  readonly stepPids?: number;
  readonly logLevel?: (typeof LOG_LEVELS)[number];
}

/** One place that can set a key: its texts (one, or several for a list) and where they stand. */
export interface SettingValue {
  readonly texts: readonly string[];
  readonly isList: boolean;
  /** For people: `SLIPWAY_FORMAT`, `"format" in slipway.yaml`. */
  readonly place: string;
  readonly range?: SourceRange;
}

/** A flag as it was given, for the key that it sets. */
export interface FlagValue {
  readonly name: keyof Settings;
  readonly flag: string;
  readonly texts: readonly string[];
}
