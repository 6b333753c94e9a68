import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createFileLogStore } from '../src/files/file-log-store.ts';
import type { LogStore } from '../src/model/ports/log-store.ts';
import { systemClock } from '../src/util/clock.ts';

/** One writer at a steady rate and its followers, all in this process: prints the 99th percentile of the lag and the peak of memory as JSON. */
const RATE = 50 * 1024 * 1024;
const CHUNK = 32 * 1024;
const PERIOD_MS = 10;
const FOLLOWERS = 20;
const PAGE = 512 * 1024;
const RUN = 'ra001';

const [folder = '', seconds = '8'] = process.argv.slice(2);
const total = Math.floor((RATE * Number(seconds)) / CHUNK) * CHUNK;
const directory = join(folder, 'logs');
const store = createFileLogStore({ directory, clock: systemClock, capBytes: 2 * total });

/** When each chunk was given to the log. */
const appendedAt: number[] = [];
let peak = 0;

async function write(): Promise<void> {
  const writer = await store.open(RUN);
  const start = performance.now();
  for (let written = 0; written < total; ) {
    const due = Math.min(total, ((performance.now() - start) / 1000) * RATE);
    for (; written + CHUNK <= due; written += CHUNK) {
      appendedAt.push(performance.now());
      const bytes = Buffer.alloc(CHUNK, 97 + (appendedAt.length % 26));
      await writer.append({
        ...{ step: 'flood', attempt: 1, stream: 'stdout', bytes },
        ...{ position: written + CHUNK, at: new Date().toISOString(), afterEvent: 1 },
      });
    }
    peak = Math.max(peak, process.memoryUsage.rss());
    if (written + CHUNK > total) break;
    await systemClock.sleep(PERIOD_MS);
  }
  await writer.seal();
}

/** Milliseconds from the giving of each chunk to the moment at which its last byte has been read. */
async function follow(logs: LogStore): Promise<readonly number[]> {
  const never = new AbortController().signal;
  const lags: number[] = [];
  let bytes = 0;
  for (let offset = 0; ; ) {
    const page = await logs.read(RUN, { offset, limit: PAGE });
    const now = performance.now();
    for (const chunk of page.chunks) bytes += chunk.bytes.length;
    for (let chunk = Math.floor(offset / CHUNK); chunk < Math.floor(page.next / CHUNK); chunk += 1)
      lags.push(now - (appendedAt[chunk] ?? now));
    if (page.end) break;
    if (page.next === offset) await logs.changed(RUN, offset, never);
    offset = page.next;
  }
  if (bytes !== total) throw new Error(`a follower read ${bytes} bytes of ${total}`);
  return lags;
}

const start = performance.now();
const followers = Array.from({ length: FOLLOWERS }, () => follow(store));
await write();
const writeSeconds = (performance.now() - start) / 1000;
const lags = (await Promise.all(followers)).flat().sort((a, b) => a - b);
await store.close();
rmSync(directory, { recursive: true, force: true });
const lagMs = lags[Math.floor(lags.length * 0.99)] ?? Number.NaN;
process.stdout.write(
  JSON.stringify({ lagMs, medianMs: lags[lags.length >> 1], peakMb: peak / 1024 ** 2, rate: total / writeSeconds / 1024 ** 2 }),
);
