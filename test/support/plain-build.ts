import type { BuildSpec } from '../../src/model/plan.ts';

/** A build of the workspace that asks for nothing. */
export const PLAIN_BUILD: BuildSpec = {
  context: { kind: 'local', path: '/workspace' },
  tags: [],
  buildArgs: [],
  platforms: [],
  noCache: false,
  pull: 'auto',
  labels: [],
  addHosts: [],
  cacheFrom: [],
  cacheTo: [],
  ulimits: [],
  squash: false,
  securityOpt: [],
  secrets: [],
  ssh: [],
  outputs: [],
  buildContexts: [],
  quiet: false,
  progress: 'auto',
  env: [],
  workdir: '/workspace',
};
