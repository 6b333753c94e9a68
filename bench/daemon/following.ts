import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { median } from '../lib/measure.ts';
import { projectRoot } from '../lib/parts.ts';
import { type DaemonRow, within } from '../lib/table.ts';
import { CHUNK, FOLLOWERS, RATE, SECONDS } from './flood.ts';

/**
 * A run whose output comes at 50 MB/s, and 20 readers of it over HTTP in a process of their own. The lag is from the moment at which the
 * agent gives a chunk to the daemon until its last byte is in a reader.
 */
export async function followingRows(folder: string, rounds: number): Promise<readonly DaemonRow[]> {
  const measured: Followed[] = [];
  for (let round = 0; round < Math.min(rounds, 3); round += 1) measured.push(await follow(join(folder, String(round))));
  const [lag, middle, rate] = [({ p99 }: Followed) => p99, ({ p50 }: Followed) => p50, ({ rateMb }: Followed) => rateMb].map((of) =>
    median(measured.map(of)),
  );
  const memory = Math.max(...measured.map(({ peakMb }) => peakMb));
  const work = `following a log at 50 MiB/s over HTTP, ${FOLLOWERS} followers`;
  return [
    {
      work: `${work}: p99 of the lag`,
      measured: `${(lag ?? 0).toFixed(0)} ms (p50 ${(middle ?? 0).toFixed(0)} ms, written at ${(rate ?? 0).toFixed(0)} MiB/s)`,
      ...within(lag ?? Number.NaN, { must: 250, aim: 100, unit: 'ms' }),
    },
    { work: `${work}: memory`, measured: `${memory.toFixed(0)} MiB`, ...within(memory, { must: 300, aim: 300, unit: 'MiB' }) },
  ];
}

interface Followed {
  readonly p50: number;
  readonly p99: number;
  readonly peakMb: number;
  readonly rateMb: number;
}

async function follow(folder: string): Promise<Followed> {
  mkdirSync(folder, { recursive: true });
  const server = start('log-server.ts', [folder], ['--min-semi-space-size=16', '--max-semi-space-size=16']);
  const { url, token, run } = JSON.parse(await server.line());
  const readers = start('log-readers.ts', [folder, url, token, run]);
  await readers.line();
  server.child.stdin?.write('go\n');
  const [told] = await Promise.all([server.line(), readers.line()]);
  server.child.stdin?.end();
  const { peakMb, rateMb } = JSON.parse(told);
  const lags = lagsOf(folder);
  return { p50: lags[Math.floor(lags.length / 2)] ?? Number.NaN, p99: lags[Math.floor(lags.length * 0.99)] ?? Number.NaN, peakMb, rateMb };
}

/** Sorted; the first chunk was there before anybody read. */
function lagsOf(folder: string): Float64Array {
  const [given, came] = ['given', 'came'].map((name) => new Float64Array(new Uint8Array(readFileSync(join(folder, name))).buffer));
  const total = Math.floor((RATE * SECONDS) / CHUNK);
  const lags = (came ?? new Float64Array()).map((at, index) => at - (given?.[index % total] ?? Number.NaN));
  return lags.filter((_, index) => index % total > 0).sort();
}

interface Helper {
  readonly child: ChildProcess;
  /** The next line of its standard output; rejects when it ends without one. */
  line(): Promise<string>;
}

function start(name: string, args: readonly string[], flags: readonly string[] = []): Helper {
  const child = spawn(process.execPath, [...flags, join(projectRoot, 'bench/daemon', name), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    line: async () => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${name} ended`);
      return value;
    },
  };
}
