import { EngineError } from '../model/engine-error.ts';
import type { AgentOutcome } from '../model/ports/agent-channel.ts';
import { renderDiagnostic } from '../model/render-diagnostic.ts';
import { createMasker, type Masker } from '../util/masker.ts';
import type { ActiveRun } from './active-run.ts';
import type { AgentDependencies } from './agent-options.ts';
import { ContextPlace } from './context-place.ts';
import { executePrepared, maskerOf } from './execute-prepared.ts';
import { LeaseChannel } from './lease-channel.ts';
import { type PreparedRun, prepareRun } from './prepare-run.ts';
import { eventsWithoutSteps, outcomeOf, outcomeOfFailure, outcomeWithoutSteps } from './run-outcome.ts';
import { RunSecrets } from './run-secrets.ts';

/**
 * One attempt of a run from its assignment to its end: prepared, executed, told to the daemon, its context removed. A run that is
 * suspended leaves all of it; one whose lease is lost is not spoken of any more. Never rejects.
 */
export async function runAttempt(run: ActiveRun, deps: AgentDependencies, owner: string): Promise<void> {
  const told = new LeaseChannel(deps.channel, run, deps.clock);
  let left = false;
  try {
    const end = await carryOut(run, told, deps, owner);
    left = end === 'suspended';
    if (end === 'released') await told.release();
    else if (end !== 'suspended') await told.finish(end);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    deps.log('error', 'a run could not be ended', { ...run.lease, error: message });
  }
  if (left) return;
  await new ContextPlace(deps.workDirectory, run.lease.run).remove().catch((error: unknown) => {
    deps.log('warning', 'the context of a run could not be removed', { ...run.lease, error: String(error) });
  });
}

type End = AgentOutcome | 'suspended' | 'released';

async function carryOut(run: ActiveRun, told: LeaseChannel, deps: AgentDependencies, owner: string): Promise<End> {
  const { clock } = deps;
  const { request, resume } = run.assignment;
  const startedMs = clock.monotonicMs();
  const leftMs = request.timeout * 1000 - (resume?.elapsedMs ?? 0);
  const prepared = await prepareInTime(run, told, deps, leftMs);
  if (typeof prepared === 'string' || !('plan' in prepared)) return prepared;
  const runTimeoutMs = Math.max(1, leftMs - (clock.monotonicMs() - startedMs));
  const masker = maskerOf(prepared);
  const result = await executePrepared(run, prepared, told, deps, { owner, masker, runTimeoutMs });
  if (result.suspended) return 'suspended';
  const outcome = outcomeOf(result);
  return result.status === 'Canceled' ? { ...outcome, error: { message: reasonOf(run) } } : outcome;
}

/** Prepares and tells the plan; or tells how the run ended without one. */
async function prepareInTime(run: ActiveRun, told: LeaseChannel, deps: AgentDependencies, leftMs: number): Promise<PreparedRun | End> {
  const over = new AbortController();
  const late = new AbortController();
  const startedMs = deps.clock.monotonicMs();
  void deps.clock.sleep(Math.max(1, leftMs), over.signal).then(() => late.abort());
  const stop = AbortSignal.any([run.canceled, run.lost, run.suspended, late.signal]);
  let secrets: RunSecrets | undefined;
  try {
    stop.throwIfAborted();
    secrets = await RunSecrets.open(deps.channel, run);
    return await prepareAndTell(run, secrets, told, deps, stop);
  } catch (error) {
    if (run.suspended.aborted) return run.assignment.resume === undefined ? 'released' : 'suspended';
    const masker = createMasker(secrets?.masked() ?? []);
    const durationMs = deps.clock.monotonicMs() - startedMs;
    return endWithoutSteps(run, told, deps, { masker, durationMs, outcome: earlyOutcome(run, late.signal, error, told, masker) });
  } finally {
    over.abort();
  }
}

async function prepareAndTell(
  run: ActiveRun,
  secrets: RunSecrets,
  told: LeaseChannel,
  deps: AgentDependencies,
  stop: AbortSignal,
): Promise<PreparedRun> {
  const prepared = await prepareRun(run, secrets, deps, { signal: stop, onNote: (message) => told.say(message) });
  const masker = maskerOf(prepared);
  for (const warning of prepared.warnings) told.say(masker.maskText(renderDiagnostic(warning)));
  stop.throwIfAborted();
  if (run.assignment.resume === undefined) await told.planned({ plan: prepared.plan, source: prepared.context.source });
  stop.throwIfAborted();
  return prepared;
}

/** How a run ended whose preparation was stopped or failed; what was wrong with its task goes into its log. */
function earlyOutcome(run: ActiveRun, late: AbortSignal, error: unknown, told: LeaseChannel, masker: Masker): AgentOutcome {
  if (run.canceled.aborted) return outcomeWithoutSteps('Canceled', reasonOf(run));
  if (late.aborted) return outcomeWithoutSteps('Timeout', `the run did not end within ${run.assignment.request.timeout} s: timed out`);
  const outcome = outcomeOfFailure(error);
  const diagnostics = error instanceof EngineError ? error.diagnostics : [];
  const lines = diagnostics.length > 0 ? diagnostics.map(renderDiagnostic) : [`error: ${outcome.error?.message ?? ''}`, ...helpOf(error)];
  for (const line of lines) told.say(masker.maskText(line));
  return outcome;
}

function helpOf(error: unknown): readonly string[] {
  return error instanceof EngineError ? [`  help: ${error.help}`] : [];
}

async function endWithoutSteps(
  run: ActiveRun,
  told: LeaseChannel,
  deps: AgentDependencies,
  end: { readonly masker: Masker; readonly durationMs: number; readonly outcome: AgentOutcome },
): Promise<AgentOutcome> {
  const { request } = run.assignment;
  const { error, ...rest } = end.outcome;
  const outcome = error === undefined ? rest : { ...rest, error: { ...error, message: end.masker.maskText(error.message) } };
  const facts = { id: run.lease.run, task: request.task ?? 'quickrun', registry: request.registry, lastEvent: told.lastEvent };
  const events = eventsWithoutSteps({ ...facts, durationMs: end.durationMs }, outcome, deps.clock.now().toISOString());
  await Promise.all(events.map((event) => told.emit(event)));
  return outcome;
}

function reasonOf(run: ActiveRun): string {
  return typeof run.canceled.reason === 'string' ? run.canceled.reason : 'the run was canceled';
}
