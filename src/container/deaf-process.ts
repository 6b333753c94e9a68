import { readFile } from 'node:fs/promises';
import { systemClock } from '../util/clock.ts';
import type { EngineApi } from './engine-api.ts';
import { inspectContainer } from './engine-containers.ts';

const SIGTERM_BIT = 1n << 14n;
const STARTING_PAUSE_MS = 20;
const STARTING_LOOKS = 25;

/**
 * Whether SIGTERM cannot reach the first process of a container: the kernel drops signals that the first process of a
 * namespace neither handles nor blocks, which is most commands (`sleep`, `sh -c …`). Waiting for such a process to end by itself
 * is waiting for nothing.
 *
 * It is told from /proc, so only where the engine runs on this machine; false wherever it cannot be known.
 */
export async function isDeafToTerm(api: EngineApi, id: string): Promise<boolean> {
  const { State } = await inspectContainer(api, id);
  const pid = State.Pid ?? 0;
  if (pid <= 0) return false;
  for (let look = 0; look < STARTING_LOOKS; look += 1) {
    const status = await read(`/proc/${pid}/status`);
    // The number means another process when the engine is on another machine.
    if (status === undefined || !(await read(`/proc/${pid}/cgroup`))?.includes(id)) return false;
    if (!/^Name:\s*(runc|crun)/m.test(status)) return isDeaf(status) && !(await waitsForSignals(pid, status));
    // The runtime has not yet become the command.
    await systemClock.sleep(STARTING_PAUSE_MS);
  }
  return false;
}

/**
 * An init (`--init`) handles no signal but waits for them, and passes them on. While it waits the kernel shows them as neither handled nor
 * blocked.
 */
async function waitsForSignals(pid: number, status: string): Promise<boolean> {
  if (/^Name:\s*(docker-init|podman-init|catatonit|tini|dumb-init)/m.test(status)) return true;
  return (await read(`/proc/${pid}/wchan`))?.includes('sigtimedwait') ?? false;
}

function isDeaf(status: string): boolean {
  const isFirst = /^NSpid:.*\s1$/m.test(status);
  return isFirst && !has(status, 'SigCgt') && !has(status, 'SigBlk');
}

function has(status: string, field: 'SigCgt' | 'SigBlk'): boolean {
  const mask = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1];
  return mask === undefined || (BigInt(`0x${mask}`) & SIGTERM_BIT) !== 0n;
}

async function read(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined);
}
