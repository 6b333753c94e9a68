import { posix } from 'node:path';

/** Where the workspace of a run is mounted in every step. */
const WORKSPACE = '/workspace';

/** The container's working directory for a `workingDirectory`: absolute and lexically cleaned; relative ones start in the workspace. */
export function containerWorkdir(workingDirectory: string): string {
  const cleaned = posix.normalize(workingDirectory.startsWith('/') ? workingDirectory : `${WORKSPACE}/${workingDirectory}`);
  const rooted = cleaned.replace(/^\/+/, '/');
  return rooted.length > 1 && rooted.endsWith('/') ? rooted.slice(0, -1) : rooted;
}
