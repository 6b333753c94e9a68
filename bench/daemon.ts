import { join } from 'node:path';
import { firstContainerRows } from './daemon/first-container.ts';
import { followingRows } from './daemon/following.ts';
import { idleRows } from './daemon/idle.ts';
import { listRows } from './daemon/lists.ts';
import { queuedRunRows } from './daemon/queued-runs.ts';
import type { DaemonRow } from './lib/table.ts';

const PARTS = { start: firstContainerRows, queue: queuedRunRows, lists: listRows, follow: followingRows, idle: idleRows };

/** What a daemon does and costs, in the order of docs/performance.md; `only` names some of its parts. */
export async function daemonRows(folder: string, rounds: number, only: readonly string[] = []): Promise<readonly DaemonRow[]> {
  const rows: DaemonRow[] = [];
  for (const [name, part] of Object.entries(PARTS)) {
    if (only.length > 0 && !only.includes(name)) continue;
    process.stderr.write(`  daemon: ${name}\n`);
    rows.push(...(await part(join(folder, name), rounds)));
  }
  return rows;
}
