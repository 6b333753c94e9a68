import { isAbsolute, resolve } from 'node:path';
import type { Checked, Diagnostic, SourceText } from '../../model/diagnostic.ts';
import type { Plan } from '../../model/plan.ts';
import type { SecretReference, Task } from '../../model/task.ts';
import type { TaskInputs } from '../../task/load-task.ts';
import { createMasker, type Masker } from '../../util/masker.ts';
import { err, ok, type Result } from '../../util/result.ts';
import type { TaskFlags } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';
import { renderDiagnostics } from '../print-diagnostics.ts';
import { newRunId } from '../run-id.ts';
import { loadSettings } from '../settings/load-settings.ts';
import type { Settings } from '../settings/settings.ts';
import { createAliasSourceReader } from './alias-sources.ts';
import { readSource } from './find-task-file.ts';
import { resolveRunVariables } from './run-variables.ts';
import { readSecretValue } from './secret-values.ts';
import { openTaskSource, type TaskSource } from './task-source.ts';

/** Values of a task's secrets by id; every value it returns is masked from then on. */
export type SecretResolver = (references: readonly SecretReference[]) => Promise<ReadonlyMap<string, string>>;

export interface LoadOptions {
  /** `preview`: nothing runs, secrets are empty. */
  readonly purpose: 'preview' | 'run';
  readonly signal?: AbortSignal;
  readonly resolveSecrets?: SecretResolver;
  /** A task that was made instead of read; the context is then only where paths start. */
  readonly made?: MadeSource;
}

/** A task text that was made of flags. */
export interface MadeSource {
  readonly source: SourceText;
  readonly context: string | undefined;
}

interface Loaded extends AsyncDisposable {
  readonly failed: false;
  readonly task: Task;
  readonly plan: Plan;
  readonly masker: Masker;
  /** Values to hide, besides the secrets of the task. */
  readonly masked: readonly string[];
  readonly secrets: ReadonlyMap<string, string>;
  readonly source: TaskSource;
  readonly settings: Settings;
  readonly runId: string;
  /** A volume or absolute path that the user manages, mounted as the workspace; undefined for a fresh volume. */
  readonly externalWorkspace: string | undefined;
}

interface NotLoaded extends AsyncDisposable {
  readonly failed: true;
}

interface Opened {
  readonly inputs: TaskInputs;
  readonly source: TaskSource;
  readonly settings: Settings;
  readonly runId: string;
  readonly masked: readonly string[];
  readonly externalWorkspace: string | undefined;
}

/** Reads, checks and compiles the task of a command. Diagnostics go to standard error, all at once. */
export async function loadForCommand(
  context: string | undefined,
  flags: TaskFlags,
  io: Io,
  options: LoadOptions,
): Promise<Loaded | NotLoaded> {
  const opened = await openInputs(context, flags, io, options);
  if (!opened.ok) return notLoaded(opened.error, io);
  const { inputs, source } = opened.value;
  const secrets = new Map<string, string>();
  const compiled = await compile(inputs, flags, options, secrets).catch(async (error: unknown) => {
    await source.dispose();
    throw error;
  });
  if (!compiled.ok) {
    await source.dispose();
    return notLoaded(compiled.error, io);
  }
  const { task, plan, warnings } = compiled.value;
  io.stderr.write(renderDiagnostics(warnings, io.paintError));
  return {
    ...opened.value,
    failed: false,
    task,
    plan,
    secrets,
    masker: createMasker([...opened.value.masked, ...secrets.values()]),
    [Symbol.asyncDispose]: () => source.dispose(),
  };
}

/** The rendered text of a task, or undefined when there are errors, which have then been printed. */
export async function renderForCommand(
  context: string,
  flags: TaskFlags,
  io: Io,
  options: { readonly aliases: boolean },
): Promise<string | undefined> {
  const opened = await openInputs(context, flags, io, { purpose: 'preview', keepIdEmpty: true });
  const rendered = opened.ok ? await renderOpened(opened.value, options) : opened;
  if (!rendered.ok) io.stderr.write(renderDiagnostics(rendered.error, io.paintError));
  return rendered.ok ? rendered.value.value : undefined;
}

/**
 * The normalised task as JSON, or undefined when there are errors, which have then been printed. What only keeps the task
 * from being executed (a command line that no engine can run) is printed and does not count: the document shows the file.
 */
export async function planJsonForCommand(context: string, flags: TaskFlags, io: Io): Promise<string | undefined> {
  const opened = await openInputs(context, flags, io, { purpose: 'preview', keepIdEmpty: true });
  const loaded = opened.ok ? await loadOpened(opened.value) : opened;
  if (!opened.ok || !loaded.ok) {
    io.stderr.write(renderDiagnostics(loaded.ok ? [] : loaded.error, io.paintError));
    return undefined;
  }
  const { value: task, warnings } = loaded.value;
  const { compilePlan } = await import('../../task/compile-plan.ts');
  const compiled = compilePlan(task, { extended: flags.extended });
  io.stderr.write(renderDiagnostics([...warnings, ...(compiled.ok ? compiled.value.warnings : compiled.error)], io.paintError));
  const { planDocument } = await import('../../task/plan-document.ts');
  return createMasker(opened.value.masked).maskText(`${JSON.stringify(planDocument(task), undefined, 2)}\n`);
}

async function loadOpened(opened: Opened): Promise<Checked<Task>> {
  const { loadTask } = await import('../../task/load-task.ts');
  try {
    return await loadTask(opened.inputs);
  } finally {
    await opened.source.dispose();
  }
}

/** Everything there is to say about the task of a command. */
export async function lintForCommand(
  context: string,
  flags: TaskFlags,
  io: Io,
  options: { readonly acr: boolean },
): Promise<readonly Diagnostic[]> {
  const opened = await openInputs(context, flags, io, { purpose: 'preview' });
  if (!opened.ok) return opened.error;
  const { lintTask } = await import('../../task/lint-task.ts');
  try {
    return await lintTask(opened.value.inputs, options);
  } finally {
    await opened.value.source.dispose();
  }
}

async function renderOpened(opened: Opened, options: { readonly aliases: boolean }): Promise<Checked<string>> {
  const { renderTask } = await import('../../task/load-task.ts');
  try {
    return await renderTask(opened.inputs, options);
  } finally {
    await opened.source.dispose();
  }
}

async function compile(
  inputs: TaskInputs,
  flags: TaskFlags,
  options: LoadOptions,
  secrets: Map<string, string>,
): Promise<Result<{ readonly task: Task; readonly plan: Plan; readonly warnings: readonly Diagnostic[] }, readonly Diagnostic[]>> {
  const { loadTask } = await import('../../task/load-task.ts');
  const { compilePlan } = await import('../../task/compile-plan.ts');
  const resolveSecrets = options.resolveSecrets;
  const loaded = await loadTask({
    ...inputs,
    ...(resolveSecrets === undefined
      ? {}
      : {
          resolveSecrets: async (references) => {
            const values = await resolveSecrets(references);
            for (const [id, value] of values) secrets.set(id, value);
            return values;
          },
        }),
  });
  if (!loaded.ok) return loaded;
  const task = loaded.value.value;
  const compiled = compilePlan(task, { extended: flags.extended });
  if (!compiled.ok) return err([...compiled.error, ...loaded.value.warnings]);
  const plan = flags.platform === undefined ? compiled.value.value : withPlatform(compiled.value.value, flags.platform);
  return ok({ task, plan, warnings: [...loaded.value.warnings, ...compiled.value.warnings] });
}

async function openInputs(
  context: string | undefined,
  flags: TaskFlags,
  io: Io,
  options: LoadOptions & { readonly keepIdEmpty?: boolean },
): Promise<Result<Opened, readonly Diagnostic[]>> {
  const settings = await loadSettings({ directory: io.directory, environment: io.environment });
  if (!settings.ok) return settings;
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
): Promise<Result<Opened, readonly Diagnostic[]>> {
  const now = new Date();
  const runId = newRunId(now);
  const externalWorkspace = workspaceFlag(flags, io);
  const values = flags.values === undefined ? undefined : await readValues(flags.values, source, io);
  const secretSets = await readSecretSets(flags, io);
  const run = resolveRunVariables({
    assignments: flags.run,
    runId: options.keepIdEmpty === true ? '' : runId,
    now,
    registry: flags.registry ?? options.settings.registry ?? '',
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
  const masked = secretSets.value.map(({ value }) => value);
  return ok({ inputs, source, settings: options.settings, runId, masked, externalWorkspace });
}

/** What a context that must be fetched is fetched with; commands that run nothing have fewer flags. */
function remotePlace(
  flags: TaskFlags & { readonly registryCredential?: readonly string[]; readonly insecureRegistry?: readonly string[] },
  settings: Settings,
) {
  const { credential, registryCredential = [], insecureRegistry = [] } = flags;
  return { flags: { credential, registryCredential }, insecureRegistries: [...(settings.insecureRegistries ?? []), ...insecureRegistry] };
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
  const git = createGitSource({ addresses: { allowPrivate: true, allowLoopback: true } });
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

/** `--platform` holds for every container and build that names none. */
function withPlatform(plan: Plan, platform: string): Plan {
  const steps = plan.steps.map((step) => {
    if (step.kind === 'cmd') return { ...step, container: { platform, ...step.container } };
    if (step.kind === 'build' && step.build.platforms.length === 0) return { ...step, build: { ...step.build, platforms: [platform] } };
    return step;
  });
  return { ...plan, steps };
}

function notLoaded(diagnostics: readonly Diagnostic[], io: Io): NotLoaded {
  io.stderr.write(renderDiagnostics(diagnostics, io.paintError));
  return { failed: true, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** The named properties that are present: absent and undefined are different things to the compiler. */
function pick<Source extends object, Name extends keyof Source>(source: Source, ...names: readonly Name[]): Partial<Pick<Source, Name>> {
  return Object.fromEntries(names.filter((name) => source[name] !== undefined).map((name) => [name, source[name]])) as Partial<
    Pick<Source, Name>
  >;
}
