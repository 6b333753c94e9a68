import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const samplesFolder = fileURLToPath(new URL('../../samples', import.meta.url));

/** Where a sample finds what lies outside of it. */
export interface SamplePlaces {
  /** `HOST:PORT` */
  readonly registry: string;
  readonly mirror: string;
  /** A git context with a Dockerfile that takes the build argument BASE. */
  readonly repository: string;
}

export interface SampleRun {
  readonly name: string;
  readonly folder: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

type Extra = (places: SamplePlaces, folder: string) => readonly string[];

const EXTRA: Readonly<Record<string, Extra>> = {
  '01-quickstart': toRegistry,
  '07-cache': toRegistry,
  '08-multi-registry': (places) => [...toRegistry(places), '--set', `mirror=${places.mirror}`],
  '09-git-context': ({ repository }) => ['--set', `repository=${repository}`],
  '10-values': (_places, folder) => ['--values', `${folder}/values.yaml`],
  '11-matrix': (places, folder) => ['--values', `${folder}/values.yaml`, ...toRegistry(places)],
};

/** Task definitions of a daemon; the other samples are task files. */
export const DEFINITIONS = ['12-daemon-tasks', '13-commit-trigger', '14-base-image-cascade', '15-nightly'] as const;

/** Their files, from the folder of samples. */
export function definitionFiles(): string[] {
  return DEFINITIONS.flatMap((name) => {
    const files = readdirSync(`${samplesFolder}/${name}`).filter((file) => file.endsWith('.yaml'));
    return files.map((file) => `${name}/${file}`);
  });
}

/** Every sample of a task file, with the flags that the comment at its head asks for and a base image that needs no download. */
export function sampleRuns(places: SamplePlaces): SampleRun[] {
  const names = readdirSync(samplesFolder).filter((name) => existsSync(`${samplesFolder}/${name}/acr-task.yaml`));
  return names.map((name) => {
    const folder = `${samplesFolder}/${name}`;
    const args = [folder, '--set', 'base=busybox:local', ...(EXTRA[name]?.(places, folder) ?? [])];
    return { name, folder, args, env: name === '06-secrets' ? { DEPLOY_KEY } : {} };
  });
}

export const DEPLOY_KEY = 'correct horse battery staple';

function toRegistry({ registry }: SamplePlaces): readonly string[] {
  return ['--registry', registry];
}
