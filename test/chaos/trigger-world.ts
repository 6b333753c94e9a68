import { createHmac, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { DependencyGraph } from '../../src/api/dependency-schema.ts';
import type { TriggerEventDetail, TriggerEventResource } from '../../src/api/event-schema.ts';
import type { HookSecretResource } from '../../src/api/hook-schema.ts';
import type { RunSummaryResource } from '../../src/api/run-schema.ts';
import type { DaemonOptions, TestDaemon } from '../support/daemon.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { type GitServer, git, startGitServer } from '../support/git-server.ts';
import { registryWriter, startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { waitFor } from '../support/wait-for.ts';
import { startChaosDaemon } from './chaos-daemon.ts';
import type { Random } from './random.ts';
import type { Verdict } from './workload.ts';

const EMPTY = Buffer.from('version: v1.1.0\nsteps: []\n').toString('base64');
const ZERO = '0'.repeat(40);
const SETTLE_MS = 120_000;
const RETRY_MS = 60_000;

interface Told {
  readonly branch: string;
  readonly commit: string;
  readonly delivery: string;
  /** Of the answer that said that it was taken. */
  events: readonly string[];
}

/**
 * A daemon with tasks that are started by a webhook, by looks at a repository, by a base image, by the clock and by each other, and the world
 * around it: senders that send again what was not taken, and one in ten of what was.
 */
export class TriggerWorld implements AsyncDisposable {
  readonly daemon: TestDaemon;
  readonly git: GitServer;
  /** In front of the registry: what the daemon speaks to. */
  readonly proxy: FaultProxy;
  registryDown = false;
  readonly #registry: TestRegistry;
  readonly #random: Random;
  readonly #sinceMs = Date.now();
  #hook = { id: '', secret: '' };
  readonly #told: Told[] = [];
  readonly #found: { readonly branch: string; readonly commit: string }[] = [];
  readonly #digests: string[] = [];
  #repeats = 0;
  #retries = 0;
  #made = 0;

  private constructor(parts: { daemon: TestDaemon; git: GitServer; registry: TestRegistry; proxy: FaultProxy; random: Random }) {
    this.daemon = parts.daemon;
    this.git = parts.git;
    this.proxy = parts.proxy;
    this.#registry = parts.registry;
    this.#random = parts.random;
  }

  static async start(random: Random, options: DaemonOptions = {}): Promise<TriggerWorld> {
    const [git, registry] = await Promise.all([startGitServer(), startRegistry()]);
    const state: { world?: TriggerWorld } = {};
    const proxy = await startFaultProxy(registry.host, () => (state.world?.registryDown === true ? { status: 503 } : undefined));
    const env = { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true', ...options.env };
    const daemon = await startChaosDaemon({ args: ['--max-runs', '4'], ...options, env });
    const world = new TriggerWorld({ daemon, git, registry, proxy, random });
    state.world = world;
    await world.#define();
    return world;
  }

  /** Pushes another branch and tells of it, until it is taken. */
  async pushAndTell(): Promise<void> {
    const { branch, commit } = await this.#push('web');
    const told: Told = { branch, commit, delivery: randomUUID(), events: [] };
    this.#told.push(told);
    const twice = this.#random.next() < 0.1;
    const again = this.#random.next() < 0.1;
    if (twice || again) this.#repeats += 1;
    const [events = []] = await Promise.all([this.#deliver(told), ...(twice ? [this.#deliver(told)] : [])]);
    told.events = events;
    if (again) await this.#deliver(told);
  }

  /** Pushes another branch of the repository that is only looked at. */
  async pushAlone(): Promise<void> {
    this.#found.push(await this.#push('lib'));
  }

  /** Another base image under the same tag. */
  async pushBase(): Promise<void> {
    const { digest } = await registryWriter(this.#registry.host).image('team/base', '1', [`base ${this.#digests.length}`]);
    this.#digests.push(digest);
  }

  /** Looks at all that is not told of. Rejects when the daemon is not there. */
  async look(): Promise<void> {
    for (const task of ['lib', 'image']) {
      const { status } = await this.daemon.api('POST', `/api/v1/tasks/${task}/check`);
      if (status !== 200) throw new Error(`a look was answered ${status}`);
    }
  }

  /** One delivery ten times at the same instant. */
  async tellAtOnce(): Promise<void> {
    const { branch, commit } = await this.#push('web');
    const told: Told = { branch, commit, delivery: randomUUID(), events: [] };
    this.#told.push(told);
    const answers = await Promise.all(Array.from({ length: 10 }, () => this.#deliver(told)));
    told.events = [...new Set(answers.flat())];
  }

  get counts(): { readonly told: number; readonly repeats: number; readonly retries: number; readonly runs: number } {
    return { told: this.#told.length, repeats: this.#repeats, retries: this.#retries, runs: this.#made };
  }

  /**
   * Waits until nothing is left to do, and compares what came of everything with what had to. Runs for which something was away that they need
   * may have ended as `Error`, when that is allowed.
   */
  async judge(mayFail: boolean): Promise<Verdict> {
    const [lost, doubled]: [string[], string[]] = [[], []];
    const looked = async (): Promise<true | undefined> =>
      this.look().then(
        () => true as const,
        () => undefined,
      );
    await waitFor(looked, SETTLE_MS);
    // What ends between two questions is told of after the first of them.
    const idle = async (): Promise<true | undefined> => (await this.#isIdle()) && pause(100).then(() => this.#isIdle());
    await waitFor(idle, SETTLE_MS);
    const runs = await this.#runs();
    this.#made = runs.length;
    const exactlyOne = (what: string, found: number): void => {
      if (found === 0) lost.push(`${what} has no run`);
      if (found > 1) doubled.push(`${what} has ${found} runs`);
    };
    for (const [task, pushes] of [['web', this.#told] as const, ['lib', this.#found] as const]) {
      const byCommit = Map.groupBy(
        runs.filter((run) => run.task === task),
        ({ commit = '' }) => commit,
      );
      for (const { branch, commit } of pushes) exactlyOne(`${task} ${branch}`, byCommit.get(commit)?.length ?? 0);
      const others = [...byCommit.keys()].filter((commit) => !pushes.some((push) => push.commit === commit));
      if (others.length > 0) doubled.push(`${task} has runs of ${others.join(', ')}, which nobody pushed`);
    }
    for (const { runId, task, status } of runs.filter((run) => run.task !== 'image')) {
      if (status !== 'Succeeded' && !(mayFail && status === 'Error')) lost.push(`${runId} of ${task} ended as ${status}`);
      const next = runs.filter(({ causes: [cause] }) => cause?.kind === 'after' && cause.run === runId).length;
      if (task === 'web' && status === 'Succeeded') exactlyOne(`what runs after ${runId}`, next);
    }
    await this.#judgeEvents(lost, doubled);
    this.#judgeImages(runs, exactlyOne, doubled);
    this.#judgeTimer(runs, exactlyOne);
    if (this.daemon.stderr.includes('a defect')) lost.push('the daemon speaks of a defect');
    return { lost, doubled };
  }

  async #judgeEvents(lost: string[], doubled: string[]): Promise<void> {
    for (const { branch, events } of this.#told) {
      for (const id of events.length === 0 ? ['none'] : events) {
        const { status, body } = await this.daemon.api<TriggerEventDetail>('GET', `/api/v1/trigger-events/${id}`);
        if (status !== 200 || body.status !== 'settled' || body.decisions.length === 0)
          lost.push(`event ${id} of ${branch} was answered as taken, and is ${status === 200 ? body.status : 'gone'}`);
      }
    }
    const all = await this.#pages<TriggerEventResource>('trigger-events?origin=webhook');
    if (all.length > this.#told.length) doubled.push(`${all.length} events for ${this.#told.length} deliveries`);
  }

  #judgeImages(runs: readonly RunSummaryResource[], exactlyOne: (what: string, found: number) => void, doubled: string[]): void {
    const updates = runs.flatMap(({ causes: [cause] }) => (cause?.kind === 'image-update' ? cause.images.map(({ digest }) => digest) : []));
    for (const digest of this.#digests.slice(1)) {
      const found = updates.filter((one) => one === digest).length;
      // Of several between two looks the last one counts.
      if (digest === this.#digests.at(-1)) exactlyOne(`base image ${digest}`, found);
      else if (found > 1) doubled.push(`base image ${digest} has ${found} runs`);
    }
  }

  #judgeTimer(runs: readonly RunSummaryResource[], exactlyOne: (what: string, found: number) => void): void {
    const fired = runs.flatMap(({ causes: [cause] }) => (cause?.kind === 'timer' ? [Date.parse(cause.occurrence)] : []));
    const lastMs = Date.now() - 15_000;
    const minutes = new Set(fired);
    for (let ms = Math.ceil((this.#sinceMs + 20_000) / 60_000) * 60_000; ms < lastMs; ms += 60_000) minutes.add(ms);
    for (const ms of minutes) exactlyOne(`the timer at ${new Date(ms).toISOString()}`, fired.filter((one) => one === ms).length);
  }

  async #isIdle(): Promise<true | undefined> {
    try {
      const pending = await this.daemon.api<{ items: unknown[] }>('GET', '/api/v1/trigger-events?status=pending');
      const live = await this.daemon.api<{ items: unknown[] }>('GET', '/api/v1/runs?status=Queued,Started,Running');
      if (pending.status === 200 && live.status === 200 && pending.body.items.length + live.body.items.length === 0) return true;
    } catch {
      // It is not there now.
    }
    await pause(50);
    return undefined;
  }

  #runs(): Promise<readonly RunSummaryResource[]> {
    return this.#pages<RunSummaryResource>('runs');
  }

  async #pages<Item>(path: string): Promise<readonly Item[]> {
    const items: Item[] = [];
    for (let after = ''; ; ) {
      const place = `/api/v1/${path}${path.includes('?') ? '&' : '?'}top=1000${after === '' ? '' : `&after=${after}`}`;
      const { body } = await this.daemon.api<{ items: Item[]; next?: string }>('GET', place);
      items.push(...body.items);
      if (body.next === undefined) return items;
      after = body.next;
    }
  }

  async #push(repository: string): Promise<{ readonly branch: string; readonly commit: string }> {
    const bare = join(this.git.root, `${repository}.git`);
    const branch = `b-${randomUUID().slice(0, 8)}`;
    const commit = (await git(bare, 'commit-tree', 'main^{tree}', '-p', 'main', '-m', branch)).trim();
    await git(bare, 'update-ref', `refs/heads/${branch}`, commit);
    return { branch, commit };
  }

  /** As a sender that sends again until it is told that the delivery was taken. */
  async #deliver(told: Told): Promise<readonly string[]> {
    return waitFor(async () => {
      const answer = await this.#post(told).catch(() => undefined);
      if (answer?.status === 200 || answer?.status === 202) return answer.events;
      this.#retries += 1;
      await pause(30);
      return undefined;
    }, RETRY_MS);
  }

  async #post({ branch, commit, delivery }: Told): Promise<{ readonly status: number; readonly events: readonly string[] }> {
    const repository = { id: 7, full_name: 'me/web', clone_url: this.#url('web'), default_branch: 'main' };
    const payload = { ref: `refs/heads/${branch}`, before: ZERO, after: commit, repository };
    const signature = createHmac('sha256', this.#hook.secret).update(JSON.stringify(payload)).digest('hex');
    const headers = { 'x-gitea-event': 'push', 'x-gitea-delivery': delivery, 'x-gitea-signature': signature };
    const { status, body } = await this.daemon.api<{ events?: string[] }>('POST', `/hooks/${this.#hook.id}`, payload, { headers });
    return { status, events: body.events ?? [] };
  }

  #url(repository: string): string {
    return `${this.git.url}/smart/${repository}.git`;
  }

  async #define(): Promise<void> {
    await this.pushBase();
    for (const name of ['web', 'lib', 'image']) {
      await this.git.repository(name, async (work) => {
        await writeFile(join(work.directory, 'Dockerfile'), `FROM ${this.proxy.host}/team/base:1\n`);
        await work.commit('one');
      });
    }
    const source = { name: 'git', branches: ['**'], commitStatus: false };
    const build = Buffer.from('version: v1.1.0\nsteps:\n  - build: -t slipway-chaos:1 .\n').toString('base64');
    const definitions = [
      {
        ...{ name: 'web', step: { contextPath: `${this.#url('web')}#main`, encodedTaskContent: EMPTY } },
        trigger: { sourceTriggers: [{ ...source, pollInterval: 0, sourceRepository: { sourceControlType: 'Gitea' } }] },
      },
      {
        ...{ name: 'lib', step: { contextPath: `${this.#url('lib')}#main`, encodedTaskContent: EMPTY } },
        trigger: { sourceTriggers: [source] },
      },
      {
        ...{ name: 'image', step: { contextPath: `${this.#url('image')}#main`, encodedTaskContent: build } },
        trigger: { baseImageTrigger: { baseImageTriggerType: 'All', window: 0 } },
      },
      { name: 'next', step: { encodedTaskContent: EMPTY }, trigger: { afterTriggers: [{ name: 'after', task: 'web', on: 'succeeded' }] } },
      {
        ...{ name: 'clock', step: { encodedTaskContent: EMPTY } },
        trigger: { timerTriggers: [{ name: 'minute', schedule: '* * * * *', onMissed: 'all', mostMissed: 100 }] },
      },
    ];
    for (const definition of definitions) {
      const { status, body } = await this.daemon.api('POST', '/api/v1/tasks', definition);
      if (status !== 201) throw new Error(`task ${definition.name} was refused: ${JSON.stringify(body)}`);
    }
    await this.daemon.api('POST', '/api/v1/tasks/web/check');
    await this.daemon.api('POST', '/api/v1/tasks/lib/check');
    const { body } = await this.daemon.api<HookSecretResource>('POST', '/api/v1/tasks/web/hooks');
    this.#hook = body;
    await waitFor(async () => {
      const graph = (await this.daemon.api<DependencyGraph>('GET', '/api/v1/deps?task=image')).body;
      return graph.followed.some(({ status }) => status === 'ok') ? true : undefined;
    }, 30_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]();
    await this.proxy.stop();
    await Promise.all([this.git[Symbol.asyncDispose](), this.#registry[Symbol.asyncDispose]()]);
  }
}
