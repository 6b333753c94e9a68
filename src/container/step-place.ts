import type { ContainerRequest } from '../model/ports/container-engine.ts';
import type { FlagNames } from './host-config.ts';
import type { LaneHolder, LaneHolders } from './lane-holders.ts';
import { networkAliases } from './naming.ts';
import type { RunNetworks } from './run-networks.ts';

/** The network of one step's container. */
export interface StepNetwork {
  readonly mode: string;
  readonly aliases: readonly string[];
  readonly holder: LaneHolder | undefined;
}

/**
 * The network a step's container is created with: its lane's holder, else a network of the run, else what it names.
 * It finds others, and is found, by step ids on networks that have names; the built-in bridge has none.
 */
export async function stepNetwork(
  request: ContainerRequest,
  holders: LaneHolders,
  networks: RunNetworks,
  names: FlagNames,
): Promise<StepNetwork> {
  const lane = holders.laneOf(request.step);
  if (lane !== undefined) {
    const holder = await holders.ensure(lane);
    if (holder !== undefined) return { mode: `container:${holder.id}`, aliases: [], holder };
  }
  const mode = lane === undefined ? await wantedMode(request, networks, names) : await laneNetwork(lane.network, networks);
  const aliases = hasNames(mode) ? networkAliases([request.step, ...(request.container.extra.networkAlias ?? [])]) : [];
  return { mode, aliases, holder: undefined };
}

const BRIDGE = 'default';

async function laneNetwork(name: string | undefined, networks: RunNetworks): Promise<string> {
  return (name === undefined ? undefined : await networks.ensure(name)) ?? BRIDGE;
}

async function wantedMode({ container }: ContainerRequest, networks: RunNetworks, names: FlagNames): Promise<string> {
  const { network } = container;
  if (network.kind === 'default') return BRIDGE;
  // A run whose plan dropped the network (nobody resolves names in it) has its steps on the built-in bridge.
  if (network.kind === 'task') return (await networks.ensure(network.name)) ?? BRIDGE;
  const peer = /^container:(.*)$/s.exec(network.mode)?.[1];
  return peer === undefined ? network.mode : `container:${names.container(peer)}`;
}

function hasNames(mode: string): boolean {
  return !['default', 'bridge', 'host', 'none'].includes(mode) && !mode.startsWith('container:');
}
