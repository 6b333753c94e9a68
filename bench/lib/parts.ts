import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** The launcher of the program as it is published; `usePublished` makes the place. */
export const task = `${projectRoot}/.slipway/bench-package/node_modules/slipway/bin/task`;

/** Bundles the program and lays it out as npm installs it: no sources that the launcher would compare with the bundle. */
export function usePublished(): void {
  execFileSync(process.execPath, [`${projectRoot}/scripts/build.mjs`], { stdio: 'inherit' });
  const modules = dirname(dirname(dirname(task)));
  rmSync(modules, { recursive: true, force: true });
  const place = join(modules, 'slipway');
  mkdirSync(place, { recursive: true });
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(projectRoot, part), join(place, part), { recursive: true });
  // What npm would install beside it.
  for (const name of readdirSync(`${projectRoot}/node_modules`)) {
    if (!name.startsWith('.')) symlinkSync(join(projectRoot, 'node_modules', name), join(modules, name));
  }
}

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
