import Docker from 'dockerode';

/** Names of everything in the engine that carries the label of one run (or of any run of ours). */
export async function leftovers(run: string | undefined, docker = new Docker()): Promise<string[]> {
  const filters = { label: [run === undefined ? 'dev.slipway.run' : `dev.slipway.run=${run}`] };
  const [containers, networks, volumes] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters }),
  ]);
  return [
    ...containers.map((container) => `container ${container.Names.join(' ')} ${container.State}`),
    ...networks.map((network) => `network ${network.Name}`),
    ...volumes.Volumes.map((volume) => `volume ${volume.Name}`),
  ];
}
