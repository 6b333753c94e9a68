import { afterAll, beforeAll } from 'vitest';
import { createDockerEngine } from '../../src/container/docker-engine.ts';
import { containerEngineContract } from '../contract/container-engine.ts';
import { durableContainersContract } from '../contract/durable-containers.ts';
import { durableEngineContract } from '../contract/durable-engine.ts';
import { type RealEngine, realContainersContract } from '../contract/real-containers.ts';
import { IMAGE } from '../contract/run-spec.ts';
import { shellBehaviour } from '../contract/shell-behaviour.ts';
import { type OwnPodman, startOwnPodman } from '../support/own-podman.ts';

let podman: OwnPodman;
beforeAll(async () => {
  podman = await startOwnPodman([IMAGE]);
});
afterAll(async () => {
  await podman.stop();
});

const endpoint = (): { readonly endpoint: string } => ({ endpoint: `unix://${podman.socketPath}` });

const subject = { open: () => createDockerEngine(endpoint()), request: shellBehaviour };
containerEngineContract('Podman', subject);
durableEngineContract('Podman', subject);

const real: RealEngine = {
  open: (environment) => createDockerEngine({ ...endpoint(), ...(environment === undefined ? {} : { environment }) }),
  tellsOutOfMemory: false,
  resolvesRawBytes: false,
  reachesPublishedPorts: false,
  socketPath: () => podman.socketPath,
};
realContainersContract('Podman', real);
durableContainersContract('Podman', real);
