import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type GitServer, startGitServer } from '../../test/support/git-server.ts';
import { quantile } from '../lib/measure.ts';
import { base, projectRoot } from '../lib/parts.ts';
import { randomNumbers, shuffled } from '../lib/random.ts';
import { type Served, serve } from '../lib/served.ts';
import { type DaemonRow, within } from '../lib/table.ts';
import type { BurstOrder, HookedPush, Sent } from './burst-sender.ts';
import { aboutPush, type Hook, type PushedRepository } from './github.ts';
import { commitToBranches } from './repositories.ts';
import { all, type ListedEvent, type ListedRun, openStored, until } from './stored.ts';

/** Of 9,000 pushes: one in nine is told twice. */
const DELIVERIES = 10_000;
const REPOSITORIES = 10;
const BRANCHES = 900;
const STEP = `${base} sh -c "i=0; while true; do echo $i; i=$((i+1)); usleep 100000; done"`;

interface Burst {
  readonly name: string;
  readonly perSecond: number;
  readonly seed: number;
}

const BURSTS: readonly Burst[] = [
  { name: '10,000 deliveries in a minute', perSecond: DELIVERIES / 60, seed: 1 },
  { name: '1,000 deliveries a second for 10 s', perSecond: 1000, seed: 2 },
];

/**
 * Signed pushes of GitHub, of 900 branches of each of ten repositories that are really there, to a daemon that runs: one run prints all the while,
 * and the other slot works off the runs that the pushes make. Compared is what was sent with the events and runs of the API.
 */
export async function burstRows(folder: string): Promise<readonly DaemonRow[]> {
  const rows: DaemonRow[] = [];
  for (const [index, burst] of BURSTS.entries()) rows.push(...(await measure(join(folder, String(index)), burst)));
  return rows;
}

async function measure(data: string, burst: Burst): Promise<readonly DaemonRow[]> {
  await using server = await startGitServer();
  const daemon = await serve(data, { env: SETTINGS });
  const stored = openStored(data);
  try {
    const pushes = await preparePushes(server, daemon);
    const printing = await startPrinting(daemon);
    const sent = await send({ pushes, deliveries: DELIVERIES, perSecond: burst.perSecond, seed: burst.seed });
    await until(() => stored.runs() >= pushes.length + 1 && stored.pendingEvents() === 0, {
      ...{ everyMs: 100, timeoutMs: 300_000 },
      state: () => `${stored.runs()} runs of ${pushes.length + 1}, ${stored.pendingEvents()} events pending`,
    });
    await daemon.api('POST', '/api/v1/queue/pause', {});
    const printed = await stopPrinting(daemon, printing);
    const compared = await compare(daemon, { pushes, sent });
    return rowsOf(burst, { sent, printed, ...compared });
  } finally {
    stored.close();
    await cancelLive(daemon);
    await daemon.stop();
  }
}

const SETTINGS = { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true', SLIPWAY_MAX_QUEUED: '50000', SLIPWAY_MAX_RUNS: '2' };

interface Followed {
  readonly repository: PushedRepository;
  readonly bare: string;
  readonly before: ReadonlyMap<string, string>;
  readonly hook: Hook;
}

/** Ten tasks on ten repositories, looked at once; then every branch gets the commit that its delivery will tell of. */
async function preparePushes(server: GitServer, daemon: Served): Promise<readonly HookedPush[]> {
  const branches = Array.from({ length: BRANCHES }, (_, index) => `team-${index % 20}/work-${index}`);
  const repositories: Followed[] = [];
  for (let number = 0; number < REPOSITORIES; number += 1) {
    const name = `app-${number}`;
    const bare = await server.repository(name, async (work) => void (await work.commit('first')));
    const repository: PushedRepository = { id: 1000 + number, name, url: `${server.url}/smart/${name}.git` };
    const before = await commitToBranches(bare, branches, 'before');
    repositories.push({ repository, bare, before, hook: await follow(daemon, repository) });
  }
  // A look that is under way would find what is committed now.
  await until(() => areLookedAt(daemon, repositories), { everyMs: 200, timeoutMs: 60_000, state: () => 'repositories are looked at' });
  const pushes: HookedPush[] = [];
  for (const { repository, bare, before, hook } of repositories) {
    const after = await commitToBranches(bare, branches, 'after');
    for (const branch of branches) {
      pushes.push({ hook, push: { repository, branch, before: before.get(branch) ?? '', after: after.get(branch) ?? '' } });
    }
  }
  return shuffled(pushes, randomNumbers(7));
}

/** A task on every branch of the repository, told by its webhook alone. */
async function follow(daemon: Served, { name, url }: PushedRepository): Promise<Hook> {
  const encodedTaskContent = Buffer.from(`steps:\n  - cmd: ${base} true\n`).toString('base64');
  await daemon.api('POST', '/api/v1/tasks', {
    name,
    step: { contextPath: `${url}#main`, encodedTaskContent },
    trigger: {
      sourceTriggers: [
        { name: 'push', sourceRepository: { sourceControlType: 'Github' }, branches: ['**'], pollInterval: 0, commitStatus: false },
      ],
    },
  });
  await daemon.api('POST', `/api/v1/tasks/${name}/check`);
  return daemon.api<Hook>('POST', `/api/v1/tasks/${name}/hooks`, {});
}

/** Whether each was looked at, and is not looked at again: webhooks alone tell of it. */
async function areLookedAt(daemon: Served, repositories: readonly Followed[]): Promise<boolean> {
  for (const { repository } of repositories) {
    const { triggers } = await daemon.api<Explained>('GET', `/api/v1/tasks/${repository.name}/explain`);
    const watched = triggers.flatMap((trigger) => trigger.watched);
    if (!watched.every(({ checkedAt, nextCheck }) => checkedAt !== undefined && nextCheck.startsWith('9999'))) return false;
  }
  return true;
}

interface Explained {
  readonly triggers: readonly { readonly watched: readonly { readonly nextCheck: string; readonly checkedAt?: string }[] }[];
}

/** By a process that does nothing else: this one serves git besides. */
async function send(order: BurstOrder): Promise<Sent> {
  const sender = fork(join(projectRoot, 'bench/triggers/burst-sender.ts'), { serialization: 'advanced' });
  sender.send(order);
  const [sent] = await Promise.race([once(sender, 'message'), once(sender, 'exit').then(() => [])]);
  if (sent === undefined) throw new Error('the sender of deliveries ended');
  sender.disconnect();
  return sent;
}

interface Compared {
  /** Pushes without a run, and deliveries without an event. */
  readonly lost: number;
  /** Runs and events beyond one each. */
  readonly doubled: number;
  /** Milliseconds from the first delivery of each push until its run was there. */
  readonly runAfterMs: readonly number[];
}

async function compare(
  daemon: Served,
  { pushes, sent }: { readonly pushes: readonly HookedPush[]; readonly sent: Sent },
): Promise<Compared> {
  const runs = (await all<ListedRun>(daemon, '/api/v1/runs?')).filter(({ task }) => task !== null);
  const events = await all<ListedEvent>(daemon, '/api/v1/trigger-events?origin=webhook');
  const unsettled = events.filter(({ status }) => status !== 'settled').length;
  const byPush = Map.groupBy(runs, ({ task, causes: [cause] }) => aboutPush(task ?? '', cause?.branch ?? '', cause?.commit ?? ''));
  const runAfterMs: number[] = [];
  const firstMs = new Map(sent.firstMs);
  let lost = unsettled;
  for (const { push } of pushes) {
    const about = aboutPush(push.repository.name, push.branch, push.after);
    const [run] = byPush.get(about) ?? [];
    if (run === undefined) lost += 1;
    else runAfterMs.push(Date.parse(run.createTime) - (firstMs.get(about) ?? Number.NaN));
  }
  const missingEvents = Math.max(0, sent.distinct - events.length);
  const doubledEvents = Math.max(0, events.length - sent.distinct);
  return { lost: lost + missingEvents, doubled: Math.max(0, runs.length - pushes.length) + doubledEvents, runAfterMs };
}

function rowsOf(
  { name }: Burst,
  { sent, printed, lost, doubled, runAfterMs }: Compared & { readonly sent: Sent; readonly printed: string },
) {
  const { times, refused } = sent;
  const p99 = quantile(times, 0.99);
  const latest = Math.max(...runAfterMs) / 1000;
  const work = `${name}, a tenth repeated`;
  return [
    {
      work: `${work}: p99 of the answers`,
      measured: `${p99.toFixed(0)} ms (p50 ${quantile(times, 0.5).toFixed(0)} ms, longest ${quantile(times, 1).toFixed(0)} ms)`,
      ...within(p99, { must: 200, aim: 50, unit: 'ms' }),
    },
    {
      work: `${work}: lost, doubled or refused`,
      measured: `${lost + doubled + refused} (${lost} lost, ${doubled} doubled, ${refused} refused; ${printed})`,
      ...within(lost + doubled + refused, { must: 0, aim: 0, unit: '' }),
    },
    {
      work: `${work}: delivery → its run is there, longest`,
      measured: `${latest.toFixed(1)} s (p50 ${(quantile(runAfterMs, 0.5) / 1000).toFixed(1)} s)`,
      ...within(latest, { must: 60, aim: 60, unit: 's' }),
    },
  ];
}

/** A run that prints a number each 100 ms until it is ended. */
async function startPrinting(daemon: Served): Promise<string> {
  const encodedTaskContent = Buffer.from(`steps:\n  - cmd: ${STEP}\n`).toString('base64');
  const { runId } = await daemon.api<{ runId: string }>('POST', '/api/v1/runs', { type: 'EncodedTaskRunRequest', encodedTaskContent });
  await until(async () => (await statusOf(daemon, runId)) === 'Running', {
    everyMs: 50,
    timeoutMs: 30_000,
    state: () => 'the run does not start',
  });
  return runId;
}

/** Throws when its output has a gap, or it has ended by itself. */
async function stopPrinting(daemon: Served, run: string): Promise<string> {
  const status = await statusOf(daemon, run);
  if (status !== 'Running') throw new Error(`the run that was to go on all the while is ${status}`);
  const log = await daemon.api<string>('GET', `/api/v1/runs/${run}/log`);
  const numbers = log.split('\n').filter((line) => /^\d+$/.test(line));
  const gap = numbers.findIndex((line, index) => Number(line) !== index);
  if (gap !== -1) throw new Error(`after ${gap} the run that went on all the while printed ${numbers[gap]}`);
  await daemon.api('POST', `/api/v1/runs/${run}/cancel`, {});
  return `a run beside them printed ${numbers.length} lines without a gap`;
}

async function statusOf(daemon: Served, run: string): Promise<string> {
  return (await daemon.api<{ status: string }>('GET', `/api/v1/runs/${run}`)).status;
}

async function cancelLive(daemon: Served): Promise<void> {
  for (const { runId } of await all<ListedRun>(daemon, '/api/v1/runs?status=Started,Running')) {
    await daemon.api('POST', `/api/v1/runs/${runId}/cancel`, {});
  }
}
