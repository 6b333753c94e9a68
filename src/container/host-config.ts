import type { DockerRunFlags } from '../model/plan.ts';
import { parseBytes } from '../model/size-words.ts';
import { type MountSetting, parseMount } from './mount-words.ts';

/** An option of a step that the engine cannot be asked for; the message is for the author. */
export class BadOption extends Error {}

/** Names in flags that mean something of this run. */
export interface FlagNames {
  /** A volume of the task to its name in the engine; other names unchanged. */
  volume(name: string): string;
  /** A step to its container; other names unchanged. */
  container(name: string): string;
}

/** Part of the body of `POST /containers/create`, or of its HostConfig. */
type Settings = Readonly<Record<string, unknown>>;

interface FlagRule<K extends keyof DockerRunFlags> {
  readonly where: 'config' | 'host';
  settings(value: NonNullable<DockerRunFlags[K]>, names: FlagNames): Settings;
}

/**
 * Each docker-run flag and the setting it becomes. Not in the table: `pull` (decides what happens before create),
 * `networkAlias` (belongs to the endpoint), `labels` (merged with our own), `interactive` (nobody writes to a step's
 * standard input, which is empty with and without it).
 */
const RULES: { readonly [K in Exclude<keyof DockerRunFlags, 'pull' | 'networkAlias' | 'labels' | 'interactive'>]: FlagRule<K> } = {
  tty: config((value) => ({ Tty: value })),
  hostname: config((value) => ({ Hostname: value })),
  stopSignal: config((value) => ({ StopSignal: value })),
  init: host((value) => ({ Init: value })),
  readOnly: host((value) => ({ ReadonlyRootfs: value })),
  memory: host((value) => ({ Memory: bytes('--memory', value) })),
  memorySwap: host((value) => ({ MemorySwap: value === '-1' ? -1 : bytes('--memory-swap', value) })),
  cpuShares: host((value) => ({ CpuShares: value })),
  cpusetCpus: host((value) => ({ CpusetCpus: value })),
  pidsLimit: host((value) => ({ PidsLimit: value })),
  shmSize: host((value) => ({ ShmSize: bytes('--shm-size', value) })),
  ulimits: host((value) => ({ Ulimits: value.map(parseUlimit) })),
  capAdd: host((value) => ({ CapAdd: value })),
  capDrop: host((value) => ({ CapDrop: value })),
  securityOpt: host((value) => ({ SecurityOpt: value.map(checkSecurityOption) })),
  devices: host((value) => ({ Devices: value.map(parseDevice) })),
  dns: host((value) => ({ Dns: value })),
  addHost: host((value) => ({ ExtraHosts: value })),
  mounts: host((value, names) => ({ Mounts: value.map((word) => renameSource(parseMount(word), names)) })),
  tmpfs: host((value) => ({ Tmpfs: Object.fromEntries(value.map((word) => splitAt(word, ':'))) })),
  volumesFrom: host((value, names) => ({ VolumesFrom: value.map((word) => renameFirst(word, names.container)) })),
  volumes: host((value, names) => ({ Binds: value.filter((word) => word.includes(':')).map((word) => renameFirst(word, names.volume)) })),
  groupAdd: host((value) => ({ GroupAdd: value })),
  sysctls: host((value) => ({ Sysctls: Object.fromEntries(value.map((word) => splitAt(word, '='))) })),
  pid: host((value, names) => ({ PidMode: renameMode(value, names) })),
  ipc: host((value, names) => ({ IpcMode: renameMode(value, names) })),
  runtime: host((value) => ({ Runtime: value })),
};

/** The settings of all flags that are present. Throws BadOption or BadMount. */
export function flagSettings(flags: DockerRunFlags, names: FlagNames): { readonly config: Settings; readonly host: Settings } {
  const result = { config: {} as Record<string, unknown>, host: {} as Record<string, unknown> };
  for (const key of Object.keys(RULES) as (keyof typeof RULES)[]) {
    const value = flags[key];
    if (value === undefined) continue;
    // The rule and the value share `key`; TypeScript cannot follow that through a union.
    const rule = RULES[key] as FlagRule<keyof DockerRunFlags>;
    Object.assign(result[rule.where], rule.settings(value, names));
  }
  const anonymous = (flags.volumes ?? []).filter((word) => !word.includes(':'));
  if (anonymous.length > 0) result.config['Volumes'] = Object.fromEntries(anonymous.map((path) => [path, {}]));
  return result;
}

/** Paths in the container that the flags mount something at. */
export function flagMountTargets(flags: DockerRunFlags): readonly string[] {
  return [
    ...(flags.volumes ?? []).map((word) => word.split(':')[1] ?? word),
    ...(flags.mounts ?? []).map((word) => parseMount(word).Target),
    ...(flags.tmpfs ?? []).map((word) => splitAt(word, ':')[0]),
  ];
}

function config<V>(settings: (value: V, names: FlagNames) => Settings): {
  where: 'config';
  settings: (value: V, names: FlagNames) => Settings;
} {
  return { where: 'config', settings };
}

function host<V>(settings: (value: V, names: FlagNames) => Settings): {
  where: 'host';
  settings: (value: V, names: FlagNames) => Settings;
} {
  return { where: 'host', settings };
}

function bytes(flag: string, text: string): number {
  const value = parseBytes(text);
  if (value === undefined) throw new BadOption(`invalid ${flag} "${text}": expected a size such as 512m or 1g`);
  return value;
}

function parseUlimit(word: string): { Name: string; Soft: number; Hard: number } {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(word);
  if (match === null) throw new BadOption(`invalid --ulimit "${word}": expected NAME=SOFT[:HARD]`);
  const soft = Number(match[2]);
  return { Name: match[1] ?? '', Soft: soft, Hard: match[3] === undefined ? soft : Number(match[3]) };
}

function checkSecurityOption(word: string): string {
  const [key, value = ''] = splitAt(word, '=');
  if (key === 'seccomp' && value !== 'unconfined' && value !== 'builtin' && !value.startsWith('{')) {
    throw new BadOption(
      `--security-opt seccomp="${value}" names a file, which is not read here: give "unconfined" or the JSON of the profile`,
    );
  }
  return word;
}

function parseDevice(word: string): { PathOnHost: string; PathInContainer: string; CgroupPermissions: string } {
  const [source = '', second, third] = word.split(':');
  const permissions = third ?? (second !== undefined && /^[rwm]{1,3}$/.test(second) ? second : 'rwm');
  const target = second === undefined || (third === undefined && /^[rwm]{1,3}$/.test(second)) ? source : second;
  if (!source.startsWith('/')) throw new BadOption(`invalid --device "${word}": expected HOST-PATH[:CONTAINER-PATH][:rwm]`);
  return { PathOnHost: source, PathInContainer: target, CgroupPermissions: permissions };
}

function renameSource(mount: MountSetting, names: FlagNames): MountSetting {
  return mount.Type === 'volume' && mount.Source !== undefined ? { ...mount, Source: names.volume(mount.Source) } : mount;
}

function renameMode(mode: string, names: FlagNames): string {
  return mode.startsWith('container:') ? `container:${names.container(mode.slice('container:'.length))}` : mode;
}

function renameFirst(word: string, rename: (name: string) => string): string {
  const colon = word.indexOf(':');
  return colon === -1 ? rename(word) : rename(word.slice(0, colon)) + word.slice(colon);
}

function splitAt(word: string, separator: string): readonly [string, string] {
  const at = word.indexOf(separator);
  return at === -1 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
}
