import { parsePorts } from '../model/port-words.ts';
import type { ContainerLimits, ContainerRequest } from '../model/ports/container-engine.ts';
import { parseNanoCpus } from '../model/size-words.ts';
import { BadOption, type FlagNames, flagMountTargets, flagSettings } from './host-config.ts';
import { LABEL_PREFIX } from './naming.ts';

/** Where a step's container lives: everything of the run that its own description does not say. */
export interface ContainerPlace {
  readonly labels: Readonly<Record<string, string>>;
  readonly networkMode: string;
  /** Names that the others on the network find it by; empty where the network has no names. */
  readonly aliases: readonly string[];
  /** False in a lane, whose holder has the ports. */
  readonly ownPorts: boolean;
  /** What every step gets mounted: `[source, target, options]`. */
  readonly mounts: readonly (readonly [source: string, target: string, options?: string])[];
  readonly names: FlagNames;
  /** How the engine keeps the output, for `docker logs` and for reading it again; undefined: as it is set up to. */
  readonly logConfig: object | undefined;
  /** The engine's init is process 1, unless the step says otherwise. */
  readonly init: boolean;
  readonly limits: ContainerLimits;
  /** For variables that are named without a value. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * The body of `POST /containers/create` for a step: what `docker run` would send (spec 4.2). No `init` unless the author
 * or the run asks: a published task file may run an image with an init of its own, which refuses to be anything but process 1
 * (`--init=false` of the step keeps it away where the run asks), and it costs 13 ms; zombies end with the container anyway.
 *
 * Throws BadOption, BadPort or BadMount.
 */
export function containerConfig(request: ContainerRequest, place: ContainerPlace): object {
  const { container } = request;
  checkIsolation(container.isolation);
  const flags = flagSettings(container.extra, place.names);
  const ports = place.ownPorts ? parsePorts(container.ports, container.expose) : undefined;
  const { Binds: authorBinds = [], ...hostFlags } = flags.host as { readonly Binds?: readonly string[] };
  return {
    Image: container.image,
    ...(container.args.length > 0 ? { Cmd: container.args } : {}),
    ...(container.entrypoint === undefined ? {} : { Entrypoint: container.entrypoint }),
    Env: environmentWords(container.env, place.environment),
    ...(container.workdir === undefined ? {} : { WorkingDir: container.workdir }),
    ...(container.user === undefined ? {} : { User: container.user }),
    AttachStdout: !request.detach,
    AttachStderr: !request.detach,
    ...flags.config,
    Labels: { ...authorLabels(container.extra.labels ?? []), ...place.labels },
    ...(ports === undefined ? {} : { ExposedPorts: ports.exposed }),
    HostConfig: {
      NetworkMode: place.networkMode,
      Binds: [...binds(request, place), ...authorBinds],
      ...(ports === undefined ? {} : { PortBindings: ports.bindings }),
      ...(container.privileged ? { Privileged: true } : {}),
      ...cpuSettings(container.cpus),
      ...(place.logConfig === undefined ? {} : { LogConfig: place.logConfig }),
      // Process 1 of another container's namespace is there already.
      ...(place.init && container.extra.pid === undefined ? { Init: true } : {}),
      ...hostFlags,
      ...limitSettings({ ...cpuSettings(container.cpus), ...hostFlags }, place.limits),
    },
    ...(place.aliases.length === 0 ? {} : { NetworkingConfig: { EndpointsConfig: { [place.networkMode]: { Aliases: place.aliases } } } }),
  };
}

/** The author's own mounts win over ours at the same path: docker would refuse the container. */
function binds(request: ContainerRequest, place: ContainerPlace): readonly string[] {
  const { volumeMounts, extra } = request.container;
  const taken = new Set([...volumeMounts.map((mount) => mount.mountPath), ...flagMountTargets(extra)].map(withoutTrailingSlash));
  const standard = place.mounts
    .filter(([, target]) => !taken.has(target))
    .map((parts) => parts.filter((part) => part !== undefined).join(':'));
  return [...standard, ...volumeMounts.map(({ name, mountPath }) => `${place.names.volume(name)}:${mountPath}`)];
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

/** The last of several values wins, as the engine would not have it: it passes duplicates on, and programs take the first. */
function environmentWords(words: readonly string[], environment: ContainerPlace['environment']): readonly string[] {
  const values = new Map<string, string>();
  for (const word of words) {
    const equals = word.indexOf('=');
    const name = equals === -1 ? word : word.slice(0, equals);
    const value = equals === -1 ? environment[name] : word.slice(equals + 1);
    if (value !== undefined) values.set(name, value);
  }
  return [...values].map(([name, value]) => `${name}=${value}`);
}

function authorLabels(words: readonly string[]): Readonly<Record<string, string>> {
  const labels = words.map((word): [string, string] => {
    const equals = word.indexOf('=');
    return equals === -1 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
  });
  for (const [name] of labels) {
    if (name.startsWith(LABEL_PREFIX))
      throw new BadOption(`the label "${name}" is reserved: names starting with "${LABEL_PREFIX}" mark what a run made`);
  }
  return Object.fromEntries(labels);
}

function cpuSettings(cpus: string | undefined): { NanoCpus?: number } {
  if (cpus === undefined) return {};
  const nano = parseNanoCpus(cpus);
  if (nano === undefined) throw new BadOption(`invalid cpus "${cpus}": expected a number of processors such as 1.5`);
  return { NanoCpus: nano };
}

/** The settings that a limit lowers: to the limit where the step asks for more, or for nothing. */
function limitSettings(asked: Readonly<Record<string, unknown>>, limits: ContainerLimits): Readonly<Record<string, number>> {
  const { pids, memoryBytes, cpus } = limits;
  // 0 and -1 mean without a limit.
  const within = (value: unknown, most: number): number => (typeof value === 'number' && value > 0 ? Math.min(value, most) : most);
  return {
    ...(pids === undefined ? {} : { PidsLimit: within(asked['PidsLimit'], pids) }),
    // Swap counts too: MemorySwap is the sum of both.
    ...(memoryBytes === undefined
      ? {}
      : { Memory: within(asked['Memory'], memoryBytes), MemorySwap: within(asked['MemorySwap'], memoryBytes) }),
    ...(cpus === undefined ? {} : { NanoCpus: within(asked['NanoCpus'], Math.round(cpus * 1e9)) }),
  };
}

function checkIsolation(isolation: string | undefined): void {
  if (isolation === undefined || isolation === '' || isolation.toLowerCase() === 'default') return;
  throw new BadOption(`isolation "${isolation}" exists on Windows engines only; an engine on Linux knows "default"`);
}
