import { readdir, readFile } from 'node:fs/promises';

const MOST_ROUNDS = 50;

/**
 * Ends (SIGKILL) every process whose environment has `entry` (`NAME=VALUE`), for libraries that start processes without a
 * group of their own and so leave helpers behind. Resolves when none is left. Linux only: elsewhere it finds nothing.
 */
export async function killMarkedProcesses(entry: string): Promise<void> {
  // More than once: a process may have started another while the list was read.
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const marked = await markedProcesses(entry);
    if (marked.length === 0) return;
    for (const pid of marked) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, round));
  }
}

async function markedProcesses(entry: string): Promise<readonly number[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')));
  return pids.filter((pid, index) => pid !== process.pid && environments[index]?.split('\0').includes(entry));
}
