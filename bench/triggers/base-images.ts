import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registryWriter, startRegistry } from '../../test/support/registry-server.ts';
import { median, quantile } from '../lib/measure.ts';
import { type Served, serve } from '../lib/served.ts';
import { type DaemonRow, within } from '../lib/table.ts';
import { type CountingProxy, startCountingProxy } from './counting-proxy.ts';
import { defineDockerTasks, isRead, sendContext } from './docker-tasks.ts';
import type { Hook } from './github.ts';
import { all, type ListedRun, openStored, passed, type Stored, until } from './stored.ts';

const FEW = 10;
const MANY = 1000;
const LEAST_ROUNDS = 20;
const SETTINGS = { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true', SLIPWAY_MAX_QUEUED: String(4 * MANY) };

interface Bed {
  readonly daemon: Served;
  readonly stored: Stored;
  readonly proxy: CountingProxy;
  /** Where images are pushed to: past the proxy. */
  readonly registry: string;
}

/**
 * A real registry whose notifications go to the daemon; the daemon sees it through a proxy that counts. Ten tasks build on one image and a
 * thousand on another, and none has been built yet: what they build on is read from their Dockerfiles. The queue is paused, and the runs of each
 * push are ended before the next: otherwise they would take it in.
 */
export async function baseImageRows(folder: string, rounds: number): Promise<readonly DaemonRow[]> {
  const data = join(folder, 'data');
  await using proxy = await startCountingProxy();
  const daemon = await serve(data, { env: SETTINGS });
  const stored = openStored(data);
  try {
    await daemon.api('POST', '/api/v1/queue/pause', {});
    const hook = await daemon.api<Hook>('POST', '/api/v1/hooks', { registry: proxy.host, registryKind: 'distribution' });
    await using registry = await startRegistry({ notifications: [{ url: hook.url, authorization: `Bearer ${hook.secret}` }] });
    proxy.target = registry.host;
    const bed = { daemon, stored, proxy, registry: registry.host };
    await defineTasks(bed, join(folder, 'context'));
    const few: Pushed[] = [];
    for (let round = 0; round <= Math.max(rounds, LEAST_ROUNDS); round += 1) few.push(await pushAndCount(bed, 'few', FEW));
    const many: Pushed[] = [];
    for (let round = 0; round < Math.min(rounds, 3); round += 1) many.push(await pushAndCount(bed, 'many', MANY));
    return [...fewRows(few.slice(1)), ...manyRows(many)];
  } finally {
    stored.close();
    await daemon.stop();
  }
}

function fewRows(few: readonly Pushed[]): readonly DaemonRow[] {
  const times = few.map(({ ms }) => ms / 1000);
  const p50 = median(times);
  return [
    {
      work: `base image pushed to the local registry → ${FEW} dependents queued, p50`,
      measured: `${p50.toFixed(2)} s (p99 ${quantile(times, 0.99).toFixed(2)} s)`,
      ...within(p50, { must: 2, aim: 0.5, unit: 's' }),
    },
  ];
}

function manyRows(many: readonly Pushed[]): readonly DaemonRow[] {
  const seconds = median(many.map(({ ms }) => ms)) / 1000;
  const heads = Math.max(...many.map((one) => one.heads));
  const work = `${MANY.toLocaleString('en')} tasks on one base`;
  return [
    {
      work: `${work}: HEADs at the registry`,
      measured: `${heads} (and ${Math.max(...many.map(({ gets }) => gets))} GET)`,
      ...within(heads, { must: 1, aim: 1, unit: '' }),
    },
    { work: `${work}: pushed → all queued`, measured: `${seconds.toFixed(2)} s`, ...within(seconds, { must: 5, aim: 1, unit: 's' }) },
  ];
}

async function defineTasks({ daemon, proxy, registry }: Bed, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const tasks = [
    ['few', FEW],
    ['many', MANY],
  ] as const;
  for (const [image] of tasks) {
    await pushImage(registry, image, 'first');
    writeFileSync(join(directory, `${image}.Dockerfile`), `FROM ${proxy.host}/base/${image}:1\nCOPY . /src\n`);
  }
  const contextPath = await sendContext(daemon, directory);
  await defineDockerTasks(
    daemon,
    tasks.flatMap(([image, count]) =>
      Array.from({ length: count }, (_, index) => ({ name: `${image}-${index}`, contextPath, dockerFilePath: `${image}.Dockerfile` })),
    ),
  );
  await until(() => isRead(daemon, FEW + MANY), { everyMs: 500, timeoutMs: 300_000, state: () => 'some tasks are not read' });
}

interface Pushed {
  /** Milliseconds from the last request of the push (PUT of the manifest) until every dependent has a queued run. */
  readonly ms: number;
  readonly heads: number;
  readonly gets: number;
}

let pushes = 0;

async function pushAndCount({ daemon, stored, proxy, registry }: Bed, image: string, dependents: number): Promise<Pushed> {
  pushes += 1;
  const before = { runs: stored.runs(), requests: proxy.requests.length };
  const sentAt = await pushImage(registry, image, `push ${pushes}`);
  await until(() => stored.runs() >= before.runs + dependents, {
    ...{ everyMs: 2, timeoutMs: 60_000 },
    state: () => `${stored.runs() - before.runs} runs of ${dependents}`,
  });
  const ms = Date.now() - sentAt;
  await until(() => stored.pendingEvents() === 0, { everyMs: 20, timeoutMs: 60_000, state: () => 'events are pending' });
  // What would be one too many comes a little later.
  await passed(500);
  const runs = await all<ListedRun>(daemon, '/api/v1/runs?status=Queued');
  const tasks = new Set(runs.map(({ task }) => task));
  if (runs.length !== dependents || tasks.size !== dependents)
    throw new Error(`${runs.length} runs of ${tasks.size} tasks, not ${dependents}`);
  for (const { runId } of runs) await daemon.api('POST', `/api/v1/runs/${runId}/cancel`, {});
  const asked = proxy.requests.slice(before.requests).filter(({ path }) => path.includes(`/base/${image}/manifests/`));
  const countOf = (method: string): number => asked.filter((one) => one.method === method).length;
  return { ms, heads: countOf('HEAD'), gets: countOf('GET') };
}

/** When the manifest was sent. */
async function pushImage(registry: string, image: string, content: string): Promise<number> {
  const writer = registryWriter(registry);
  const repository = `base/${image}`;
  const [config, layer] = [await writer.blob(repository, '{}'), await writer.blob(repository, content)];
  const sentAt = Date.now();
  await writer.manifest(repository, '1', {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    ...{ schemaVersion: 2, config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config } },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
  } as { mediaType: string });
  return sentAt;
}
