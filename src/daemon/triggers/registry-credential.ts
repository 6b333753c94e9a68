import { createHash } from 'node:crypto';
import type { TaskCredential, TaskRecord } from '../../model/task-definition.ts';

/** The credential of docker's configuration of the daemon's user. */
export const DEFAULT_CREDENTIAL = 'default';
const HUB_NAMES = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']);

/** The credential that a task has for a host, if it has one of its own. */
export function credentialFor({ definition }: Pick<TaskRecord, 'definition'>, host: string): TaskCredential | undefined {
  const wanted = hostName(host);
  return definition.credentials.find(({ loginServer }) => hostName(loginServer) === wanted);
}

/**
 * Which credential a host is asked with for a task: DEFAULT_CREDENTIAL, or a name without any part of the secret. Tasks that name the same
 * secrets of the daemon have the same one; a sealed one is its task's own.
 */
export function credentialName(task: Pick<TaskRecord, 'id' | 'definition'>, host: string): string {
  const found = credentialFor(task, host);
  if (found === undefined) return DEFAULT_CREDENTIAL;
  const { userName, password } = found;
  const parts = [userName, password].map((ref) => (typeof ref === 'string' ? ref : 'secret' in ref ? ref : { task: task.id, ...ref }));
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}

function hostName(host: string): string {
  const lower = host.toLowerCase();
  return HUB_NAMES.has(lower) ? 'docker.io' : lower;
}
