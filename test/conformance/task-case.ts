import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createAliasSourceReader } from '../../src/cli/source/alias-sources.ts';
import { renderDiagnostic } from '../../src/model/render-diagnostic.ts';
import { parseCredential } from '../../src/task/credential.ts';
import { loadTask, renderTask, type TaskInputs } from '../../src/task/load-task.ts';
import { planDocument } from '../../src/task/plan-document.ts';
import type { Case } from './cases.ts';

export type TaskOutcome =
  | { readonly ok: true; readonly text: string; readonly plan: PlanShape }
  | { readonly ok: false; readonly error: string };

export interface PlanShape {
  readonly steps?: readonly Readonly<Record<string, unknown>>[];
  readonly [key: string]: unknown;
}

/** Runs what `task render` and `task plan --output json` run, in a folder with the case's files. */
export async function runTaskCase(one: Case): Promise<TaskOutcome> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-task-'));
  try {
    for (const [name, text] of Object.entries(one.input.files ?? {})) {
      await mkdir(dirname(join(directory, name)), { recursive: true });
      await writeFile(join(directory, name), text);
    }
    return await outcome(one, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function outcome(one: Case, directory: string): Promise<TaskOutcome> {
  for (const credential of all(one, '--credential')) {
    const parsed = parseCredential(credential);
    if (!parsed.ok) return parsed;
  }
  const inputs = inputsOf(one, directory);
  const rendered = await renderTask(inputs, { aliases: true });
  const loaded = await loadTask(inputs);
  if (!rendered.ok || !loaded.ok) {
    const problems = rendered.ok ? (loaded.ok ? [] : loaded.error) : rendered.error;
    return { ok: false, error: problems.map((problem) => renderDiagnostic(problem)).join('\n') };
  }
  return { ok: true, text: rendered.value.value, plan: JSON.parse(JSON.stringify(planDocument(loaded.value.value))) as PlanShape };
}

/** The inputs that a recorded command line stands for. */
export function inputsOf(one: Case, directory: string): TaskInputs {
  const name = last(one, '-f');
  const values = last(one, '--values');
  const registry = last(one, '--registry');
  const taskName = last(one, '--name');
  const now = new Date(one.input.now ?? '2026-01-02T03:04:05Z');
  const [date = '', time = ''] = now.toISOString().split('T');
  return {
    source: { name, text: one.input.files?.[name] ?? '' },
    ...(values !== '' && { values: { name: values, text: one.input.files?.[values] ?? '' } }),
    set: all(one, '--set'),
    env: all(one, '--env'),
    network: last(one, '--network'),
    workingDirectory: last(one, '--working-directory'),
    taskName,
    now,
    readAliasSource: createAliasSourceReader(directory, new AbortController().signal),
    run: {
      ID: last(one, '--id'),
      Commit: last(one, '--commit'),
      Branch: last(one, '--branch'),
      Repository: last(one, '--repository'),
      GitTag: last(one, '--git-tag'),
      TriggeredBy: last(one, '--triggered-by'),
      Registry: registry,
      RegistryName: registry.split('.')[0] ?? '',
      Date: `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}z`,
      SharedVolume: last(one, '--homevol'),
      OS: 'linux',
      OSVersion: last(one, '--os-version'),
      Architecture: 'amd64',
      TaskName: taskName,
    },
  };
}

function all({ args }: Case, flag: string): readonly string[] {
  return args.flatMap((value, index) => (args[index - 1] === flag ? [value] : []));
}

function last(one: Case, flag: string): string {
  return all(one, flag).at(-1) ?? '';
}
