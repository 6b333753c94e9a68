import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type Served, serve } from '../lib/served.ts';
import { type DaemonRow, within } from '../lib/table.ts';
import { defineDockerTasks, sendContext } from './docker-tasks.ts';
import { type SlowRegistry, startSlowRegistry } from './slow-registry.ts';
import { passed, until } from './stored.ts';

const REGISTRIES = 5;
const LATENCY_MS = 20;
const TASKS = 1000;
const IMAGES_A_TASK = 10;
const IMAGES = TASKS * IMAGES_A_TASK;
const INTERVAL_S = 60;
const CYCLES = 3;
/** Of one registry: what the daemon keeps to. */
const BUDGET = { atOnce: 4, perSecond: 60, burst: 60 };
const SETTINGS = { SLIPWAY_BASE_IMAGE_POLL_MIN: `${INTERVAL_S}s`, SLIPWAY_BASE_IMAGE_POLL_MAX: `${INTERVAL_S}s` };

/**
 * Looks at 10,000 images: after the first looks the daemon is stopped for as long as the interval, so that all are due when it starts again. Two
 * further cycles show whether its memory grows.
 */
export async function pollCycleRows(folder: string): Promise<readonly DaemonRow[]> {
  const data = join(folder, 'data');
  const watch = new CycleWatch();
  await using registries = new AsyncDisposableStack();
  const slow: SlowRegistry[] = [];
  for (let index = 0; index < REGISTRIES; index += 1) {
    slow.push(registries.use(await startSlowRegistry(LATENCY_MS, (times) => watch.looked(times))));
  }
  await lookFirst(await serve(data, { env: SETTINGS }), { slow, watch, directory: join(folder, 'context') });
  await passed((INTERVAL_S + 1) * 1000);
  for (const registry of slow) Object.assign(registry, { mostAtOnce: 0 }).requestsAt.splice(0);
  const daemon = await serve(data, { env: SETTINGS });
  const memory: number[] = [];
  try {
    for (let cycle = 2; cycle < 2 + CYCLES; cycle += 1) memory.push(await followCycle(daemon, watch, cycle));
  } finally {
    await daemon.stop();
  }
  return rowsOf({ seconds: [2, 3, 4].map((cycle) => watch.seconds(cycle)), memory, overBudget: slow.map(overBudget) });
}

interface Measured {
  readonly seconds: readonly number[];
  /** MiB, the most of each cycle. */
  readonly memory: readonly number[];
  readonly overBudget: readonly string[];
}

function rowsOf({ seconds: [first = Number.NaN, ...later], memory, overBudget: found }: Measured): readonly DaemonRow[] {
  const beyond = found.filter((text) => text !== '');
  if (beyond.length > 0) throw new Error(`registries were asked more than they may be: ${beyond.join('; ')}`);
  const [before = Number.NaN] = memory;
  const after = memory.at(-1) ?? Number.NaN;
  const growth = (after / before - 1) * 100;
  const work = `poll cycle over ${IMAGES.toLocaleString('en')} images of ${REGISTRIES} registries, ${LATENCY_MS} ms latency`;
  return [
    {
      work: `${work}: time, all due at once`,
      measured: `${first.toFixed(1)} s (later ones ${later.map((one) => `${one.toFixed(1)} s`).join(', ')})`,
      ...within(first, { must: 120, aim: 60, unit: 's' }),
    },
    {
      work: `${work}: growth of the most memory of a cycle over ${CYCLES} cycles`,
      measured: `${growth.toFixed(0)} % (${memory.map((one) => `${one.toFixed(0)} MiB`).join(', ')})`,
      ...within(growth, { must: 10, aim: 10, unit: '%' }),
    },
  ];
}

interface First {
  readonly slow: readonly SlowRegistry[];
  readonly watch: CycleWatch;
  readonly directory: string;
}

async function lookFirst(daemon: Served, { slow, watch, directory }: First): Promise<void> {
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'Dockerfile'), dockerfile());
    const contextPath = await sendContext(daemon, directory);
    await defineDockerTasks(
      daemon,
      Array.from({ length: TASKS }, (_, index) => ({
        ...{ name: `app-${index}`, contextPath },
        arguments: { HOST: slow[index % REGISTRIES]?.host ?? '', APP: String(index) },
      })),
    );
    await until(() => watch.count(1) >= IMAGES, {
      everyMs: 200,
      timeoutMs: 600_000,
      state: () => `${watch.count(1)} images were looked at`,
    });
    // What was found last is stored.
    await passed(1000);
  } finally {
    await daemon.stop();
  }
}

/** Ten stages, each on an image of its own. */
function dockerfile(): string {
  const stages = Array.from({ length: IMAGES_A_TASK - 1 }, (_, index) => `FROM \${HOST}/app-\${APP}/stage-${index}:1 AS stage-${index}`);
  const copies = stages.map((_, index) => `COPY --from=stage-${index} /app /app-${index}`);
  return ['ARG HOST', 'ARG APP', ...stages, `FROM \${HOST}/app-\${APP}/runtime:1`, ...copies, ''].join('\n');
}

/** Until every image was looked at so many times; the most memory in that time, in MiB. */
async function followCycle(daemon: Served, watch: CycleWatch, cycle: number): Promise<number> {
  let most = 0;
  await until(
    () => {
      most = Math.max(most, daemon.memoryMb());
      return watch.count(cycle) >= IMAGES;
    },
    { everyMs: 100, timeoutMs: 400_000, state: () => `${watch.count(cycle)} images were looked at in cycle ${cycle}` },
  );
  return most;
}

/** Counts looks by how many there were of the image: the n-th looks of all images are cycle n. */
class CycleWatch {
  readonly #cycles = new Map<number, { count: number; readonly firstMs: number; lastMs: number }>();

  looked(times: number): void {
    const now = performance.now();
    const cycle = this.#cycles.get(times) ?? { count: 0, firstMs: now, lastMs: now };
    this.#cycles.set(times, cycle);
    cycle.count += 1;
    cycle.lastMs = now;
  }

  count(cycle: number): number {
    return this.#cycles.get(cycle)?.count ?? 0;
  }

  /** From its first look to its last. */
  seconds(cycle: number): number {
    const { firstMs = Number.NaN, lastMs = Number.NaN } = this.#cycles.get(cycle) ?? {};
    return (lastMs - firstMs) / 1000;
  }
}

/** How a registry was asked more than its budget; empty when it was not. */
function overBudget({ host, mostAtOnce, requestsAt }: SlowRegistry): string {
  if (mostAtOnce > BUDGET.atOnce) return `${host}: ${mostAtOnce} at once`;
  const seconds = ((requestsAt.at(-1) ?? 0) - (requestsAt[0] ?? 0)) / 1000;
  const allowed = BUDGET.burst + seconds * BUDGET.perSecond;
  return requestsAt.length > allowed ? `${host}: ${requestsAt.length} in ${seconds.toFixed(0)} s` : '';
}
