import { isAbsolute, resolve } from 'node:path';
import { loadSettings } from '../../config/load-settings.ts';
import type { Settings } from '../../config/settings.ts';
import type { Diagnostic, SourceText } from '../../model/diagnostic.ts';
import type { TaskInputs } from '../../task/load-task.ts';
import { err, ok, type Result } from '../../util/result.ts';
import { OWN_NETWORK } from '../composition/own-network.ts';
import { registryTrust } from '../composition/registry-trust.ts';
import type { Assignment } from '../flags/option-values.ts';
import type { RunFlags } from '../flags/run-flags.ts';
import type { TaskFlags } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';
import { newRunId } from '../run-id.ts';
import { createAliasSourceReader } from './alias-sources.ts';
import { readSource } from './find-task-file.ts';
import { resolveRunVariables } from './run-variables.ts';
import { readSecretValue } from './secret-values.ts';
import { openTaskSource, type TaskSource } from './task-source.ts';

/** A task text that was made of flags. */
export interface MadeSource {
  readonly source: SourceText;
  readonly context: string | undefined;
}

export interface OpenOptions {
  readonly signal?: AbortSignal;
  /** A task that was made instead of read; the context is then only where paths start. */
  readonly made?: MadeSource;
  /** No run is meant: `.Run.ID` and `.Run.SharedVolume` stay empty unless they are given. */
  readonly keepIdEmpty?: boolean;
  /** Called as soon as the settings are known, before the task is read. */
  readonly onSettings?: (settings: Settings) => void;
}

/** A task that has been read, and what was decided about its run. */
export interface OpenedTask {
  readonly inputs: TaskInputs;
  readonly source: TaskSource;
  readonly settings: Settings;
  readonly runId: string;
  /** Values to hide, besides the secrets of the task, each with what people know it by. */
  readonly masked: readonly Assignment[];
  /** A volume or absolute path that the user manages, mounted as the workspace; undefined for a fresh volume. */
  readonly externalWorkspace: string | undefined;
}

/** Finds and reads the task and everything that decides what it means. Whoever gets it disposes of `source`. */
export async function openInputs(
  context: string | undefined,
  flags: TaskFlags,
  io: Io,
  options: OpenOptions,
): Promise<Result<OpenedTask, readonly Diagnostic[]>> {
  const settings = await loadSettings({ directory: io.directory, environment: io.environment, registry: flags.registry });
  if (!settings.ok) return settings;
  options.onSettings?.(settings.value);
  const signal = options.signal ?? new AbortController().signal;
  const { made } = options;
  const opened =
    made === undefined
      ? await openTaskSource({ context, signal, ...remotePlace(flags, settings.value), ...pick(flags, 'file', 'cmd') }, io)
      : ok<TaskSource>({ ...made, file: undefined, git: undefined, dispose: () => Promise.resolve() });
  if (!opened.ok) return opened;
  const inputs = await makeInputs(opened.value, flags, io, { ...options, settings: settings.value, signal });
  if (!inputs.ok) await opened.value.dispose();
  return inputs;
}

async function makeInputs(
  source: TaskSource,
  flags: TaskFlags,
  io: Io,
  options: { readonly settings: Settings; readonly signal: AbortSignal; readonly keepIdEmpty?: boolean },
): Promise<Result<OpenedTask, readonly Diagnostic[]>> {
  const now = new Date();
  const runId = newRunId(now);
  const externalWorkspace = workspaceFlag(flags, io);
  const values = flags.values === undefined ? undefined : await readValues(flags.values, source, io);
  const secretSets = await readSecretSets(flags, io);
  const run = resolveRunVariables({
    assignments: flags.run,
    runId: options.keepIdEmpty === true ? '' : runId,
    now,
    registry: options.settings.registry ?? '',
    taskName: flags.name ?? '',
    platform: flags.platform,
    workspace: externalWorkspace ?? (options.keepIdEmpty === true ? '' : workspaceVolume(runId)),
    git: source.git ?? (await describeGit(source)),
  });
  const problems = [values, secretSets, run].flatMap((result) => (result === undefined || result.ok ? [] : result.error));
  if (flags.credential.length > 0) {
    const { credentialProblems } = await import('../composition/credentials.ts');
    problems.push(...credentialProblems(flags.credential));
  }
  if (values?.ok === false || !secretSets.ok || !run.ok || problems.length > 0) return err(problems);
  const inputs: TaskInputs = {
    source: source.source,
    run: run.value,
    ...(values === undefined ? {} : { values: values.value }),
    set: [...flags.set.map(({ name, value }) => `${name}=${value}`), ...secretSets.value.map(({ name, value }) => `${name}=${value}`)],
    now,
    env: flags.env,
    readAliasSource: createAliasSourceReader(source.context ?? io.directory, options.signal),
    ...(flags.name === undefined ? {} : { taskName: flags.name }),
    ...pick(flags, 'network', 'workingDirectory'),
  };
  return ok({ inputs, source, settings: options.settings, runId, masked: secretSets.value, externalWorkspace });
}

/** What a context that must be fetched is fetched with; commands that run nothing have fewer flags. */
function remotePlace(
  flags: TaskFlags & Partial<Pick<RunFlags, 'registryCredential' | 'insecureRegistry' | 'trustedRealm'>>,
  settings: Settings,
) {
  const { credential, registryCredential = [] } = flags;
  return { flags: { credential, registryCredential }, trust: registryTrust(settings, flags) };
}

/** Name of the fresh volume that is a run's workspace. */
export function workspaceVolume(runId: string): string {
  return `slipway-${runId}-workspace`;
}

function workspaceFlag(flags: TaskFlags, io: Io): string | undefined {
  const given = flags.workspace ?? flags.run.findLast(({ name }) => name === 'SharedVolume')?.value;
  if (given === undefined || given === '') return undefined;
  return given.includes('/') && !isAbsolute(given) ? resolve(io.directory, given) : given;
}

/** Only a text that asks for it is worth starting git for. */
async function describeGit(source: TaskSource): Promise<TaskSource['git']> {
  if (source.context === undefined || !/Commit|Branch|Repository|RunJSON|\balias\b|\.Run(?![.\w])/.test(source.source.text))
    return undefined;
  const { createGitSource } = await import('../../git/git-source.ts');
  const git = createGitSource({ addresses: OWN_NETWORK });
  return git.describe(source.context).catch(() => undefined);
}

async function readValues(file: string, source: TaskSource, io: Io): Promise<Result<SourceText, readonly Diagnostic[]>> {
  const here = resolve(io.directory, file);
  const inContext = source.context === undefined ? here : resolve(source.context, file);
  for (const path of [inContext, here]) {
    const read = await readSource({ path, name: file });
    if (read.ok) return read;
    if (path === here) return err([{ ...read.error, message: `--values: ${read.error.message}` }]);
  }
  return err([]);
}

async function readSecretSets(
  flags: TaskFlags,
  io: Io,
): Promise<Result<readonly { readonly name: string; readonly value: string }[], readonly Diagnostic[]>> {
  const sets: { readonly name: string; readonly value: string }[] = [];
  const problems: Diagnostic[] = [];
  for (const assignment of flags.setSecret) {
    const value = await readSecretValue('--set-secret', assignment, io, { literal: true });
    if (value.ok) sets.push({ name: assignment.name, value: value.value });
    else problems.push(value.error);
  }
  return problems.length > 0 ? err(problems) : ok(sets);
}

/** The named properties that are present: absent and undefined are different things to the compiler. */
function pick<Source extends object, Name extends keyof Source>(source: Source, ...names: readonly Name[]): Partial<Pick<Source, Name>> {
  return Object.fromEntries(names.filter((name) => source[name] !== undefined).map((name) => [name, source[name]])) as Partial<
    Pick<Source, Name>
  >;
}
