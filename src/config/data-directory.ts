import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where a daemon keeps everything when nothing else is asked for: `/var/lib/slipway` for root, a folder of the user's state otherwise. */
export function defaultDataDirectory(environment: NodeJS.ProcessEnv): string {
  if (process.getuid?.() === 0) return '/var/lib/slipway';
  const state = environment['XDG_STATE_HOME'];
  const base = state === undefined || state === '' ? join(environment['HOME'] ?? homedir(), '.local', 'state') : state;
  return join(base, 'slipway', 'daemon');
}

/** The data directory that a client of the same user finds a daemon of this machine by; `directory` is the current one. */
export function dataDirectoryOf(environment: NodeJS.ProcessEnv, directory: string): string {
  const named = environment['SLIPWAY_DATA'];
  return named === undefined || named === '' ? defaultDataDirectory(environment) : resolve(directory, named);
}

/** Names inside the data directory that a client of the same user looks for. */
export const SOCKET_NAME = 'slipway.sock';
export const ADMIN_TOKEN_NAME = 'admin.token';
/** Who has the directory, as JSON: `pid`, and the `url` of its API. There while a daemon runs. */
export const HOLDER_NAME = 'daemon.json';
