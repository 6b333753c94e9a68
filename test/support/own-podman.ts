import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { waitFor } from './wait-for.ts';

/** A Podman service of the test's own, with its own store. */
export interface OwnPodman {
  readonly socketPath: string;
  readonly docker: Dockerode;
  stop(): Promise<void>;
}

/** Starts Podman as a restricted machine needs it (runc, limits inside the hard ones) and gives it images of the machine's Docker. */
export async function startOwnPodman(images: readonly string[]): Promise<OwnPodman> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-podman-'));
  const socketPath = join(folder, 'podman.sock');
  const containers = join(folder, 'containers.conf');
  const registries = join(folder, 'registries.conf');
  writeFileSync(
    containers,
    `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
[network]
# The older network plugins have no DNS between containers, and keep their networks in one folder for all stores.
network_backend = "netavark"
network_config_dir = "${join(folder, 'networks')}"
`,
  );
  // Registries of the tests speak plain HTTP on loopback; a location without a port stands for all ports.
  writeFileSync(registries, 'unqualified-search-registries = []\n[[registry]]\nlocation = "127.0.0.1"\ninsecure = true\n');
  const stores = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  const server = spawn('podman', [...stores, 'system', 'service', '--time', '0', `unix://${socketPath}`], {
    stdio: 'ignore',
    // Its monitors leave a file named oom where they stand.
    cwd: folder,
    env: { ...process.env, CONTAINERS_CONF: containers, CONTAINERS_REGISTRIES_CONF: registries },
  });
  const failed = once(server, 'error').then(([error]) =>
    Promise.reject(new Error(`podman did not start: ${String(error)}; run the tests with \`npm test\``)),
  );
  const docker = new Dockerode({ socketPath });
  await Promise.race([failed, waitFor(async () => (await docker.ping().catch(() => undefined)) as unknown, 30_000)]);
  for (const image of images) {
    const loaded = await docker.loadImage(await new Dockerode().getImage(image).get());
    for await (const _ of loaded);
  }
  return { socketPath, docker, stop: () => stop(server, folder) };
}

async function stop(server: ChildProcess, folder: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}
