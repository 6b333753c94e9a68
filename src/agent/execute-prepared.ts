import type { ContainerEngine, RunSpace } from '../model/ports/container-engine.ts';
import { executeRun } from '../run/execute-run.ts';
import { LONG_PATIENCE } from '../run/push-patience.ts';
import type { RunResult } from '../run/run-options.ts';
import { createMasker, type Masker } from '../util/masker.ts';
import type { ActiveRun } from './active-run.ts';
import type { AgentDependencies } from './agent-options.ts';
import type { LeaseChannel } from './lease-channel.ts';
import type { PreparedRun } from './prepare-run.ts';

const CLEANUP_DEADLINE_MS = 30_000;
const KILL_DEADLINE_MS = 10_000;

export function maskerOf(prepared: PreparedRun): Masker {
  return createMasker(prepared.secrets.masked());
}

/**
 * Executes the plan in the engine. When the lease is lost, everything of the run is removed at once, whatever its steps are doing.
 * `opened` is whether the run's space was: only then what an earlier attempt had in it has been dealt with.
 */
export async function executePrepared(
  run: ActiveRun,
  prepared: PreparedRun,
  told: LeaseChannel,
  deps: AgentDependencies,
  options: { readonly masker: Masker; readonly runTimeoutMs: number },
): Promise<{ readonly result: RunResult; readonly opened: boolean }> {
  const { request, resume } = run.assignment;
  for (const fact of resume?.facts ?? []) if (fact.type === 'image-built') for (const tag of fact.tags) prepared.built.add(tag);
  let space: RunSpace | undefined;
  // What runs in the engine can only be canceled in its space: a resumed run is canceled no sooner than that is open.
  const canceled = new AbortController();
  const cancel = (): void => canceled.abort();
  const passCancel = (): void => {
    if (run.canceled.aborted) cancel();
    else run.canceled.addEventListener('abort', cancel, { once: true });
  };
  if (resume === undefined) passCancel();
  const kill = (): void => {
    void space?.destroy({ signal: AbortSignal.timeout(KILL_DEADLINE_MS) }).catch(() => undefined);
  };
  run.lost.addEventListener('abort', kill, { once: true });
  const engine: ContainerEngine = {
    describe: () => deps.engine.describe(),
    openRun: async (spec) => {
      space = await deps.engine.openRun(spec);
      passCancel();
      if (run.lost.aborted) kill();
      return space;
    },
    findImage: (reference) => deps.engine.findImage(reference),
    removeImage: (reference) => deps.engine.removeImage(reference),
    collect: (options) => deps.engine.collect(options),
    collectRuns: (options) => deps.engine.collectRuns(options),
    close: () => deps.engine.close(),
  };
  try {
    const result = await executeRun(
      prepared.plan,
      {
        ...{ engine, inputs: prepared.parts.inputs, registry: prepared.parts.registry, clock: deps.clock, masker: options.masker },
        emit: (event) => {
          if (event.type === 'image-built') for (const tag of event.tags) prepared.built.add(tag);
          return told.emit(event);
        },
        output: (chunk) => told.output(chunk),
      },
      {
        ...{ runId: run.lease.run, spaceId: run.spaceId, owner: run.owner, resume, suspend: run.suspended },
        signal: AbortSignal.any([canceled.signal, run.lost]),
        cleanupSignal: run.lost,
        cleanupDeadlineMs: CLEANUP_DEADLINE_MS,
        runTimeoutMs: options.runTimeoutMs,
        ...{ parallel: deps.parallel, retryOnEngineLoss: deps.retryOnEngineLoss, pushPatience: LONG_PATIENCE },
        ...{
          keepGoing: request.keepGoing,
          extended: request.extended,
          noPush: request.noPush || request.trust === 'untrusted',
          limits: deps.limits,
        },
        workspace: { kind: 'volume', name: prepared.workspaceVolume, seed: prepared.context.directory },
        ...(request.trust === 'untrusted' ? { isolation: { cacheNamespace: `untrusted/${request.task ?? ''}` } } : {}),
        dockerSocket: request.trust === 'trusted' && request.policy.dockerSocket,
        ...{ credentials: prepared.parts.credentials, durableLogs: true, insecureRegistries: deps.insecureRegistries },
        secrets: prepared.secrets.forBuilds(),
      },
    );
    return { result, opened: space !== undefined };
  } finally {
    run.lost.removeEventListener('abort', kill);
    run.canceled.removeEventListener('abort', cancel);
  }
}
