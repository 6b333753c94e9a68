import type { ContainerSpec, Plan, PlanCmdStep, PlanNetwork, PlanStep } from '../model/plan.ts';
import type { NetworkLane } from '../model/ports/container-engine.ts';
import { stepsOverlap } from './step-order.ts';

/** How the containers of a run are networked: what the engine makes, and where each step's container goes. */
export interface RunNetworking {
  /** The networks of the plan that this run needs. */
  readonly networks: readonly PlanNetwork[];
  readonly lanes: readonly NetworkLane[];
  /** The step's container as the engine gets it: on the built-in bridge where the plan's network is not needed. */
  containerOf(step: PlanCmdStep): ContainerSpec;
}

/** A holder is a process and an address of its own: beyond this many lanes the steps of the shortest run alone. */
const MOST_LANES = 32;
/** Open lanes remembered per step while lanes are formed; more would only rarely find one more step a lane. */
const MOST_CANDIDATES = 16;

/**
 * Decides from the plan alone which networks are made and which steps share a namespace. What a step can observe stays the same:
 *
 * - A network is needed when two containers on it can exist at the same time and may ask for each other by id, or when it is not a
 *   plain bridge of this run. Otherwise its steps use the built-in bridge, where only their own id resolves.
 * - Steps share a lane when they use the same network and can never run at the same time: each is an ancestor of the
 *   next. A detached step lives to the end of the run, so it can only be the last of its lane.
 * - Outside stay: steps that can change a namespace or want one of their own (privileged, NET_* capabilities, sysctls, host names,
 *   DNS, aliases, network modes), steps that publish ports (a shared namespace would publish them for its other steps too), and steps
 *   that are ready at once (they would wait for the holder, which starts while they run).
 */
export function decideNetworking(plan: Pick<Plan, 'steps' | 'networks'>): RunNetworking {
  const users = usersByNetwork(plan.steps);
  const networks = plan.networks.filter((network) => isNeeded(network, users.get(network.name) ?? [], plan.steps));
  const made = new Set(networks.map((network) => network.name));
  const lanes = formLanes(plan.steps)
    .filter((lane) => lane.steps.length > 1)
    .sort((a, b) => b.steps.length - a.steps.length)
    .slice(0, MOST_LANES)
    .map((lane, index) => toNetworkLane(lane, `lane${index + 1}`, made));
  const shared = new Set(lanes.flatMap((lane) => lane.steps));
  return { networks, lanes, containerOf: (step) => placeContainer(step, made, shared) };
}

/** The steps of each network: the `cmd` steps on it and the builds that name it. */
function usersByNetwork(steps: readonly PlanStep[]): ReadonlyMap<string, readonly PlanStep[]> {
  const users = new Map<string, PlanStep[]>();
  for (const step of steps) {
    const network = step.kind === 'cmd' ? networkOf(step) : step.kind === 'build' ? step.build.network : undefined;
    if (network === undefined) continue;
    const others = users.get(network);
    if (others === undefined) users.set(network, [step]);
    else others.push(step);
  }
  return users;
}

function isNeeded(network: PlanNetwork, users: readonly PlanStep[], steps: readonly PlanStep[]): boolean {
  if (users.length === 0) return false;
  const plain = !network.existing && !network.ipv6 && (network.driver === '' || network.driver === 'bridge');
  const bound = users.some((step) => step.kind !== 'cmd' || (step.container.extra.networkAlias ?? []).length > 0);
  return !plain || bound || (mayBeNamed(users) && stepsOverlap(steps, new Set(users.map((step) => step.id))));
}

/** What a step without an id is called: `acb_step_` and its position. */
const GENERATED_ID = /^acb_step_\d+$/;

/**
 * Whether somebody may ask for one of these steps by name. Authors who want that give a step an id; nobody asks for generated ids, unless
 * the task's own text has such a name in it. Steps that are made to be asked (detached, with ports), and files that are not seen here
 * (mounted volumes), count as well.
 */
function mayBeNamed(users: readonly PlanStep[]): boolean {
  return users.some((step) => {
    if (step.kind !== 'cmd' || !GENERATED_ID.test(step.id) || step.detach) return true;
    const { container } = step;
    if (container.ports.length > 0 || container.expose.length > 0 || container.volumeMounts.length > 0) return true;
    return JSON.stringify(container).includes('acb_step_');
  });
}

interface OpenLane {
  /** Name of the network in the task file; undefined for the engine's default. */
  readonly network: string | undefined;
  readonly steps: PlanCmdStep[];
}

/**
 * Greedy chains in file order: each step joins the open lane whose last step is its nearest ancestor. Ancestors are found by handing
 * the lanes seen on the way down from step to step, so the cost is linear in steps and edges.
 */
function formLanes(steps: readonly PlanStep[]): readonly OpenLane[] {
  const lanes: OpenLane[] = [];
  const position = new Map(steps.map((step, index) => [step.id, index]));
  /** Last steps of lanes, as ids, that are ancestors of (or are) the step. */
  const behind = new Map<string, readonly string[]>();
  const laneOf = new Map<string, OpenLane>();
  const isTail = (id: string): boolean => laneOf.get(id)?.steps.at(-1)?.id === id;
  for (const step of steps) {
    const tails = [...new Set(step.needs.flatMap((need) => behind.get(need) ?? []))]
      .filter(isTail)
      .sort((a, b) => (position.get(b) ?? 0) - (position.get(a) ?? 0))
      .slice(0, MOST_CANDIDATES);
    behind.set(step.id, tails);
    if (step.kind !== 'cmd' || !canShare(step)) continue;
    const network = networkOf(step);
    const lane = tails.map((id) => laneOf.get(id)).find((found) => found?.network === network) ?? { network, steps: [] };
    if (lane.steps.length === 0) lanes.push(lane);
    lane.steps.push(step);
    laneOf.set(step.id, lane);
    if (!step.detach) behind.set(step.id, [step.id, ...tails].slice(0, MOST_CANDIDATES));
  }
  return lanes;
}

function networkOf(step: PlanCmdStep): string | undefined {
  return step.container.network.kind === 'task' ? step.container.network.name : undefined;
}

function canShare(step: PlanCmdStep): boolean {
  const { container } = step;
  const { extra } = container;
  if (step.needs.length === 0 && step.startDelayMs === 0) return false;
  if (container.network.kind === 'mode' || container.privileged || container.ports.length > 0) return false;
  if (container.isolation !== undefined || extra.runtime !== undefined || extra.hostname !== undefined) return false;
  if ((extra.capAdd ?? []).some(isNetworkCapability)) return false;
  return [extra.dns, extra.addHost, extra.networkAlias, extra.sysctls].every((flags) => flags === undefined || flags.length === 0);
}

function isNetworkCapability(capability: string): boolean {
  const name = capability.toUpperCase().replace(/^CAP_/, '');
  return name === 'ALL' || name.startsWith('NET_') || name === 'SYS_ADMIN';
}

function toNetworkLane(lane: Readonly<OpenLane>, id: string, made: ReadonlySet<string>): NetworkLane {
  return {
    id,
    network: lane.network !== undefined && made.has(lane.network) ? lane.network : undefined,
    steps: lane.steps.map((step) => step.id),
    ports: [],
    expose: [...new Set(lane.steps.flatMap((step) => step.container.expose))],
  };
}

function placeContainer(step: PlanCmdStep, made: ReadonlySet<string>, shared: ReadonlySet<string>): ContainerSpec {
  const { container } = step;
  if (container.network.kind !== 'task' || made.has(container.network.name)) return container;
  const bridged: ContainerSpec = { ...container, network: { kind: 'default' } };
  if (shared.has(step.id)) return bridged;
  // On the network that was spared, a container's own id would have resolved.
  const addHost = [...(container.extra.addHost ?? []), `${step.id}:127.0.0.1`];
  return { ...bridged, extra: { ...container.extra, addHost } };
}
