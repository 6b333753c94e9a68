import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { waitFor } from './wait-for.ts';

/**
 * A second Docker engine of the test's own, in namespaces of its own (an engine without a bridge removes the machine's, and
 * mounts of a killed one would stay):
 * it may be killed and started again without hurting anything. Its containers have no network, or a bridge of this address (`--bip`).
 */
export interface OwnEngine {
  /** For DOCKER_HOST. */
  readonly endpoint: string;
  readonly docker: Docker;
  /** Kills the engine and its containers, as a crash of the machine's engine would, and waits until it is gone. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export async function startOwnEngine(images: readonly string[], bridge = 'none'): Promise<OwnEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-engine-'));
  const socket = join(folder, 'docker.sock');
  const docker = new Docker({ socketPath: socket });
  let server: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    server = spawn(
      'unshare',
      [
        '--net',
        '--mount',
        'dockerd',
        ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')],
        ...[
          '--host',
          `unix://${socket}`,
          ...(bridge === 'none' ? ['--bridge', 'none'] : ['--bip', bridge]),
          '--iptables=false',
          '--ip-masq=false',
        ],
      ],
      { stdio: 'ignore' },
    );
    await waitFor(async () => (await docker.ping().catch(() => undefined)) as unknown, 60_000);
  };
  const kill = async (): Promise<void> => {
    if (server === undefined) return;
    const ended = once(server, 'exit');
    // The engine first: containers that die before it would be an ordinary exit that it still reports.
    server.kill('SIGKILL');
    await ended;
    server = undefined;
    killBelow(join(folder, 'exec'));
    // Where nobody reaps the dead, their numbers look alive to the next engine.
    for (const file of ['pid', 'exec/containerd/containerd.pid']) rmSync(join(folder, file), { force: true });
  };
  const stop = async (): Promise<void> => {
    if (server !== undefined) {
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      await ended;
    }
    killBelow(join(folder, 'exec'));
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  await start();
  for (const image of images) await (await docker.loadImage(await new Docker().getImage(image).get())).resume();
  for (const image of images)
    await waitFor(
      async () =>
        docker
          .getImage(image)
          .inspect()
          .catch(() => undefined),
      30_000,
    );
  return { endpoint: `unix://${socket}`, docker, kill, start, stop };
}

/** containerd and its shims outlive a killed dockerd; everything started with our exec root goes. */
function killBelow(execRoot: string): void {
  const { stdout } = spawnSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' });
  for (const line of stdout.split('\n')) {
    if (!line.includes(execRoot)) continue;
    try {
      process.kill(Number(line.trim().split(' ')[0]), 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
  try {
    process.kill(Number(readFileSync(join(execRoot, 'containerd', 'containerd.pid'), 'utf8')), 'SIGKILL');
  } catch {
    // Gone already.
  }
}
