import { readdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Folders of runs that are kept in the default place. */
const KEPT_RUNS = 50;
const RUN_FOLDER = /^[a-z0-9]{4,40}$/;

/** Folder of the logs of all runs, where nothing else was asked for: `~/.local/state/slipway/runs`. */
export function defaultLogRoot(environment: NodeJS.ProcessEnv): string {
  const state = environment['XDG_STATE_HOME'];
  return join(state === undefined || state === '' ? join(environment['HOME'] ?? homedir(), '.local', 'state') : state, 'slipway', 'runs');
}

/** Folder of one run's logs. `--log-dir` names it itself; a setting or the default is a folder for all runs. */
export function logDirectory(
  place: { readonly flag: string | undefined; readonly setting: string | undefined; readonly directory: string; readonly runId: string },
  environment: NodeJS.ProcessEnv,
): string {
  if (place.flag !== undefined) return resolve(place.directory, place.flag);
  return join(place.setting === undefined ? defaultLogRoot(environment) : resolve(place.directory, place.setting), place.runId);
}

/** Forgets the logs of the oldest runs in the default place; ids sort by time. Never rejects. */
export async function pruneLogs(environment: NodeJS.ProcessEnv): Promise<void> {
  const root = defaultLogRoot(environment);
  const names = await readdir(root).catch(() => []);
  const runs = names.filter((name) => RUN_FOLDER.test(name)).sort();
  for (const name of runs.slice(0, Math.max(0, runs.length - KEPT_RUNS))) {
    await rm(join(root, name), { recursive: true, force: true }).catch(() => undefined);
  }
}
