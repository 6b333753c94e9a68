import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const task = `${projectRoot}/bin/task`;
/** The image that `npm run quickstart` made and pushed; benchmarks run against it. */
export const base = 'slipway-quickstart/base:1';

/** `host:port` of the local registry that `npm run quickstart` started. */
export function localRegistry(): string {
  const record: unknown = JSON.parse(readFileSync(`${projectRoot}/.slipway/setup.json`, 'utf8'));
  if (typeof record === 'object' && record !== null && 'registry' in record && typeof record.registry === 'string') return record.registry;
  throw new Error('no local registry is known: run `npm run quickstart` first');
}

/** The benchmark compares with the docker client, which the program itself never uses. */
export function requireDockerClient(): void {
  const { status } = spawnSync('docker', ['version'], { stdio: 'ignore' });
  if (status !== 0) throw new Error('the benchmark needs the docker client and a running engine: run `npm run quickstart` first');
}
