import { EngineError } from '../../model/engine-error.ts';

/** The names that a server answers to, and the origins whose pages may ask. */
export interface Guard {
  /** Throws `host-refused`: a name that somebody made point here (DNS rebinding) is not one of ours. */
  checkHost(host: string | undefined): void;
  /** Throws `origin-refused` for a request of a foreign web page. Programs that are no browsers send no origin. */
  checkOrigin(origin: string | undefined): void;
}

const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const ANY_ADDRESS = new Set(['0.0.0.0', '::']);

export function createGuard(served: {
  readonly listen: { readonly host: string; readonly port: number } | undefined;
  readonly publicUrl: string | undefined;
  readonly allowedHosts: readonly string[];
}): Guard {
  const { listen, allowedHosts } = served;
  const publicUrl = served.publicUrl === undefined ? undefined : new URL(served.publicUrl);
  const listening = listen === undefined || ANY_ADDRESS.has(listen.host) ? [] : [bracketed(listen.host)];
  const names = [...LOCAL_NAMES, ...listening];
  const hosts = new Set(
    [...names, ...(publicUrl === undefined ? [] : [publicUrl.hostname]), ...allowedHosts].map((host) => host.toLowerCase()),
  );
  const origins = new Set([
    ...(publicUrl === undefined ? [] : [publicUrl.origin]),
    ...(listen === undefined ? [] : names.map((name) => `http://${name}:${listen.port}`)),
  ]);
  return {
    checkHost: (host) => {
      const lower = (host ?? '').toLowerCase();
      // An entry with a port allows that port only, one without allows any.
      if (hosts.has(lower) || hosts.has(lower.replace(/:\d{1,5}$/, ''))) return;
      throw new EngineError('host-refused', `this daemon does not answer to the name ${JSON.stringify(lower.slice(0, 100))}`);
    },
    checkOrigin: (origin) => {
      if (origin === undefined || origins.has(origin.toLowerCase())) return;
      throw new EngineError('origin-refused', `pages of ${JSON.stringify(origin.slice(0, 100))} may not use this daemon`);
    },
  };
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
