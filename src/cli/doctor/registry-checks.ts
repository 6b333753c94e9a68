import type { Registry } from '../../model/ports/registry.ts';
import { createHttpClient } from '../../util/http.ts';
import { OWN_NETWORK } from '../composition/own-network.ts';
import type { Check } from './check.ts';

const PROBE_TIMEOUT_MS = 20_000;
const MOST_SKEW_MS = 30_000;

interface RegistryPlace {
  /** `host[:port][/path]`; empty when none is set. */
  readonly registry: string;
  readonly client: Registry;
  readonly insecure: readonly string[];
}

/** Does the registry take our credentials and a push, and do its clock and ours agree? */
export function registryChecks(place: RegistryPlace): readonly Check[] {
  const unset = { status: 'skipped', message: 'no registry is set', help: 'Name one with `--registry HOST` or SLIPWAY_REGISTRY.' } as const;
  return [
    {
      code: 'registry-push',
      title: 'Registry',
      run: async () => {
        if (place.registry === '') return unset;
        await place.client.probePush(`${place.registry}/slipway-doctor`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
        return { status: 'ok', message: `${place.registry} accepts a push with these credentials` };
      },
    },
    { code: 'clock', title: 'Clock', run: async () => (place.registry === '' ? unset : checkClock(place)) },
  ];
}

/** A clock that is wrong makes tokens and certificates look expired. */
async function checkClock(place: RegistryPlace): ReturnType<Check['run']> {
  const host = place.registry.split('/')[0] ?? '';
  const plain = place.insecure.includes(host) || /^(localhost|127\.|\[::1\])/.test(host);
  const http = createHttpClient({ addresses: OWN_NETWORK });
  try {
    const response = await http.request({ url: `${plain ? 'http' : 'https'}://${host}/v2/`, timeoutMs: PROBE_TIMEOUT_MS });
    response.discard();
    const date = Date.parse(response.headers.date ?? '');
    if (Number.isNaN(date)) return { status: 'skipped', message: `${host} tells no time` };
    const skew = Date.now() - date;
    const seconds = Math.round(Math.abs(skew) / 1000);
    if (Math.abs(skew) <= MOST_SKEW_MS) return { status: 'ok', message: `within ${Math.max(1, seconds)} s of ${host}` };
    return {
      status: 'warning',
      message: `this machine is ${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} ${host}`,
      help: 'Synchronise the clock (`timedatectl set-ntp true`).',
    };
  } finally {
    http.close();
  }
}
