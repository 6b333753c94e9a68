import { createDockerEngine } from '../../src/container/docker-engine.ts';
import { containerEngineContract } from '../contract/container-engine.ts';
import { durableContainersContract } from '../contract/durable-containers.ts';
import { durableEngineContract } from '../contract/durable-engine.ts';
import { type RealEngine, realContainersContract } from '../contract/real-containers.ts';
import { shellBehaviour } from '../contract/shell-behaviour.ts';

const subject = { open: () => createDockerEngine(), request: shellBehaviour };
containerEngineContract('Docker', subject);
durableEngineContract('Docker', subject);

const real: RealEngine = {
  open: (environment) => createDockerEngine(environment === undefined ? {} : { environment }),
  tellsOutOfMemory: true,
  resolvesRawBytes: true,
  reachesPublishedPorts: true,
  socketPath: () => '/var/run/docker.sock',
};
realContainersContract('Docker', real);
durableContainersContract('Docker', real);
