import { type RegistrySettings, startRegistry } from './registry-server.ts';

export interface LocalRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  stop(): Promise<void>;
}

/** A registry for hooks of a test file, which start and stop it; `startRegistry` is the one for scopes. */
export async function startLocalRegistry(settings: RegistrySettings = {}): Promise<LocalRegistry> {
  const registry = await startRegistry(settings);
  return { host: registry.host, stop: async () => registry[Symbol.asyncDispose]() };
}
