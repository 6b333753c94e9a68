import type { Checked, Diagnostic } from '../../model/diagnostic.ts';
import type { Plan } from '../../model/plan.ts';
import type { SecretReference, Task } from '../../model/task.ts';
import type { TaskInputs } from '../../task/load-task.ts';
import { createMasker, type Masker } from '../../util/masker.ts';
import { ok, type Result } from '../../util/result.ts';
import type { TaskFlags } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';
import { renderDiagnostics } from '../print-diagnostics.ts';
import { type OpenedTask, type OpenOptions, openInputs } from './open-inputs.ts';

/** Values of a task's secrets by id; every value it returns is masked from then on. */
export type SecretResolver = (references: readonly SecretReference[]) => Promise<ReadonlyMap<string, string>>;

export interface LoadOptions extends OpenOptions {
  /** Without it secrets are empty, as where nothing runs. */
  readonly resolveSecrets?: SecretResolver;
}

interface Loaded extends OpenedTask, AsyncDisposable {
  readonly failed: false;
  readonly task: Task;
  readonly plan: Plan;
  /** Hides everything secret that is known so far. */
  readonly masker: Masker;
  readonly secrets: ReadonlyMap<string, string>;
}

interface NotLoaded extends AsyncDisposable {
  readonly failed: true;
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
    masker: createMasker([...opened.value.masked.map(({ value }) => value), ...secrets.values()]),
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
  const opened = await openInputs(context, flags, io, { keepIdEmpty: true });
  const rendered = opened.ok ? await renderOpened(opened.value, options) : opened;
  if (!rendered.ok) io.stderr.write(renderDiagnostics(rendered.error, io.paintError));
  if (!opened.ok || !rendered.ok) return undefined;
  const { masked } = opened.value;
  return masked.length === 0 ? rendered.value.value : createMasker(masked.map(({ value }) => value)).maskText(rendered.value.value);
}

/**
 * The normalised task as JSON, or undefined when there are errors, which have then been printed. What only keeps the task
 * from being executed (a command line that no engine can run) is printed and does not count: the document shows the file.
 */
export async function planJsonForCommand(context: string, flags: TaskFlags, io: Io): Promise<string | undefined> {
  const opened = await openInputs(context, flags, io, { keepIdEmpty: true });
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
  return createMasker(opened.value.masked.map(({ value }) => value)).maskText(`${JSON.stringify(planDocument(task), undefined, 2)}\n`);
}

/**
 * A text that means nothing without an id (`build: -t $Registry/app:$ID .` would end in a colon, which YAML reads as a key) gets
 * one, as a run of it would.
 */
async function loadOpened({ inputs, source, runId }: OpenedTask): Promise<Checked<Task>> {
  const { loadTask } = await import('../../task/load-task.ts');
  try {
    const loaded = await loadTask(inputs);
    return loaded.ok || inputs.run.ID !== '' ? loaded : await loadTask({ ...inputs, run: { ...inputs.run, ID: runId } });
  } finally {
    await source.dispose();
  }
}

/** Everything there is to say about the task of a command. */
export async function lintForCommand(
  context: string,
  flags: TaskFlags,
  io: Io,
  options: { readonly acr: boolean },
): Promise<readonly Diagnostic[]> {
  const opened = await openInputs(context, flags, io, {});
  if (!opened.ok) return opened.error;
  const { lintTask } = await import('../../task/lint-task.ts');
  try {
    return await lintTask(opened.value.inputs, { ...options, extended: flags.extended });
  } finally {
    await opened.value.source.dispose();
  }
}

async function renderOpened(opened: OpenedTask, options: { readonly aliases: boolean }): Promise<Checked<string>> {
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
  const { loadPlan } = await import('../../task/load-plan.ts');
  const { withPlatform } = await import('../../task/plan/with-platform.ts');
  const resolveSecrets = options.resolveSecrets;
  const resolving =
    resolveSecrets === undefined
      ? {}
      : {
          resolveSecrets: async (references: readonly SecretReference[]) => {
            const values = await resolveSecrets(references);
            for (const [id, value] of values) secrets.set(id, value);
            return values;
          },
        };
  const loaded = await loadPlan({ ...inputs, ...resolving }, { extended: flags.extended });
  if (!loaded.ok) return loaded;
  const { value, warnings } = loaded.value;
  const plan = flags.platform === undefined ? value.plan : withPlatform(value.plan, flags.platform);
  return ok({ task: value.task, plan, warnings });
}

function notLoaded(diagnostics: readonly Diagnostic[], io: Io): NotLoaded {
  io.stderr.write(renderDiagnostics(diagnostics, io.paintError));
  return { failed: true, [Symbol.asyncDispose]: () => Promise.resolve() };
}
