import { join } from 'node:path';
import { median } from '../lib/measure.ts';
import { type Served, serve } from '../lib/served.ts';
import { type DaemonRow, within } from '../lib/table.ts';

/** By then V8 has collected what the start left behind. */
const SETTLE_MS = 20_000;
const WATCH_MS = 30_000;

/** `task serve` as a process: how long until it is ready (from the second start on), and what it costs when nobody asks for anything. */
export async function idleRows(folder: string, rounds: number): Promise<readonly DaemonRow[]> {
  const data = join(folder, 'data');
  await (await serve(data)).stop();
  const ready: number[] = [];
  const cpu: number[] = [];
  for (let round = 0; round < Math.max(rounds, 3); round += 1) {
    const daemon = await serve(data);
    ready.push(daemon.readyMs);
    cpu.push(daemon.cpuMs());
    await daemon.stop();
  }
  const idle = await watchIdle(await serve(data));
  const seconds = median(ready) / 1000;
  return [
    {
      work: '`task serve` to ready',
      measured: `${seconds.toFixed(2)} s (processor ${(median(cpu) / 1000).toFixed(2)} s)`,
      ...within(seconds, { must: 1, aim: 0.4, unit: 's' }),
    },
    {
      work: 'idle daemon: memory',
      measured: `${idle.memoryMb.toFixed(0)} MiB`,
      ...within(idle.memoryMb, { must: 150, aim: 100, unit: 'MiB' }),
    },
    { work: 'idle daemon: processor', measured: `${idle.share.toFixed(2)} %`, ...within(idle.share, { must: 0.5, aim: 0.5, unit: '%' }) },
  ];
}

async function watchIdle(daemon: Served): Promise<{ readonly memoryMb: number; readonly share: number }> {
  try {
    await passed(SETTLE_MS);
    const before = daemon.cpuMs();
    await passed(WATCH_MS);
    return { share: ((daemon.cpuMs() - before) / WATCH_MS) * 100, memoryMb: daemon.memoryMb() };
  } finally {
    await daemon.stop();
  }
}

function passed(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
