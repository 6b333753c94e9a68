import { createDockerEngine } from '../../src/container/docker-engine.ts';
import { containerEngineContract } from '../contract/container-engine.ts';
import { realContainersContract } from '../contract/real-containers.ts';
import { shellBehaviour } from '../contract/shell-behaviour.ts';

containerEngineContract('Docker', { open: () => createDockerEngine(), request: shellBehaviour });
realContainersContract('Docker', {
  open: (environment) => createDockerEngine(environment === undefined ? {} : { environment }),
  tellsOutOfMemory: true,
  resolvesRawBytes: true,
  reachesPublishedPorts: true,
  socketPath: () => '/var/run/docker.sock',
});
