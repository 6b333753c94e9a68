import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { defaultDataDirectory } from '../config/data-directory.ts';
import type { Settings } from '../config/settings.ts';
import { EngineError } from '../model/engine-error.ts';
import type { AddressPolicy } from '../util/address-policy.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MIB = 2 ** 20;

/** The settings of a daemon with every default filled in. Durations are milliseconds, sizes bytes, paths absolute. */
export interface DaemonSettings {
  readonly data: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly publicUrl: string | undefined;
  readonly allowedHosts: readonly string[];
  readonly registry: string;
  readonly engine: string | undefined;
  readonly insecureRegistries: readonly string[];
  readonly trustedRealms: readonly string[];
  readonly tasksDirectory: string;
  readonly pool: string;
  readonly maxRuns: number;
  readonly poolLimits: Readonly<Record<string, number>>;
  readonly maxQueued: number;
  /** Most steps of a run at once; undefined: no limit on cmd and push, the number of cores on builds. */
  readonly parallelism: number | undefined;
  readonly minTimeout: number;
  readonly maxTimeout: number;
  readonly gracePeriod: number;
  readonly uploadLimit: number;
  readonly logLimit: number;
  readonly runRetention: number;
  readonly logRetention: number;
  readonly uploadRetention: number;
  /** Undefined: for ever. */
  readonly imageRetention: number | undefined;
  /** Where contexts and files may come from. */
  readonly addresses: AddressPolicy;
  /** Where registries may be. One on this machine is usual: it may be asked unless private networks are closed too. */
  readonly registryAddresses: AddressPolicy;
  /** Between looks at a repository; 0: never. */
  readonly gitPollInterval: number;
  readonly allowFileGit: boolean;
  /** Globs of images of the engine that untrusted runs may use. */
  readonly untrustedLocalImages: readonly string[];
  readonly baseImagePoll: { readonly least: number; readonly most: number };
  readonly baseImageWindow: number;
  readonly maxBackgroundRuns: number;
  readonly eventRetention: number;
  readonly webhookBodyLimit: number;
  readonly stepMemory: number | undefined;
  readonly stepPids: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

export function daemonSettings(
  settings: Settings,
  place: { readonly directory: string; readonly environment: NodeJS.ProcessEnv },
): DaemonSettings {
  const { allowPrivateAddresses: allowPrivate = true, allowLoopbackAddresses: allowLoopback = false } = settings;
  const data = resolve(place.directory, settings.data ?? defaultDataDirectory(place.environment));
  return {
    data,
    listen: settings.listen ?? { host: '127.0.0.1', port: 7300 },
    publicUrl: settings.publicUrl,
    allowedHosts: settings.allowedHosts ?? [],
    registry: settings.registry ?? '',
    engine: settings.engine,
    insecureRegistries: settings.insecureRegistries ?? [],
    trustedRealms: settings.trustedRealms ?? [],
    tasksDirectory: settings.tasksDirectory === undefined ? join(data, 'tasks.d') : resolve(place.directory, settings.tasksDirectory),
    pool: settings.pool ?? 'default',
    maxRuns: settings.maxRuns ?? availableParallelism(),
    poolLimits: settings.poolLimits ?? {},
    maxQueued: settings.maxQueued ?? 10_000,
    parallelism: settings.parallelism,
    minTimeout: settings.minTimeout ?? 5 * MINUTE_MS,
    maxTimeout: settings.maxTimeout ?? 480 * MINUTE_MS,
    gracePeriod: settings.gracePeriod ?? 30_000,
    uploadLimit: settings.uploadLimit ?? 1024 * MIB,
    logLimit: settings.logLimit ?? 64 * MIB,
    runRetention: settings.runRetention ?? 90 * DAY_MS,
    logRetention: settings.logRetention ?? 30 * DAY_MS,
    uploadRetention: settings.uploadRetention ?? 7 * DAY_MS,
    imageRetention: settings.imageRetention,
    addresses: { allowPrivate, allowLoopback },
    registryAddresses: { allowPrivate, allowLoopback: allowPrivate || allowLoopback },
    gitPollInterval: settings.gitPollInterval ?? 5 * MINUTE_MS,
    allowFileGit: settings.allowFileGit ?? false,
    untrustedLocalImages: settings.untrustedLocalImages ?? [],
    baseImagePoll: baseImagePoll(settings),
    baseImageWindow: settings.baseImageWindow ?? 30_000,
    maxBackgroundRuns: settings.maxBackgroundRuns ?? 50,
    eventRetention: settings.eventRetention ?? 30 * DAY_MS,
    webhookBodyLimit: settings.webhookBodyLimit ?? 25 * MIB,
    stepMemory: settings.stepMemory,
    stepPids: settings.stepPids ?? 4096,
    logLevel: settings.logLevel ?? 'info',
  };
}

/** Who sets only one of the two moves the other where it would be on the wrong side. Throws EngineError `invalid-request` when both are set, and are. */
function baseImagePoll({ baseImagePollMin, baseImagePollMax }: Settings): DaemonSettings['baseImagePoll'] {
  if (baseImagePollMin !== undefined && baseImagePollMax !== undefined && baseImagePollMin > baseImagePollMax)
    throw new EngineError('invalid-request', '`baseImagePollMin` is more than `baseImagePollMax`', {
      help: 'Give the shorter time as the first: SLIPWAY_BASE_IMAGE_POLL_MIN and SLIPWAY_BASE_IMAGE_POLL_MAX in the environment.',
    });
  const least = baseImagePollMin ?? Math.min(10 * MINUTE_MS, baseImagePollMax ?? 10 * MINUTE_MS);
  return { least, most: Math.max(least, baseImagePollMax ?? 60 * MINUTE_MS) };
}
