import { execFileSync } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { git, startGitServer } from '../../test/support/git-server.ts';
import { quantile } from '../lib/measure.ts';
import { type Served, serve } from '../lib/served.ts';
import { byClient, COMMAND, type Starts, watchStarts } from '../lib/starts.ts';
import { type DaemonRow, within } from '../lib/table.ts';
import { deliver, type Hook, type PushedRepository, signedPush } from './github.ts';
import { type ListedRun, until } from './stored.ts';

const WARM_UP = 3;
const LEAST_ROUNDS = 20;
const REPOSITORY = 'app';

interface Round {
  /** Milliseconds to the start of the container: from the start of `git push`, from the update of the branch on the server, and of `docker run`. */
  readonly fromPush: number;
  readonly fromEvent: number;
  readonly client: number;
}

/**
 * `git push` over HTTP to git-http-backend; its post-receive hook tells the benchmark, which sends the signed delivery as a forge would. The
 * task file is in the repository. Then one `docker run` of the same image and command; in turn.
 */
export async function pushRows(folder: string, rounds: number): Promise<readonly DaemonRow[]> {
  const measured: Round[] = [];
  await mkdir(folder, { recursive: true });
  const engine = await watchStarts();
  await using server = await startGitServer();
  const daemon = await serve(join(folder, 'data'), { env: { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true' } });
  const bare = await server.repository(REPOSITORY, async (work) => {
    await writeFile(join(work.directory, 'task.yaml'), `steps:\n  - cmd: ${COMMAND}\n`);
    await work.commit('first');
  });
  const told = await tellOfPushes(bare, join(folder, 'pushed'));
  try {
    const repository: PushedRepository = { id: 1, name: REPOSITORY, url: `${server.url}/smart/${REPOSITORY}.git` };
    const hook = await follow(daemon, repository);
    await using work = await server.workTree(REPOSITORY);
    await work.git('remote', 'set-url', 'origin', repository.url);
    for (let round = 0; round < Math.max(rounds, LEAST_ROUNDS) + WARM_UP; round += 1) {
      await work.commit(`round ${round}`);
      const ours = await pushAndRun({
        daemon,
        engine,
        told,
        hook,
        repository,
        push: () => git(work.directory, 'push', '-q', 'origin', 'main'),
      });
      const client = await byClient(engine);
      if (round >= WARM_UP) measured.push({ ...ours, client });
    }
  } finally {
    told.close();
    await daemon.stop();
    engine.close();
  }
  return rowsOf(measured);
}

function rowsOf(measured: readonly Round[]): readonly DaemonRow[] {
  const [events, pushes, clients] = [
    measured.map(({ fromEvent }) => fromEvent),
    measured.map(({ fromPush }) => fromPush),
    measured.map(({ client }) => client),
  ];
  const p50 = quantile(events, 0.5);
  const others = `p99 ${quantile(events, 0.99).toFixed(0)} ms; from the start of \`git push\` ${quantile(pushes, 0.5).toFixed(0)} ms`;
  return [
    {
      work: 'push event → first container started, warm, local git, p50',
      measured: `${p50.toFixed(0)} ms (${others}; \`docker run\` ${quantile(clients, 0.5).toFixed(0)} ms)`,
      ...within(p50, { must: 1500, aim: 500, unit: 'ms' }),
    },
  ];
}

async function follow(daemon: Served, { name, url }: PushedRepository): Promise<Hook> {
  await daemon.api('POST', '/api/v1/tasks', {
    name,
    step: { contextPath: `${url}#main`, taskFilePath: 'task.yaml' },
    trigger: { sourceTriggers: [{ name: 'push', sourceRepository: { sourceControlType: 'Github' }, commitStatus: false }] },
  });
  await daemon.api('POST', `/api/v1/tasks/${name}/check`);
  return daemon.api<Hook>('POST', `/api/v1/tasks/${name}/hooks`, {});
}

interface Way {
  readonly daemon: Served;
  readonly engine: Starts;
  readonly told: Told;
  readonly hook: Hook;
  readonly repository: PushedRepository;
  readonly push: () => Promise<unknown>;
}

async function pushAndRun({ daemon, engine, told, hook, repository, push }: Way): Promise<Pick<Round, 'fromPush' | 'fromEvent'>> {
  const started = engine.next();
  const pushed = told.next();
  const pushedAt = Date.now();
  const pushing = push();
  const { before, after } = await pushed;
  const eventAt = Date.now();
  const { status } = await deliver(signedPush({ repository, branch: 'main', before, after }, hook, `push-${after}`), false);
  if (status !== 202) throw new Error(`the delivery was answered ${status}`);
  const startedAt = await started;
  await pushing;
  await until(() => hasEnded(daemon, after), { everyMs: 50, timeoutMs: 60_000, state: () => `the run of ${after} does not end` });
  return { fromPush: startedAt - pushedAt, fromEvent: startedAt - eventAt };
}

async function hasEnded(daemon: Served, commit: string): Promise<boolean> {
  const { items } = await daemon.api<{ items: readonly ListedRun[] }>('GET', `/api/v1/runs?commit=${commit}`);
  const failed = items.find(({ status }) => ['Failed', 'Error', 'Canceled', 'Timeout'].includes(status));
  if (failed !== undefined) throw new Error(`run ${failed.runId} ended as ${failed.status}`);
  return items.length === 1 && items[0]?.status === 'Succeeded';
}

interface Told {
  /** The next branch that the server updated. */
  next(): Promise<{ readonly before: string; readonly after: string }>;
  close(): void;
}

/** The repository takes pushes, and its post-receive hook writes what it is told into a pipe. */
async function tellOfPushes(bare: string, pipe: string): Promise<Told> {
  execFileSync('mkfifo', [pipe]);
  await git(bare, 'config', 'http.receivepack', 'true');
  const script = join(bare, 'hooks', 'post-receive');
  await mkdir(join(bare, 'hooks'), { recursive: true });
  await writeFile(script, `#!/bin/sh\nexec cat > '${pipe}'\n`);
  await chmod(script, 0o755);
  // Open for writing too, so that it does not end with the first writer.
  const socket = new Socket({ fd: openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK), readable: true, writable: false });
  let waiting: PromiseWithResolvers<{ before: string; after: string }> | undefined;
  createInterface({ input: socket }).on('line', (line) => {
    const [before = '', after = ''] = line.split(' ');
    waiting?.resolve({ before, after });
  });
  return {
    next: () => {
      waiting = Promise.withResolvers();
      return waiting.promise;
    },
    close: () => socket.destroy(),
  };
}
