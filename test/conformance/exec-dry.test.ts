import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BuildFlags, makeBuildTask } from '../../src/cli/build/build-task.ts';
import { processIo } from '../../src/cli/io.ts';
import { contextText } from '../../src/model/context-text.ts';
import type { BuildSpec, ContainerSpec, Plan, PlanBuildStep, PlanCmdStep, PlanStep } from '../../src/model/plan.ts';
import { DOCKER_RUN_FLAGS } from '../../src/task/command/docker-run-flags.ts';
import { parseFlags } from '../../src/task/command/flags.ts';
import { compilePlan } from '../../src/task/compile-plan.ts';
import { loadTask } from '../../src/task/load-task.ts';
import { runProcess } from '../../src/util/process.ts';
import { type Case, describePublished, difference, loadCases } from './cases.ts';
import { inputsOf } from './task-case.ts';

/**
 * The peer's command lines, compared with what our plan says of the same containers, builds and pushes. The words of a
 * recorded line are made by the machine's own `sh`, so that our word splitting has a judge.
 */
interface Recorded {
  readonly containers: readonly ContainerFacts[];
  readonly builds: readonly BuildFacts[];
  readonly pushed: readonly string[];
  readonly pulled: readonly string[];
  readonly networks: readonly string[];
}

interface ContainerFacts {
  readonly name: string;
  /** Flags of `docker run` by name, without those that every container has. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  readonly command: readonly string[];
}

interface BuildFacts {
  readonly name: string;
  readonly dockerfile: string;
  readonly tags: readonly string[];
  readonly buildArgs: readonly string[];
  readonly target: string;
  readonly context: string;
  readonly workdir: string;
  readonly cache: string;
}

const EVERYWHERE = /^(?:[^:]*:\/workspace|\/var\/run\/docker\.sock:.*|home:\/acb\/home)$/;

async function shellWords(line: string): Promise<readonly string[]> {
  const script = `set -f\nprintf '%s\\0' ${line}`;
  const outcome = await runProcess({ file: '/bin/sh', args: ['-c', script], env: {} });
  if (outcome.kind !== 'exited' || outcome.exitCode !== 0) throw new Error(`sh cannot split: ${line}`);
  return outcome.stdout.toString('utf8').split('\0').slice(0, -1);
}

function containerFacts(words: readonly string[]): ContainerFacts {
  const parsed = parseFlags(
    words.map((text) => ({ text, start: 0, end: 0 })),
    DOCKER_RUN_FLAGS,
    { interspersed: false, command: 'docker run' },
  );
  const flags = DOCKER_RUN_FLAGS.flatMap(({ name }) => {
    const values = parsed.all(name).filter((value) => !EVERYWHERE.test(value) && value !== 'DOCKER_BUILDKIT=0');
    // The peer keeps mounts in a map, so their order is not recorded.
    return name === 'name' || values.length === 0 ? [] : [[name, name === 'volume' ? values.toSorted() : values] as const];
  });
  return { name: parsed.last('name') ?? '', flags: Object.fromEntries(flags), command: parsed.positionals.map(({ text }) => text) };
}

async function readRecorded(lines: readonly string[]): Promise<Recorded> {
  const containers: ContainerFacts[] = [];
  const builds: BuildFacts[] = [];
  for (const line of lines) {
    const run = /^\[\/bin\/sh -c docker run ([\s\S]*)\]$/.exec(line)?.[1];
    if (run !== undefined && !run.includes('--name acrbuildkitdcontainer') && !run.includes('bash cp ')) {
      containers.push(containerFacts(await shellWords(run)));
    }
    const scan = /^\[docker run --rm --name acb_dep_scanner_<uuid> .*? --workdir (\S+) .*? acb scan (.*)\]$/.exec(line);
    if (scan !== null) builds.push(buildFacts(scan[1] ?? '', (scan[2] ?? '').split(' ')));
  }
  const named = (pattern: RegExp): string[] => lines.flatMap((line) => pattern.exec(line)?.slice(1) ?? []);
  const caches = new Map(
    containers.map(({ name, command }) => [name, /--cache-to=type=registry,ref=([^ ,]+)/.exec(command.join(' '))?.[1] ?? '']),
  );
  return {
    containers: containers.filter(({ command }) => !isBuild(command)),
    builds: builds.map((build) => ({ ...build, cache: caches.get(build.name) ?? '' })),
    pushed: named(/^\[docker run .* docker push (\S+)\]$/),
    pulled: named(/^\[docker run .* docker pull (\S+)\]$/),
    networks: named(/^\[docker network create (.*)\]$/),
  };
}

function isBuild(command: readonly string[]): boolean {
  return (command[0] === 'docker' || command[0] === 'buildx') && command[1] === 'build' && !command.includes('binaries');
}

function buildFacts(workdir: string, words: readonly string[]): BuildFacts {
  const values = (flag: string): string[] => words.flatMap((word, at) => (words[at - 1] === flag ? [word] : []));
  return {
    name: values('--destination').at(-1) ?? '',
    dockerfile: values('-f').at(-1) ?? '',
    tags: values('-t'),
    buildArgs: values('--build-arg'),
    target: values('--target').at(-1) ?? '',
    context: words.at(-1) ?? '',
    workdir,
    cache: '',
  };
}

function oursOf(plan: Plan): Recorded {
  const cmds = plan.steps.filter((step): step is PlanCmdStep => step.kind === 'cmd');
  const builds = plan.steps.filter((step): step is PlanBuildStep => step.kind === 'build');
  return {
    containers: cmds.flatMap((step) => Array.from({ length: step.repeat + 1 }, () => containerOf(step))),
    builds: builds.map(({ id, build }) => buildOf(id, build)),
    pushed: plan.steps.flatMap((step: PlanStep) => (step.kind === 'push' ? step.images : [])),
    pulled: cmds.flatMap(({ pull, container }) => (pull === undefined ? [] : [container.image])),
    networks: plan.networks
      .filter(({ existing }) => !existing)
      .map(({ name, driver, ipv6 }) => `${name}${ipv6 ? ' --ipv6' : ''}${driver === '' ? '' : ` --driver ${driver}`}`),
  };
}

/** The container of a step as a command line of `docker run`, read back like a recorded one. */
function containerOf({ id, container, detach, keep }: PlanCmdStep): ContainerFacts {
  const words = [
    ...(keep ? [] : ['--rm']),
    ...(detach ? ['--detach'] : []),
    ...(container.privileged ? ['--privileged'] : []),
    ...pairs('--publish', container.ports),
    ...pairs('--expose', container.expose),
    ...pairs('--env', container.env),
    ...pairs('--cap-add', container.extra.capAdd ?? []),
    ...pairs(
      '--volume',
      container.volumeMounts.map(({ name, mountPath }) => `${name}:${mountPath}`),
    ),
    ...single('--user', container.user),
    ...single('--network', networkOf(container.network)),
    ...single('--isolation', container.isolation),
    ...single('--cpus', container.cpus),
    ...single('--entrypoint', container.entrypoint?.join(' ')),
    ...single('--workdir', container.workdir),
    ...(container.extra.interactive === true ? ['--interactive'] : []),
    ...(container.extra.tty === true ? ['--tty'] : []),
  ];
  return containerFacts(['--name', id, ...words, container.image, ...container.args]);
}

function networkOf(network: ContainerSpec['network']): string | undefined {
  if (network.kind === 'default') return undefined;
  return network.kind === 'task' ? network.name : network.mode;
}

function pairs(flag: string, values: readonly string[]): string[] {
  return values.flatMap((value) => [flag, value]);
}

function single(flag: string, value: string | undefined): string[] {
  return value === undefined ? [] : [flag, value];
}

function buildOf(name: string, build: BuildSpec): BuildFacts {
  const { dockerfile = '', tags, buildArgs, target = '', context, workdir, cacheRef: cache = '' } = build;
  return { name, dockerfile, tags, buildArgs, target, context: contextText(context), workdir, cache };
}

/** Steps that run at the same time were recorded in any order. */
function inOrder(recorded: Recorded): Recorded {
  const byName = (left: { readonly name: string }, right: { readonly name: string }): number => (left.name < right.name ? -1 : 1);
  return { ...recorded, containers: recorded.containers.toSorted(byName), builds: recorded.builds.toSorted(byName) };
}

/** The case with its file named by `-f`, whatever way the peer got it. */
function withFile(one: Case): Case {
  const encoded = one.args[one.args.indexOf('--encoded-file') + 1];
  const file = one.args.includes('--encoded-file') ? Buffer.from(encoded ?? '', 'base64').toString() : undefined;
  const files = file === undefined ? one.input.files : { 'acb.yaml': file };
  const args = one.args.map((arg) => (arg === '-r' ? '--registry' : arg));
  return { ...one, args: args.includes('-f') ? args : [...args, '-f', 'acb.yaml'], input: { ...one.input, ...(files && { files }) } };
}

async function planOf(one: Case): Promise<Plan | readonly string[]> {
  const task = await loadTask(inputsOf(withFile(one), '/nowhere'));
  if (!task.ok) return task.error.map(({ code }) => code);
  const plan = compilePlan(task.value.value, { extended: false });
  return plan.ok ? plan.value.value : plan.error.map(({ code }) => code);
}

function isPlan(plan: Plan | readonly string[]): plan is Plan {
  return !Array.isArray(plan);
}

/** What is ours where differences.json has the case. */
const OURS: Readonly<Record<string, (plan: Plan | readonly string[]) => void>> = {
  'exec-dry-double-quotes': (plan) =>
    expect(plan).toMatchObject({ steps: [{ container: { args: ['echo', 'hello   world', '$HOME', '$HOME'] } }] }),
  'exec-dry-shell-meta': (plan) => expect(plan).toEqual(['shell-operator']),
  'exec-dry-subshell': (plan) => expect(plan).toEqual(['shell-operator']),
  'exec-dry-env': (plan) =>
    expect(plan).toMatchObject({
      steps: [{ container: { image: 'busybox', args: ['env'], env: ['HOME=/acb/home', 'C=q r', 'A=2', 'B=x y'] } }],
    }),
  'exec-dry-entrypoint-args': (plan) =>
    expect(plan).toMatchObject({ steps: [{ container: { image: 'busybox', args: ['a', 'b'], entrypoint: ['sh -c'] } }] }),
  'exec-dry-build-quoted-arg': (plan) => expect(plan).toMatchObject({ steps: [{ build: { buildArgs: ['M=two words'] } }] }),
};

async function check(one: Case): Promise<void> {
  const plan = await planOf(one);
  if (difference(one.id) !== undefined) {
    const ours = OURS[one.id];
    if (ours === undefined) throw new Error(`${one.id} has a difference that nothing asserts`);
    ours(plan);
  } else if (one.expect.ok === true) {
    if (!isPlan(plan)) throw new Error(`no plan: ${plan.join(' ')}`);
    expect(inOrder(oursOf(plan))).toEqual(inOrder(await readRecorded(one.expect.output as readonly string[])));
  } else expect(isPlan(plan), `the peer says: ${one.expect.error}`).toBe(false);
}

/** The plan of `task build` with the flags of a recorded `acb build`. */
async function planOfBuild(one: Case): Promise<Plan | readonly string[]> {
  const all = (...names: readonly string[]): string[] =>
    one.args.flatMap((arg, at) => (names.includes(one.args[at - 1] ?? '') ? [arg] : []));
  const last = (name: string, key: string): Readonly<Record<string, string>> => {
    const value = all(name).at(-1);
    return value === undefined ? {} : { [key]: value };
  };
  const flags: BuildFlags = {
    tag: all('-t'),
    buildArg: all('--build-arg'),
    secretBuildArg: all('--secret-build-arg'),
    cache: !one.args.includes('--no-cache'),
    pull: one.args.includes('--pull'),
    label: all('--label'),
    secret: [],
    ssh: [],
    addHost: [],
    cacheFrom: [],
    cacheTo: [],
    push: one.args.includes('--push'),
    run: [],
    set: [],
    credential: [],
    ...last('-f', 'file'),
    ...last('--target', 'target'),
    ...last('--platform', 'platform'),
    registry: all('-r').at(-1) ?? '',
  };
  const context = one.args.at(-1) ?? '';
  const directory = await mkdtemp(join(tmpdir(), 'slipway-build-'));
  if (/^[\w.]+$/.test(context)) await mkdir(join(directory, context), { recursive: true });
  const made = await makeBuildTask(context, flags, { ...processIo(), directory, environment: {} });
  await rm(directory, { recursive: true });
  if (!made.ok) return made.error.map(({ code }) => code);
  const task = await loadTask({ ...inputsOf(withFile(one), tmpdir()), source: made.value.open.made.source });
  if (!task.ok) return task.error.map(({ code }) => code);
  const plan = compilePlan(task.value.value, { extended: false });
  return plan.ok ? plan.value.value : plan.error.map(({ code }) => code);
}

/** The peer names the default Dockerfile, creates no network for a single build, and lists secret arguments after the others. */
function ofSingleBuild({ builds, pushed }: Recorded): Pick<Recorded, 'builds' | 'pushed'> {
  return { builds: builds.map((build) => ({ ...build, dockerfile: build.dockerfile === 'Dockerfile' ? '' : build.dockerfile })), pushed };
}

/** The others are the command line's: command-line.test.ts. */
const singleBuilds = loadCases('exec').filter(({ id }) =>
  /^build-dry-(?:plain|tags|registry|push|file-arg-target|git|set-values|debug|template-err|push-nocred)$/.test(id),
);

describe('command lines of single builds', () => {
  it.each(singleBuilds.map((one): [string, Case] => [one.id, one]))('%s', async (_id, one) => {
    const plan = await planOfBuild(one);
    if (difference(one.id) !== undefined) expect(isPlan(plan) && plan.steps.map(({ id }) => id)).toEqual(['build', 'push']);
    else if (one.expect.ok !== true) expect(isPlan(plan), `the peer says: ${one.expect.error}`).toBe(false);
    else if (!isPlan(plan)) throw new Error(`no plan: ${plan.join(' ')}`);
    else expect(ofSingleBuild(oursOf(plan))).toEqual(ofSingleBuild(await readRecorded(one.expect.output as readonly string[])));
  });
});

/** Problems of the command line and of a missing file: command-line.test.ts. */
const OF_COMMAND_LINE = new Set(['exec-dry-bad-flag', 'exec-dry-no-file']);
const dry = loadCases('exec').filter(({ id }) => id.startsWith('exec-dry-') && !OF_COMMAND_LINE.has(id));

describe('command lines of steps', () => {
  it.each(dry.map((one): [string, Case] => [one.id, one]))('%s', (_id, one) => check(one));
});

describePublished('exec', 'command lines of steps of published task files', check);
