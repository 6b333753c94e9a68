import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
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

/**
 * The benchmark compares with the docker client, which the program itself never uses: the first one on PATH that can ask
 * the engine for a BuildKit build (newer clients need a plugin for it) becomes `docker` for all commands.
 */
export function useDockerClient(folder: string): void {
  const found = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, 'docker'));
  const client = found.find((path) => existsSync(path) && buildsWithBuildKit(path));
  if (client === undefined) {
    throw new Error(
      'the benchmark compares with a docker client that can build with BuildKit, and none on PATH can ' +
        '(tried `DOCKER_BUILDKIT=1 docker build`): run `npm run quickstart`, install buildx or a client of version 20.10',
    );
  }
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  symlinkSync(client, join(bin, 'docker'));
  process.env['PATH'] = `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
}

function buildsWithBuildKit(client: string): boolean {
  const environment = { ...process.env, DOCKER_BUILDKIT: '1' };
  return spawnSync(client, ['build', '-q', '-'], { env: environment, input: `FROM ${base}\n` }).status === 0;
}
