import { parseImageReference } from '../../model/image-reference.ts';
import type { BuildSpec } from '../../model/plan.ts';
import type { EngineDescription } from '../../model/ports/container-engine.ts';
import { FlagValueError, parseUlimit, readSize } from './flag-values.ts';

export type Builder = 'buildkit' | 'classic';

/** A wish of the step that this engine cannot fulfil; `reason` names the flag, what is expected and a way out. */
export interface Refusal {
  readonly reason: string;
}

interface FlagRule {
  readonly flag: string;
  readonly given: (spec: BuildSpec) => boolean;
  /** Why the builder cannot do it, or undefined when it can. */
  readonly buildkit: (engine: EngineDescription) => string | undefined;
  readonly classic: (engine: EngineDescription) => string | undefined;
  readonly write: (spec: BuildSpec, query: URLSearchParams) => void;
}

const yes = (): undefined => undefined;
const onlyClassic = (): string => 'BuildKit has no such limit';
const onlyBuildkit = (): string => 'only BuildKit can do it, and this engine has the classic builder';
const nothing = (): void => undefined;
/** dockerd 23.0, the first whose BuildKit hears of these two. */
const SHM_AND_ULIMIT_API = '1.42';

const sinceShmApi = (engine: EngineDescription): string | undefined =>
  compareVersions(engine.apiVersion, SHM_AND_ULIMIT_API) < 0
    ? `BuildKit takes it from API ${SHM_AND_ULIMIT_API} (Docker 23.0) on, and this engine has API ${engine.apiVersion}`
    : undefined;
const set = (name: string, read: (spec: BuildSpec) => string | number | undefined) => (spec: BuildSpec, query: URLSearchParams) => {
  const value = read(spec);
  if (value !== undefined && value !== '') query.set(name, String(value));
};

/** Every field of BuildSpec that goes into the query of `POST /build`, and which builder takes it. */
const FLAG_RULES: readonly FlagRule[] = [
  rule(
    '--target',
    (spec) => spec.target !== undefined,
    yes,
    yes,
    set('target', (spec) => spec.target),
  ),
  rule(
    '--no-cache',
    (spec) => spec.noCache,
    yes,
    yes,
    set('nocache', (spec) => (spec.noCache ? 1 : undefined)),
  ),
  rule(
    '--pull',
    (spec) => spec.pull === 'always',
    yes,
    yes,
    set('pull', (spec) => (spec.pull === 'always' ? 1 : undefined)),
  ),
  rule(
    '--platform',
    (spec) => spec.platforms.length > 0,
    yes,
    yes,
    set('platform', (spec) => spec.platforms[0]),
  ),
  rule(
    '--label',
    (spec) => spec.labels.length > 0,
    yes,
    yes,
    (spec, query) => {
      if (spec.labels.length > 0) query.set('labels', JSON.stringify(Object.fromEntries(spec.labels.map(splitPair))));
    },
  ),
  rule(
    '--add-host',
    (spec) => spec.addHosts.length > 0,
    yes,
    yes,
    (spec, query) => {
      for (const host of spec.addHosts) query.append('extrahosts', normalizeHost(host));
    },
  ),
  rule(
    '--network',
    (spec) => spec.network !== undefined && !['', 'default', 'none', 'host'].includes(spec.network),
    () => 'BuildKit knows the networks default, none and host only',
    yes,
    nothing,
  ),
  rule(
    '--network',
    (spec) => spec.network !== undefined,
    yes,
    yes,
    set('networkmode', (spec) => spec.network),
  ),
  rule(
    '--shm-size',
    (spec) => spec.shmSize !== undefined,
    sinceShmApi,
    yes,
    set('shmsize', (spec) => size(spec.shmSize, '--shm-size')),
  ),
  rule(
    '--ulimit',
    (spec) => spec.ulimits.length > 0,
    sinceShmApi,
    yes,
    (spec, query) => {
      if (spec.ulimits.length > 0) query.set('ulimits', JSON.stringify(spec.ulimits.map((text) => parseUlimit(text))));
    },
  ),
  rule(
    '--memory',
    (spec) => spec.memory !== undefined,
    onlyClassic,
    yes,
    set('memory', (spec) => size(spec.memory, '--memory')),
  ),
  rule(
    '--memory-swap',
    (spec) => spec.memorySwap !== undefined,
    onlyClassic,
    yes,
    set('memswap', (spec) => size(spec.memorySwap, '--memory-swap')),
  ),
  rule(
    '--cpu-shares',
    (spec) => spec.cpuShares !== undefined,
    onlyClassic,
    yes,
    set('cpushares', (spec) => spec.cpuShares),
  ),
  rule(
    '--cpu-period',
    (spec) => spec.cpuPeriod !== undefined,
    onlyClassic,
    yes,
    set('cpuperiod', (spec) => spec.cpuPeriod),
  ),
  rule(
    '--cpu-quota',
    (spec) => spec.cpuQuota !== undefined,
    onlyClassic,
    yes,
    set('cpuquota', (spec) => spec.cpuQuota),
  ),
  rule(
    '--cpuset-cpus',
    (spec) => spec.cpusetCpus !== undefined,
    onlyClassic,
    yes,
    set('cpusetcpus', (spec) => spec.cpusetCpus),
  ),
  rule(
    '--cpuset-mems',
    (spec) => spec.cpusetMems !== undefined,
    onlyClassic,
    yes,
    set('cpusetmems', (spec) => spec.cpusetMems),
  ),
  rule(
    '--cgroup-parent',
    (spec) => spec.cgroupParent !== undefined,
    onlyClassic,
    yes,
    set('cgroupparent', (spec) => spec.cgroupParent),
  ),
  rule(
    '--isolation',
    (spec) => (spec.isolation ?? '') !== '',
    yes,
    yes,
    set('isolation', (spec) => spec.isolation),
  ),
  rule(
    '--squash',
    (spec) => spec.squash,
    () => 'BuildKit does not squash layers',
    yes,
    set('squash', (spec) => (spec.squash ? 1 : undefined)),
  ),
  rule(
    '--security-opt',
    (spec) => spec.securityOpt.length > 0,
    () => 'BuildKit of this engine takes no security options',
    yes,
    (spec, query) => {
      for (const option of spec.securityOpt) query.append('securityopt', option);
    },
  ),
  rule(
    '--secret',
    (spec) => spec.secrets.length > 0,
    yes,
    (engine) => (engine.kind === 'podman' ? undefined : onlyBuildkit()),
    nothing,
  ),
  rule('--ssh', (spec) => spec.ssh.length > 0, yes, onlyBuildkit, nothing),
  rule('--output', (spec) => spec.outputs.length > 0, yes, onlyBuildkit, nothing),
  rule('--cache-to', (spec) => spec.cacheTo.length > 0, yes, onlyBuildkit, nothing),
  rule(
    '--build-context',
    (spec) => spec.buildContexts.length > 0,
    () => 'the build API of this engine has no named contexts; copy from an image or a stage instead',
    () => 'the build API of this engine has no named contexts; copy from an image or a stage instead',
    nothing,
  ),
];

function rule(
  flag: string,
  given: FlagRule['given'],
  buildkit: FlagRule['buildkit'],
  classic: FlagRule['classic'],
  write: FlagRule['write'],
): FlagRule {
  return { flag, given, buildkit, classic, write };
}

/**
 * Which builder takes this build: BuildKit where the engine has it, the classic one for a build that asks for what only
 * that can do (limits on memory and CPU, a named network, squashing). `DOCKER_BUILDKIT=1` in the step's environment
 * keeps BuildKit; what it has no equivalent of is returned in `ignored`, as docker ignores it.
 */
export function chooseBuilder(
  spec: BuildSpec,
  engine: EngineDescription,
): { readonly builder: Builder; readonly ignored: readonly string[] } | Refusal {
  const several = spec.platforms.length > 1;
  if (several) {
    return { reason: '--platform: this engine builds one platform at a time; write one build step for each' };
  }
  const wanted = FLAG_RULES.filter((entry) => entry.given(spec));
  const buildkitTrouble = wanted.filter((entry) => entry.buildkit(engine) !== undefined);
  const classicTrouble = wanted.filter((entry) => entry.classic(engine) !== undefined);
  if (engine.buildkit && buildkitTrouble.length === 0) return { builder: 'buildkit', ignored: [] };
  const insists = spec.env.includes('DOCKER_BUILDKIT=1');
  if (classicTrouble.length === 0 && !(engine.buildkit && insists)) return { builder: 'classic', ignored: [] };
  if (engine.buildkit && insists && buildkitTrouble.every((entry) => entry.buildkit === onlyClassic || entry.buildkit === sinceShmApi)) {
    return { builder: 'buildkit', ignored: buildkitTrouble.map((entry) => entry.flag) };
  }
  const first = engine.buildkit ? buildkitTrouble[0] : classicTrouble[0];
  const reason = engine.buildkit ? first?.buildkit(engine) : first?.classic(engine);
  return { reason: `${first?.flag ?? '--platform'}: ${reason ?? 'not supported'}` };
}

/** The query of `POST /build` that both builders share. Throws FlagValueError for a value that cannot be read. */
export function buildQuery(spec: BuildSpec, tags: readonly string[]): URLSearchParams {
  const query = new URLSearchParams();
  for (const tag of tags) {
    const reference = parseImageReference(tag);
    if (!reference.ok) throw new FlagValueError(`--tag "${tag}": ${reference.error}`);
    query.append('t', tag);
  }
  for (const entry of FLAG_RULES) entry.write(spec, query);
  query.set('rm', '1');
  query.set('forcerm', '1');
  return query;
}

/** Values of `--build-arg`; `NAME` alone takes the step's variable, null where there is none. */
export function buildArguments(spec: BuildSpec): Map<string, string | null> {
  const environment = new Map(spec.env.filter((entry) => entry.includes('=')).map(splitPair));
  return new Map(
    spec.buildArgs.map((argument): [string, string | null] =>
      argument.includes('=') ? splitPair(argument) : [argument, environment.get(argument) ?? null],
    ),
  );
}

function splitPair(text: string): [string, string] {
  const index = text.indexOf('=');
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

/** `host=ip`, `host:ip` and `host=[ip6]` as the API's `host:ip`. */
function normalizeHost(text: string): string {
  const separator = text.search(/[=:]/);
  if (separator < 0) return text;
  return `${text.slice(0, separator)}:${text.slice(separator + 1).replace(/^\[(.*)\]$/, '$1')}`;
}

function size(text: string | undefined, flag: string): number | undefined {
  return text === undefined ? undefined : readSize(text, flag);
}

function compareVersions(left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number);
  return leftMajor - rightMajor || leftMinor - rightMinor;
}
