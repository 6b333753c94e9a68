import type { Checked, SourceRange } from '../../model/diagnostic.ts';
import { splitImageReference } from '../../model/image-reference.ts';
import type { BuildContextRef, BuildSpec } from '../../model/plan.ts';
import { err, ok } from '../../util/result.ts';
import { definedOnly } from '../command/defined-only.ts';
import { type ParsedFlags, parseFlags } from '../command/flags.ts';
import { flagDiagnostic, shellDiagnostic } from '../command/parse-command.ts';
import { rangeWithin } from '../command/range-within.ts';
import { type ShellWord, splitShellWords } from '../command/shell-words.ts';
import { envValues } from '../command/unquote-env.ts';
import { lacksRegistry, warnRegistryMissing } from '../registry-missing.ts';
import { Problems } from '../schema/problems.ts';
import { cacheReference } from './cache-reference.ts';
import { classifyContext, parseRemoteUrl } from './context.ts';
import { DOCKER_BUILD_FLAGS } from './docker-build-flags.ts';

interface BuildOptions {
  readonly stepId: string;
  /** Empty or `quickrun` for a run by hand. */
  readonly taskName: string;
  /** The run's registry; empty when there is none. */
  readonly registry: string;
  readonly cache: 'enabled' | 'disabled' | '';
  /** The step's environment, merged and unquoted. */
  readonly env: readonly string[];
  /** Absolute path in the workspace where relative paths start. */
  readonly workdir: string;
  /** The value of `build` in the file. */
  readonly range: SourceRange;
}

interface Draft {
  readonly flags: ParsedFlags;
  readonly options: BuildOptions;
  readonly problems: Problems;
  place(word: ShellWord): SourceRange;
}

/**
 * Reads a `build`: words as `sh` splits them (a newline is a blank here), then docker-build flags and the context.
 * What an engine would refuse only later (a bad tag) and what has no effect are warnings.
 */
export function parseBuild(text: string, options: BuildOptions): Checked<BuildSpec> {
  const words = splitShellWords(text, { variables: envValues(options.env), newline: 'separates' });
  if (!words.ok) return err([shellDiagnostic(words.error, text, options.range)]);
  return readBuild(words.value, options, (word) => rangeWithin(options.range, text, word.start, word.end));
}

function readBuild(words: readonly ShellWord[], options: BuildOptions, place: Draft['place']): Checked<BuildSpec> {
  const flags = parseFlags(words, DOCKER_BUILD_FLAGS, { interspersed: true, command: 'docker build' });
  const problems = new Problems();
  problems.add(flags.problems.map((problem) => flagDiagnostic(problem, place(problem.word))));
  const draft: Draft = { flags, options, problems, place };
  const context = contextOf(draft);
  checkTags(draft);
  const cacheRef = cacheOf(draft);
  return problems.errors.length > 0 ? err(problems.errors) : ok({ value: specOf(draft, context, cacheRef), warnings: problems.warnings });
}

function contextOf(draft: Draft): BuildContextRef {
  const { flags, options, problems, place } = draft;
  const [first, second] = flags.positionals;
  if (second !== undefined) {
    problems.error('build-second-context', `A build has one context, and \`${second.text}\` would be a second one.`, {
      expected: 'flags and exactly one context',
      help: 'Put quotes around a value that has blanks.',
      range: place(second),
    });
  }
  if (first === undefined) {
    problems.warn('build-no-context', 'This build names no context; the working directory is taken.', {
      help: 'Write the context last: `build: -t IMAGE .`',
      range: options.range,
    });
    return classifyContext('.');
  }
  const context = classifyContext(first.text);
  checkContext(draft, first, context);
  return context;
}

function checkContext(draft: Draft, word: ShellWord, context: BuildContextRef): void {
  const { flags, problems } = draft;
  const range = draft.place(word);
  if (context.kind === 'stdin' && flags.last('file') === '-') {
    const message = 'The context and the Dockerfile cannot both come from standard input.';
    problems.error('build-two-from-stdin', message, { help: 'Name a file with `-f`.', range });
  }
  if (context.kind === 'oci' && !/[:@][^/]+$/.test(context.reference)) {
    problems.error('build-oci-untagged', 'An `oci://` context needs a tag or a digest.', { help: `Write \`${word.text}:TAG\`.`, range });
  }
  if (context.kind !== 'git' && context.kind !== 'archive') return;
  const remote = parseRemoteUrl(word.text);
  if (!remote.ok) problems.error('build-context-url', `This context is no URL: ${remote.error}.`, { help: 'Write a complete URL.', range });
  else if (context.kind === 'archive' && (remote.value.ref !== '' || /\/\/github\.com\//.test(context.url))) {
    const git = `${context.url.replace(/\/$/, '')}.git${remote.value.ref === '' ? '' : `#${remote.value.ref}`}`;
    const message = 'This context is fetched as an archive, not as a git repository.';
    problems.warn('build-context-not-git', message, { help: `For a repository write \`${git}\`.`, range });
  }
}

function checkTags({ flags, problems, options }: Draft): void {
  for (const tag of flags.all('tag')) {
    if (lacksRegistry(tag, options.registry)) {
      warnRegistryMissing(tag, options.range, problems);
      // More tags of this kind have the same cause, in the same place.
      return;
    }
    const written = splitImageReference(tag);
    const reason = written.ok ? (written.value.digest === '' ? undefined : 'a tag has no digest') : written.error;
    if (reason === undefined) continue;
    problems.warn('build-tag-invalid', `An engine will refuse the tag \`${tag}\`: ${reason}.`, {
      expected: '`[HOST[:PORT]/]NAME[:TAG]`',
      range: options.range,
    });
  }
}

/** A cache that cannot be named is only warned about: the build runs without it. */
function cacheOf({ flags, problems, options }: Draft): string | undefined {
  if (options.cache !== 'enabled') return undefined;
  const { registry, taskName, stepId } = options;
  const reference = cacheReference({ tags: flags.all('tag'), registry, taskName, stepId });
  if (reference.ok) return reference.value;
  if (flags.all('tag').some((tag) => lacksRegistry(tag, registry))) return undefined;
  problems.warn('build-cache-unnamed', `This build runs without its cache: ${reference.error}.`, {
    help: 'Tag the image with the registry that shall keep the cache.',
    range: options.range,
  });
  return undefined;
}

function specOf({ flags, options }: Draft, context: BuildContextRef, cacheRef: string | undefined): BuildSpec {
  return {
    context,
    tags: flags.all('tag'),
    buildArgs: flags.all('build-arg'),
    platforms: flags.all('platform').flatMap((list) => list.split(',')),
    noCache: flags.on('no-cache'),
    pull: pullPolicy(flags.last('pull')),
    labels: flags.all('label'),
    addHosts: flags.all('add-host'),
    cacheFrom: flags.all('cache-from'),
    cacheTo: flags.all('cache-to'),
    ulimits: flags.all('ulimit'),
    squash: flags.on('squash'),
    securityOpt: flags.all('security-opt'),
    secrets: flags.all('secret'),
    ssh: flags.all('ssh'),
    outputs: flags.all('output'),
    buildContexts: flags.all('build-context'),
    quiet: flags.on('quiet'),
    progress: progressOf(flags.last('progress')),
    env: options.env,
    workdir: options.workdir,
    ...singleValues(flags, cacheRef),
  };
}

type SingleValues = Pick<
  BuildSpec,
  | 'dockerfile'
  | 'target'
  | 'network'
  | 'shmSize'
  | 'memory'
  | 'memorySwap'
  | 'cpuShares'
  | 'cpuPeriod'
  | 'cpuQuota'
  | 'cpusetCpus'
  | 'cpusetMems'
  | 'cgroupParent'
  | 'isolation'
  | 'iidfile'
  | 'metadataFile'
  | 'cacheRef'
>;

function singleValues(flags: ParsedFlags, cacheRef: string | undefined): SingleValues {
  return definedOnly<SingleValues>({
    dockerfile: flags.last('file'),
    target: flags.last('target'),
    network: flags.last('network'),
    shmSize: flags.last('shm-size'),
    memory: flags.last('memory'),
    memorySwap: flags.last('memory-swap'),
    cpuShares: flags.number('cpu-shares'),
    cpuPeriod: flags.number('cpu-period'),
    cpuQuota: flags.number('cpu-quota'),
    cpusetCpus: flags.last('cpuset-cpus'),
    cpusetMems: flags.last('cpuset-mems'),
    cgroupParent: flags.last('cgroup-parent'),
    isolation: flags.last('isolation'),
    iidfile: flags.last('iidfile'),
    metadataFile: flags.last('metadata-file'),
    cacheRef,
  });
}

function pullPolicy(value: string | undefined): BuildSpec['pull'] {
  if (value === 'true' || value === 'always') return 'always';
  return value === 'never' ? 'never' : 'auto';
}

function progressOf(value: string | undefined): BuildSpec['progress'] {
  return value === 'plain' || value === 'tty' || value === 'rawjson' || value === 'quiet' ? value : 'auto';
}
