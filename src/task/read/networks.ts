import type { Network } from '../../model/task.ts';
import type { DecodedMapping, Located } from '../schema/decode.ts';
import type { NETWORK_PROPERTIES } from '../schema/task-properties.ts';

type NetworkMapping = DecodedMapping<typeof NETWORK_PROPERTIES>;

interface TaskNetworks {
  readonly networks: readonly Network[];
  /** What steps that name no network join; empty for the engine's own default. */
  readonly defaultName: string;
}

/** The networks of a run and the one that steps join by default: the last that says so, or one made when there is none. */
export function readNetworks(written: Located<readonly NetworkMapping[]> | undefined, engineNetwork: string): TaskNetworks {
  const networks = (written?.value ?? []).map(readNetwork);
  if (engineNetwork !== '') {
    networks.push({ name: engineNetwork, driver: 'external', ipv6: false, skipCreation: true, isDefault: true });
  }
  if (networks.length === 0) {
    networks.push({ name: 'acb_default_network', driver: 'bridge', ipv6: false, skipCreation: false, isDefault: true });
  }
  return { networks, defaultName: networks.findLast(({ isDefault }) => isDefault)?.name ?? '' };
}

function readNetwork({ fields }: NetworkMapping): Network {
  return {
    name: fields.name?.value ?? '',
    driver: fields.driver?.value ?? '',
    ipv6: fields.ipv6?.value ?? false,
    skipCreation: fields.skipCreation?.value ?? false,
    isDefault: fields.isDefault?.value ?? false,
  };
}
