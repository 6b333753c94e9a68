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
export async function startOwnPodman(images: readonly string[], insecureRegistries: readonly string[] = []): Promise<OwnPodman> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-podman-'));
  const socketPath = join(folder, 'podman.sock');
  const containers = join(folder, 'containers.conf');
  const registries = join(folder, 'registries.conf');
  writeFileSync(
    containers,
    '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n',
  );
  const insecure = insecureRegistries.map((host) => `[[registry]]\nlocation = ${JSON.stringify(host)}\ninsecure = true\n`).join('');
  writeFileSync(registries, `unqualified-search-registries = []\n${insecure}`);
  const stores = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  const server = spawn('podman', [...stores, 'system', 'service', '--time', '0', `unix://${socketPath}`], {
    stdio: 'ignore',
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
