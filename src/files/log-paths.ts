import { join, resolve, sep } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import { RUN_ID } from '../model/run-id.ts';

const FAN_OUT = 2;

/** The files of one run's log, all in `folder`. */
export interface LogPaths {
  readonly run: string;
  readonly folder: string;
  readonly data: string;
  readonly index: string;
  readonly steps: string;
}

/**
 * Where the log of a run lies: in a folder named by the last characters of the id, so that no folder grows without end. The id is
 * checked here whatever was checked before, and the path once more (threat 22). Rejects by EngineError `not-found`.
 */
export function logPaths(directory: string, run: string): LogPaths {
  const root = resolve(directory);
  const folder = RUN_ID.test(run) ? resolve(root, run.slice(-FAN_OUT)) : root;
  if (!folder.startsWith(root + sep)) {
    throw new EngineError(
      'not-found',
      `${JSON.stringify(run.slice(0, 80))} is not the id of a run: an id is 4 to 40 characters of a-z and 0-9`,
    );
  }
  const base = join(folder, run);
  return { run, folder, data: `${base}.log`, index: `${base}${INDEX_ENDING}`, steps: `${base}.steps` };
}

const INDEX_ENDING = '.index';

/** The run whose index this file name is, or undefined for other files. */
export function runOfIndex(name: string): string | undefined {
  if (!name.endsWith(INDEX_ENDING)) return undefined;
  const run = name.slice(0, -INDEX_ENDING.length);
  return RUN_ID.test(run) ? run : undefined;
}
