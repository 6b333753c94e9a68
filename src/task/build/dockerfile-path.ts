import { posix } from 'node:path';

/**
 * Where a build's Dockerfile is. `-f` of a local context starts in the step's working directory, as docker's client reads
 * it; `-f` of a fetched context starts in the fetched directory. Without `-f` it is `Dockerfile` of the context.
 */
export function dockerfilePath(build: {
  readonly fetched: boolean;
  readonly contextDirectory: string;
  readonly dockerfile: string;
}): string {
  if (build.dockerfile === '') return posix.join(build.contextDirectory, 'Dockerfile');
  return build.fetched ? posix.join(build.contextDirectory, build.dockerfile) : build.dockerfile;
}
