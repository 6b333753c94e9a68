import { randomBytes } from 'node:crypto';
import { EngineError } from '../model/engine-error.ts';
import type { PlanNetwork } from '../model/plan.ts';
import { EngineRefusal, isRefusal, toEngineError } from './engine-api.ts';
import { once } from './once.ts';
import type { RunContext } from './run-context.ts';

/**
 * The networks of one run. Each is made when the first step or lane needs it, under a name of the run's own, so runs
 * side by side never meet; `existing` ones are used as they are. Making one takes 70-100 ms on Docker 20.10, removing
 * it 170-200: a run that uses none pays nothing.
 */
export class RunNetworks {
  readonly #context: RunContext;
  readonly #networks: ReadonlyMap<string, () => Promise<string>>;

  constructor(context: RunContext, networks: readonly PlanNetwork[]) {
    this.#context = context;
    this.#networks = new Map(networks.map((network) => [network.name, once(() => this.#make(network))]));
  }

  /** The engine's name or id of a network of the plan; undefined when the plan has none of that name. */
  async ensure(name: string): Promise<string | undefined> {
    return await this.#networks.get(name)?.();
  }

  async #make(network: PlanNetwork): Promise<string> {
    if (network.existing) return network.name;
    const name = this.#context.name(network.name);
    const existing = (await this.#context.existing()).networks.get(name);
    if (existing !== undefined) return existing;
    const body = {
      Name: name,
      // Engines older than API 1.44 would otherwise make a second network of the same name.
      CheckDuplicate: true,
      ...(network.driver === '' ? {} : { Driver: network.driver }),
      ...(network.ipv6 ? { EnableIPv6: true, IPAM: { Config: [{ Subnet: uniqueLocalSubnet() }] } } : {}),
      Labels: this.#context.labels,
    };
    try {
      const { Id } = await this.#context.make(() =>
        this.#context.api.json<{ Id: string }>({ method: 'POST', path: '/networks/create', body }),
      );
      return (await this.#context.lookAgain()).networks.get(name) ?? Id;
    } catch (error) {
      const taken = isNameTaken(error) ? (await this.#context.lookAgain()).networks.get(name) : undefined;
      if (taken !== undefined) return taken;
      if (error instanceof EngineRefusal && /address pool|predefined address/i.test(error.message)) {
        throw new EngineError('engine-failed', `Creating network "${network.name}": ${error.message}`, {
          cause: error,
          help: 'The engine has no free subnet: remove unused networks (`docker network prune`), or restart a Docker 20.10 that lost count of them.',
        });
      }
      throw toEngineError(error, `Creating network "${network.name}"`);
    }
  }
}

function isNameTaken(error: unknown): boolean {
  // Podman answers 500 where Docker answers 409.
  return isRefusal(error, 409) || (error instanceof EngineRefusal && /already (used|exists)/i.test(error.message));
}

/** Engines before 27 pick no IPv6 subnet by themselves: a random one of fd00::/8 (RFC 4193). */
function uniqueLocalSubnet(): string {
  const hex = randomBytes(7).toString('hex');
  return `fd${hex.slice(0, 2)}:${hex.slice(2, 6)}:${hex.slice(6, 10)}:${hex.slice(10, 14)}::/64`;
}
