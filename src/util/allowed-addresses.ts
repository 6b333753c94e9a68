import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type AddressPolicy, addressRefusal } from './address-policy.ts';

/** All addresses of a name, and why the policy refuses them if it refuses one. A name that does not resolve has none. */
export async function allowedAddresses(
  host: string,
  policy: AddressPolicy,
): Promise<{ readonly addresses: readonly string[]; readonly refusal: string | undefined }> {
  const addresses = isIP(host) === 0 ? (await lookup(host, { all: true }).catch(() => [])).map(({ address }) => address) : [host];
  return { addresses, refusal: addresses.map((address) => addressRefusal(address, policy)).find((reason) => reason !== undefined) };
}
