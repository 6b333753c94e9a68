import { parsePorts } from '../model/port-words.ts';
import type { NetworkLane } from '../model/ports/container-engine.ts';
import { systemClock } from '../util/clock.ts';
import { toEngineError } from './engine-api.ts';
import { createContainer, isNameTaken, startContainer } from './engine-containers.ts';
import type { ExistingContainer, ExistingThings } from './existing-things.ts';
import { networkAliases } from './naming.ts';
import { once } from './once.ts';
import type { RunContext } from './run-context.ts';
import type { RunNetworks } from './run-networks.ts';

const LOOKS = 50;
const PAUSE_BEFORE_LOOKING_AGAIN_MS = 100;

/** The network namespace that the steps of a lane run in, one after another. */
export interface LaneHolder {
  readonly id: string;
  /** Resolves when containers can join. */
  readonly started: Promise<void>;
}

/**
 * Keeps one sleeping container per lane, whose network namespace the lane's steps join: a start into it takes 75-90 ms,
 * a start with a network of its own 170-240. The holder has the ids of its steps as names and their ports.
 *
 * A holder takes 300 ms itself, so it is started before it is needed: the first two lanes at once, then one more each
 * time a step of a lane asks for its own.
 */
export class LaneHolders {
  readonly #context: RunContext;
  readonly #networks: RunNetworks;
  readonly #laneOfStep: ReadonlyMap<string, NetworkLane>;
  readonly #holders: ReadonlyMap<string, () => Promise<LaneHolder | undefined>>;
  readonly #ahead: (() => Promise<LaneHolder | undefined>)[];

  constructor(context: RunContext, networks: RunNetworks, lanes: readonly NetworkLane[]) {
    this.#context = context;
    this.#networks = networks;
    this.#laneOfStep = new Map(lanes.flatMap((lane) => lane.steps.map((step) => [step, lane])));
    this.#holders = new Map(lanes.map((lane) => [lane.id, once(() => this.#make(lane))]));
    this.#ahead = [...this.#holders.values()];
  }

  /** Starts the first holders. Failures show when a step asks. */
  warmUp(): void {
    this.#startNext();
    this.#startNext();
  }

  /** The lane of a step, if it has one. */
  laneOf(step: string): NetworkLane | undefined {
    return this.#laneOfStep.get(step);
  }

  /** The holder of a lane, created; undefined where the engine cannot run holders and steps have to stand alone. */
  async ensure(lane: NetworkLane): Promise<LaneHolder | undefined> {
    const make = this.#holders.get(lane.id);
    const holder = make?.();
    this.#startNext();
    return await holder;
  }

  #startNext(): void {
    if (!this.#context.closed)
      void this.#ahead
        .shift()?.()
        .catch(() => undefined);
  }

  async #make(lane: NetworkLane): Promise<LaneHolder | undefined> {
    const [image, network] = await Promise.all([
      this.#context.holderImage(),
      lane.network === undefined ? undefined : this.#networks.ensure(lane.network),
    ]);
    if (!image.runs) return undefined;
    const { id, state } =
      this.#own(lane, await this.#context.existing()) ??
      (await this.#context.make(() => this.#createOrFind(lane, image.reference, network)));
    if (state === 'running') return { id, started: Promise.resolve() };
    const started = this.#context
      .track(this.#context.startGate.pass(() => startContainer(this.#context.api, id)))
      .catch((error: unknown) => {
        throw toEngineError(error, `Starting the network of step "${lane.steps[0] ?? lane.id}"`);
      });
    started.catch(() => undefined);
    return { id, started };
  }

  #nameOf(lane: NetworkLane): string {
    return this.#context.name(`lane-${lane.id}`);
  }

  #own(lane: NetworkLane, { containers }: ExistingThings): ExistingContainer | undefined {
    return containers.find(({ name }) => name === this.#nameOf(lane));
  }

  /** The name is taken as soon as the engine begins to create; the container can be found only when it is done. */
  async #createOrFind(lane: NetworkLane, image: string, network: string | undefined): Promise<Pick<ExistingContainer, 'id' | 'state'>> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return { id: await this.#create(lane, image, network), state: 'created' };
      } catch (error) {
        const found = isNameTaken(error) ? this.#own(lane, await this.#context.lookAgain()) : undefined;
        if (found !== undefined) return found;
        if (!isNameTaken(error) || attempt === LOOKS)
          throw toEngineError(error, `Making the network of step "${lane.steps[0] ?? lane.id}"`);
        await systemClock.sleep(PAUSE_BEFORE_LOOKING_AGAIN_MS, this.#context.closing);
      }
    }
  }

  async #create(lane: NetworkLane, image: string, network: string | undefined): Promise<string> {
    const ports = parsePorts(lane.ports, lane.expose);
    const body = {
      Image: image,
      Labels: this.#context.labels,
      ExposedPorts: ports.exposed,
      HostConfig: { NetworkMode: network ?? 'default', PortBindings: ports.bindings, LogConfig: { Type: 'none' } },
      ...(network === undefined ? {} : { NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: networkAliases(lane.steps) } } } }),
    };
    return await createContainer(this.#context.api, [this.#nameOf(lane)], body);
  }
}
