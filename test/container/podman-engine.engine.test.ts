import { afterAll, beforeAll } from 'vitest';
import { createDockerEngine } from '../../src/container/docker-engine.ts';
import { containerEngineContract } from '../contract/container-engine.ts';
import { realContainersContract } from '../contract/real-containers.ts';
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

containerEngineContract('Podman', { open: () => createDockerEngine(endpoint()), request: shellBehaviour });
realContainersContract('Podman', {
  open: (environment) => createDockerEngine({ ...endpoint(), ...(environment === undefined ? {} : { environment }) }),
  tellsOutOfMemory: false,
  resolvesRawBytes: false,
  reachesPublishedPorts: false,
  socketPath: () => podman.socketPath,
});
