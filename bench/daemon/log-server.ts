import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { composeParts } from '../../src/daemon/compose.ts';
import { daemonSettings } from '../../src/daemon/daemon-settings.ts';
import { openDataDirectory } from '../../src/daemon/data-directory.ts';
import { createHttpServer } from '../../src/daemon/http/server.ts';
import { createMetrics } from '../../src/daemon/metrics.ts';
import { createSecretBox, SECRET_KEY_BYTES } from '../../src/service/secret-box.ts';
import { createTaskCredentials } from '../../src/service/tasks/task-credentials.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { systemClock as clock } from '../../src/util/clock.ts';
import { runRequest } from '../../test/contract/store-values.ts';
import { CHUNK, nowMs, PERIOD_MS, RATE, SECONDS } from './flood.ts';

/**
 * The daemon of src/daemon/compose.ts with its HTTP server, and in the place of its agent one run whose output comes at a steady rate. Says
 * where it is, waits for a line, floods, keeps the time at which each chunk was given to the daemon, and tells its own memory.
 */
const [folder = ''] = process.argv.slice(2);
const AGENT = {
  ...{ id: 'agent1', bootId: 'boot1', pool: 'default', version: '1', slots: 1 },
  ...{ platform: { os: 'linux', architecture: 'amd64' }, labels: {} },
};

const total = Math.floor((RATE * SECONDS) / CHUNK);
const data = await openDataDirectory(join(folder, 'data'));
const store = await openSqliteStore({ path: data.database });
const box = createSecretBox(new Uint8Array(SECRET_KEY_BYTES));
const logger = pino({ level: 'silent' });
const settings = daemonSettings({ data: data.path, logLimit: 2 * total * CHUNK }, { directory: folder, environment: {} });
const metrics = createMetrics({
  queue: () => parts.queue.state(),
  runs: () => store.runs.counts(),
  agents: async () => parts.gateway.agents(),
  streams: () => 0,
  events: () => store.events.counts(),
});
const parts = composeParts({
  ...{ settings, environment: {}, data, store, box, daemonId: 'bench0', version: '0', logger, metrics },
  publicUrl: () => '',
});
const { service: triggers, hooks, intake, images } = parts.triggers;
const http = await createHttpServer(
  {
    ...parts,
    ...{ box, clock, credentials: createTaskCredentials(parts.tasks) },
    ...{ triggers, hooks, intake, images },
    operations: {
      ...{ version: '0', daemonId: 'bench0', metrics: () => metrics.text() },
      readiness: async () => ({ ready: true, checks: [] }),
      gc: async () => ({ dryRun: true, runs: 0, logs: 0, uploads: 0, events: 0, images: 0, engine: 0, bytes: 0 }),
    },
  },
  { tcp: { host: '127.0.0.1', port: 0 }, socket: data.socket, logger, metrics },
);
await parts.gateway.start();
await parts.runs.start();
const { url } = await http.listen();
const token = await parts.tokens.ensureAdminToken();
await parts.gateway.register(AGENT);
const { id } = await parts.runs.create(runRequest({}), { name: 'bench', from: 'unix' });
const lease = await parts.gateway.claim(AGENT.id, { waitMs: 1000, signal: new AbortController().signal });
if (lease === undefined) throw new Error('there is no run to claim');
const held = { run: lease.run, attempt: lease.attempt };
const givenAt = new Float64Array(total);
// Answers to readers begin with the first bytes that there are.
await give(0);
process.stdout.write(`${JSON.stringify({ url, token, run: id })}\n`);
const told = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
await told.next();

let peak = 0;
const seconds = await flood();
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'given'), givenAt);
await parts.gateway.finish(lease, { status: 'Succeeded', images: [], built: [], baseImages: [], dependencies: [] });
process.stdout.write(`${JSON.stringify({ peakMb: peak / 1024 ** 2, rateMb: (total * CHUNK) / seconds / 1024 ** 2 })}\n`);
// Until the readers have read it all.
await told.next();
process.exit();

async function give(chunk: number): Promise<void> {
  givenAt[chunk] = nowMs();
  await parts.gateway.log(held, {
    ...{ step: 'flood', attempt: 1, stream: 'stdout', bytes: Buffer.alloc(CHUNK, 97 + (chunk % 26)) },
    ...{ position: (chunk + 1) * CHUNK, at: clock.now().toISOString(), afterEvent: 0 },
  });
}

/** Seconds that it took. What falls behind is made up for at once, as a pipe that was full would. */
async function flood(): Promise<number> {
  const start = nowMs();
  for (let given = 1; given < total; ) {
    const due = Math.min(total, Math.floor((((nowMs() - start) / 1000) * RATE) / CHUNK));
    for (; given < due; given += 1) await give(given);
    await parts.gateway.renew(AGENT.id, [held]);
    peak = Math.max(peak, process.memoryUsage.rss());
    await clock.sleep(PERIOD_MS);
  }
  return (nowMs() - start) / 1000;
}
