import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageDependencies } from '../../src/model/image.ts';
import { type GitServer, type GitWork, startGitServer } from '../support/git-server.ts';
import { type LocalRegistry, startLocalRegistry } from '../support/local-registry.ts';
import { imageTags, removeImages } from '../support/remove-images.ts';
import { type FinishedProgram, runTask } from '../support/task-program.ts';
import { type Case, difference, loadCases } from './cases.ts';

/** The peer's real runs again, by the program itself on the real engine, with a registry and a git server of the test's own. */
const RECORDED_REGISTRY = '127.0.0.1:5000';
const RECORDED_REPOSITORY = 'http://172.17.0.1:8099/repo.git';
const RECORDED_SERVER = 'http://172.17.0.1:8099';

let registry: LocalRegistry;
let gitServer: GitServer;
/** Tip of the branch `feature`. */
let feature = '';

beforeAll(async () => {
  registry = await startLocalRegistry();
  gitServer = await startGitServer();
  await gitServer.repository('repo', fillRepository);
});

afterAll(async () => {
  // What the cases built carries the name of the test's own registry.
  await removeImages([...(await imageTags())].filter((tag) => tag.startsWith(`${registry.host}/`)));
  await registry.stop();
  await gitServer[Symbol.asyncDispose]();
});

/** The repository that the cases' `input.server` describes. */
async function fillRepository(work: GitWork): Promise<void> {
  const write = async (branch: string): Promise<string> => {
    for (const folder of ['root', 'sub']) {
      const place = folder === 'root' ? work.directory : join(work.directory, 'sub');
      await mkdir(place, { recursive: true });
      await writeFile(join(place, 'Dockerfile'), 'FROM busybox:local\nCOPY v.txt /v.txt\nCMD ["cat","/v.txt"]\n');
      await writeFile(join(place, 'v.txt'), `${folder}-${branch}\n`);
    }
    return work.commit(branch);
  };
  await write('main');
  await work.git('checkout', '-q', '-b', 'feature');
  feature = await write('feature');
  await work.git('tag', 'v1');
  await work.git('checkout', '-q', 'main');
}

/** Tags of the files become names in the registry of the test, so that no other image of the engine is touched. */
function onOwnServers(text: string): string {
  return text
    .replaceAll(RECORDED_REGISTRY, registry.host)
    .replaceAll(RECORDED_REPOSITORY, `${gitServer.url}/smart/repo.git`)
    .replaceAll(RECORDED_SERVER, gitServer.url)
    .replaceAll('-t x:1 ', `-t ${registry.host}/x:1 `);
}

interface Facts {
  readonly exit: number | null;
  readonly output: readonly string[];
  readonly executed: readonly string[];
  readonly succeeded: readonly string[];
  readonly dependencies: readonly ImageDependencies[];
  readonly program: FinishedProgram;
}

async function run(one: Case): Promise<Facts> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-exec-'));
  try {
    const workspace = (one.input['workspace'] ?? {}) as Readonly<Record<string, string>>;
    for (const [name, text] of Object.entries({ ...workspace, ...one.input.files })) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), onOwnServers(text));
    }
    // The peer's `--homevol` is the folder whose content the steps share: our context.
    const args = one.args.slice(1).filter((arg, at, all) => arg !== '--homevol' && all[at - 1] !== '--homevol');
    return factsOf(await runTask(['run', '.', ...args], { cwd: folder, env: environment(folder) }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function environment(folder: string): NodeJS.ProcessEnv {
  return { HOME: folder, XDG_STATE_HOME: join(folder, 'state') };
}

function factsOf(program: FinishedProgram): Facts {
  const { events } = program;
  const pushes = new Set(
    events.flatMap((event) => (event.type === 'run-started' ? event.steps.filter(({ kind }) => kind === 'push').map(({ id }) => id) : [])),
  );
  return {
    exit: program.exitCode,
    output: events.flatMap((event) => (event.type === 'step-output' && event.stream === 'stdout' ? [event.text] : [])),
    executed: [...new Set(events.flatMap((event) => (event.type === 'step-started' ? [event.step] : [])))],
    // The peer tells of containers that ended well: a push has none, and an ignored failure is none.
    succeeded: events.flatMap((event) =>
      event.type === 'step-finished' && event.status === 'succeeded' && event.ignored !== true && !pushes.has(event.step)
        ? [event.step]
        : [],
    ),
    dependencies: events.flatMap((event) => (event.type === 'run-finished' ? event.dependencies : [])),
    program,
  };
}

/** What is ours where differences.json has the case. */
const OURS: Readonly<Record<string, (facts: Facts) => void>> = {
  'exec-real-host-shell-chain': (facts) => {
    expect(facts).toMatchObject({ exit: 2, output: [], executed: [] });
    expect(facts.program.stderr).toContain('[shell-operator]');
  },
  'exec-real-build-platform-flag': (facts) => expect(facts).toMatchObject({ exit: 0, succeeded: ['bb'] }),
  'exec-real-build-git-tag': (facts) =>
    expect(facts).toMatchObject({ exit: 0, output: ['root-feature'], executed: ['gg', 'acb_step_1'], succeeded: ['gg', 'acb_step_1'] }),
  'exec-real-buildkit-env': (facts) => {
    expect(facts).toMatchObject({ exit: 0, executed: ['kk'], succeeded: ['kk'] });
    const baseImage = { reference: 'busybox:local', source: 'engine', imageId: expect.stringMatching(/^sha256:/) };
    expect(facts.program.events.at(-1)).toMatchObject({ type: 'run-finished', baseImages: [baseImage] });
  },
};

/** Steps that run at the same time end in any order. */
const AT_ONCE = new Set(['exec-real-when-diamond', 'exec-real-fail-parallel-kills']);

function check(one: Case, facts: Facts): void {
  if (difference(one.id) !== undefined) {
    const ours = OURS[one.id];
    if (ours === undefined) throw new Error(`${one.id} has a difference that nothing asserts`);
    ours(facts);
    return;
  }
  const inOrder = (words: unknown): unknown => (AT_ONCE.has(one.id) ? (words as readonly string[]).toSorted() : words);
  const { exit, output, executed, succeeded, dependencies } = facts;
  expect(
    { ok: exit === 0, output: inOrder(output), executed: inOrder(executed), succeeded: inOrder(succeeded), dependencies },
    `standard error:\n${facts.program.stderr}\n${JSON.stringify(facts.program.events.at(-1))}`,
  ).toEqual({
    // The peer knows one code for every failure; ours are several.
    ok: one.expect['exit'] === 0,
    output: inOrder(one.expect.output),
    executed: inOrder(one.expect['executed']),
    succeeded: inOrder(one.expect['succeeded']),
    dependencies: expectedDependencies(one),
  });
}

function expectedDependencies(one: Case): unknown {
  const recorded = (one.expect['dependencies'] ?? []) as readonly ImageDependencies[];
  return (JSON.parse(onOwnServers(JSON.stringify(recorded))) as readonly ImageDependencies[]).map(({ image, git, ...others }) => ({
    ...others,
    image: { ...image, digest: image?.digest === '' ? '' : expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
    git: { 'git-head-revision': git['git-head-revision'] === '' ? '' : feature },
  }));
}

describe('recorded runs on a real engine', () => {
  const real = loadCases('exec').filter(({ id }) => id.startsWith('exec-real-'));
  it.each(real.map((one): [string, Case] => [one.id, one]))('%s', async (_id, one) => {
    check(one, await run(one));
  });
});
