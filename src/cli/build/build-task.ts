import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { loadSettings } from '../../config/load-settings.ts';
import type { Diagnostic, SourceText } from '../../model/diagnostic.ts';
import { literalText, singleBuildText, tagInRegistry } from '../../task/build/single-build.ts';
import { err, ok, type Result } from '../../util/result.ts';
import type { Assignment } from '../flags/option-values.ts';
import type { TaskFlags } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';
import { contextProblems, placeBuild } from './build-place.ts';

/** The flags of `task build` that say what to build. */
export interface BuildFlags {
  readonly tag: readonly string[];
  readonly file?: string;
  readonly buildArg: readonly string[];
  readonly secretBuildArg: readonly string[];
  readonly target?: string;
  readonly platform?: string;
  /** False with `--no-cache`. */
  readonly cache: boolean;
  readonly pull: boolean;
  readonly label: readonly string[];
  readonly secret: readonly string[];
  readonly ssh: readonly string[];
  readonly addHost: readonly string[];
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  readonly isolation?: string;
  readonly network?: string;
  readonly iidfile?: string;
  readonly metadataFile?: string;
  readonly push: boolean;
  readonly run: readonly Assignment[];
  readonly set: readonly Assignment[];
  readonly registry?: string;
  readonly credential: readonly string[];
}

/** A task made of flags, ready to be loaded like one that was read. */
export interface MadeTask {
  readonly open: {
    readonly context: string;
    readonly made: { readonly source: SourceText; readonly context: string | undefined };
    readonly masked: readonly Assignment[];
    /** Secrets of the build by id. */
    readonly buildSecrets: ReadonlyMap<string, string>;
  };
  readonly taskFlags: TaskFlags;
  readonly warnings: readonly Diagnostic[];
}

/** The task of one build and its push, as `acb build` makes it: steps `build` and `push`, tags with the registry in front. */
export async function makeBuildTask(context: string, flags: BuildFlags, io: Io): Promise<Result<MadeTask, readonly Diagnostic[]>> {
  const settings = await loadSettings({ directory: io.directory, environment: io.environment, registry: flags.registry });
  if (!settings.ok) return settings;
  const problems = await contextProblems(context, io.directory);
  if (problems.length > 0) return err(problems);
  const secrets = await readBuildSecrets(flags.secret, io);
  if (!secrets.ok) return secrets;
  const registry = settings.value.registry ?? '';
  const tags = flags.tag.map((tag) => tagInRegistry(tag, registry));
  const place = placeBuild(context, flags.file, io.directory);
  const secretArgs = flags.secretBuildArg.map((arg) => withEnvironmentValue(arg, io));
  const words = buildWords(flags, { tags, secretArgs, secretIds: [...secrets.value.keys()], place, io });
  return ok({
    open: {
      context,
      made: { source: { name: '<task build>', text: singleBuildText(words, flags.push ? tags : []) }, context: place.root },
      masked: [...secretArgs.map(toAssignment), ...[...secrets.value].map(([name, value]) => ({ name, value }))],
      buildSecrets: secrets.value,
    },
    taskFlags: {
      run: flags.run,
      set: flags.set,
      setSecret: [],
      env: [],
      credential: flags.credential,
      secret: [],
      secretMap: [],
      allowExecSecrets: false,
      extended: false,
      ...(flags.registry === undefined ? {} : { registry: flags.registry }),
      ...(flags.platform === undefined ? {} : { platform: flags.platform }),
    },
    warnings: flags.push && tags.length === 0 ? [nothingToPush()] : [],
  });
}

function buildWords(
  flags: BuildFlags,
  made: {
    readonly tags: readonly string[];
    readonly secretArgs: readonly string[];
    readonly secretIds: readonly string[];
    readonly place: ReturnType<typeof placeBuild>;
    readonly io: Io;
  },
): string[] {
  const each = (name: string, values: readonly string[]): string[] => values.flatMap((value) => [name, value]);
  const one = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [name, value]);
  return [
    ...each('-t', made.tags),
    ...one('-f', made.place.dockerfile),
    ...each(
      '--build-arg',
      flags.buildArg.map((arg) => withEnvironmentValue(arg, made.io)),
    ),
    ...each('--build-arg', made.secretArgs.map(literalText)),
    ...one('--target', flags.target),
    ...(flags.cache ? [] : ['--no-cache']),
    ...(flags.pull ? ['--pull'] : []),
    ...each('--label', flags.label),
    ...each(
      '--secret',
      made.secretIds.map((id) => `id=${id}`),
    ),
    ...each('--ssh', flags.ssh),
    ...each('--add-host', flags.addHost),
    ...each('--cache-from', flags.cacheFrom),
    ...each('--cache-to', flags.cacheTo),
    ...one('--isolation', flags.isolation),
    ...one('--network', flags.network),
    ...one('--iidfile', flags.iidfile),
    ...one('--metadata-file', flags.metadataFile),
    made.place.context,
  ];
}

/** A name without a value has none to hide. */
function toAssignment(arg: string): Assignment {
  const equals = arg.indexOf('=');
  return equals === -1 ? { name: arg, value: '' } : { name: arg.slice(0, equals), value: arg.slice(equals + 1) };
}

/** `NAME` alone takes the value of this process's variable, as the docker client does; an unset one stays unset. */
function withEnvironmentValue(arg: string, io: Io): string {
  if (arg.includes('=')) return arg;
  const value = io.environment[arg];
  return value === undefined ? arg : `${arg}=${literalText(value)}`;
}

/** Values of `--secret id=…`: read here, because files and variables of this machine are not in the workspace. */
async function readBuildSecrets(specs: readonly string[], io: Io): Promise<Result<ReadonlyMap<string, string>, readonly Diagnostic[]>> {
  const secrets = new Map<string, string>();
  const problems: Diagnostic[] = [];
  for (const spec of specs) {
    const fields = new Map(
      spec.split(',').map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)] as const),
    );
    const id = fields.get('id') ?? '';
    const value = id === '' ? undefined : await readBuildSecret(fields, id, io);
    if (value === undefined) {
      problems.push({
        code: 'flag-value',
        severity: 'error',
        message: `--secret ${id === '' ? 'has no id' : `${id}: its file or variable cannot be read`}`,
        expected: 'id=NAME,src=PATH or id=NAME,env=VARIABLE',
      });
    } else secrets.set(id, value);
  }
  return problems.length > 0 ? err(problems) : ok(secrets);
}

async function readBuildSecret(fields: ReadonlyMap<string, string>, id: string, io: Io): Promise<string | undefined> {
  const path = fields.get('src') ?? fields.get('source');
  if (path !== undefined) return readFile(resolve(io.directory, path), 'utf8').catch(() => undefined);
  return io.environment[fields.get('env') ?? id];
}

function nothingToPush(): Diagnostic {
  return {
    code: 'nothing-to-push',
    severity: 'warning',
    message: '--push without --tag: there is nothing to push',
    help: 'name the image with `-t NAME`',
  };
}
