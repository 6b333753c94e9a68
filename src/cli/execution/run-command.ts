import type { Settings } from '../../config/settings.ts';
import type { CredentialSource } from '../../model/ports/credential-source.ts';
import { createMasker } from '../../util/masker.ts';
import { createRunEngine, type RunEngine } from '../composition/run-engine.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Assignment } from '../flags/option-values.ts';
import type { RunFlags } from '../flags/run-flags.ts';
import type { TaskFlags } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';
import { renderDiagnostics } from '../print-diagnostics.ts';
import { loadForCommand } from '../source/load-for-command.ts';
import { type MadeSource, workspaceVolume } from '../source/open-inputs.ts';
import { createControl, type RunControl } from './run-control.ts';
import { type RunOrder, runOnce } from './run-once.ts';
import { openSecrets, unmaskedWarnings } from './run-secrets.ts';

export interface RunRequest {
  readonly flags: TaskFlags & RunFlags;
  readonly io: Io;
  readonly open: {
    readonly context: string;
    readonly made?: MadeSource;
    /** Texts to hide in all output. */
    readonly masked?: readonly Assignment[];
    /** Secrets of a single build by id. */
    readonly buildSecrets?: ReadonlyMap<string, string>;
  };
}

/** `task run` and `task build`: loads, then prints (dry run), runs once, or runs at every change. */
export async function runCommand(request: RunRequest): Promise<ExitCode> {
  const { flags, io } = request;
  if (flags.dryRun) return dryRun(request);
  const control = createControl(io);
  try {
    if (!flags.watch) return await loadAndRun(request, control);
    const { watchAndRun } = await import('./watch.ts');
    return await watchAndRun(request, control, loadAndRun);
  } finally {
    control.dispose();
  }
}

/** Loads the task anew and runs it. The engine is asked for meanwhile, as soon as it is known which one. */
async function loadAndRun(request: RunRequest, control: RunControl): Promise<ExitCode> {
  const { flags, io } = request;
  const engines: RunEngine[] = [];
  const engineFor = (settings: Settings): RunEngine => {
    const made = createRunEngine({ endpoint: flags.engine ?? settings.engine, environment: io.environment });
    engines.push(made);
    return made;
  };
  try {
    return await loadAndRunOn(engineFor, request, control);
  } finally {
    await Promise.all(engines.map((engine) => engine.close()));
  }
}

async function loadAndRunOn(
  engineFor: (settings: Settings) => RunEngine,
  { flags, io, open }: RunRequest,
  control: RunControl,
): Promise<ExitCode> {
  let engine: RunEngine | undefined;
  const secrets = await openSecrets(flags, io, control.runSignal);
  if (secrets === undefined) return EXIT.badInput;
  await using loaded = await loadForCommand(open.context, flags, io, {
    signal: control.runSignal,
    resolveSecrets: secrets.resolve,
    onSettings: (settings) => {
      engine = engineFor(settings);
      engine.warmUp();
    },
    ...(open.made === undefined ? {} : { made: open.made }),
  });
  if (loaded.failed) return EXIT.badInput;
  const named = [...loaded.masked, ...(open.masked ?? []), ...[...loaded.secrets].map(([name, value]) => ({ name, value }))];
  io.stderr.write(renderDiagnostics(unmaskedWarnings([...named, ...secrets.passwords]), io.paintError));
  const order: RunOrder = {
    plan: loaded.plan,
    runId: loaded.runId,
    masker: createMasker([...named.map(({ value }) => value), ...secrets.masked]),
    credentials: secrets.credentials satisfies CredentialSource,
    workspace:
      loaded.externalWorkspace === undefined
        ? { kind: 'volume', name: workspaceVolume(loaded.runId), seed: loaded.source.context }
        : { kind: 'external', source: loaded.externalWorkspace },
    secrets: new Map([...loaded.secrets, ...(open.buildSecrets ?? [])]),
    settings: loaded.settings,
    engine: engine ?? engineFor(loaded.settings),
    extended: flags.extended,
    platform: flags.platform,
  };
  return await runOnce(order, flags, io, control);
}

/** Prints what would run. No engine, registry or secret is touched. */
async function dryRun({ flags, io, open }: RunRequest): Promise<ExitCode> {
  await using loaded = await loadForCommand(open.context, flags, io, {
    ...(open.made === undefined ? {} : { made: open.made }),
  });
  if (loaded.failed) return EXIT.badInput;
  const { renderDryRun } = await import('../plan-output/plan-text.ts');
  const steps = flags.push ? loaded.plan.steps : loaded.plan.steps.filter(({ kind }) => kind !== 'push');
  const masker = createMasker([...loaded.masked, ...(open.masked ?? [])].map(({ value }) => value));
  const options = { paint: io.paint, dockerSocket: flags.dockerSocket, workspace: loaded.task.run.SharedVolume };
  io.stdout.write(masker.maskText(renderDryRun({ ...loaded.plan, steps }, options)));
  return EXIT.ok;
}
