import { join } from 'node:path';
import type { DaemonRow } from './lib/table.ts';
import { baseImageRows } from './triggers/base-images.ts';
import { pollCycleRows } from './triggers/poll-cycle.ts';
import { pushRows } from './triggers/push-to-container.ts';
import { timerRows } from './triggers/timers.ts';
import { burstRows } from './triggers/webhook-burst.ts';

const PARTS = { burst: burstRows, push: pushRows, base: baseImageRows, poll: pollCycleRows, timers: timerRows };

/** What starts runs by itself, in the order of docs/performance.md; `only` names some of its parts. */
export async function triggerRows(folder: string, rounds: number, only: readonly string[] = []): Promise<readonly DaemonRow[]> {
  const rows: DaemonRow[] = [];
  for (const [name, part] of Object.entries(PARTS)) {
    if (only.length > 0 && !only.includes(name)) continue;
    process.stderr.write(`  triggers: ${name}\n`);
    rows.push(...(await part(join(folder, name), rounds)));
  }
  return rows;
}
