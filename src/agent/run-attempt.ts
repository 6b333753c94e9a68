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

/** A resumed run whose time is over is prepared nevertheless, so that it can be ended in order. */
const LEAST_PREPARATION_MS = 60_000;

/**
 * One attempt of a run from its assignment to its end: prepared, executed, told to the daemon, its context removed. A run that is
 * suspended leaves all of it; one whose lease is lost is not spoken of any more. Resolves with what is in the engine now: nothing, what a
 * later attempt takes back, or what nobody will. Never rejects.
 */
export async function runAttempt(run: ActiveRun, deps: AgentDependencies): Promise<'nothing' | 'suspended' | 'leftovers'> {
  const told = new LeaseChannel(deps.channel, run, deps.clock);
  let attempt: Attempt = { end: 'released', executed: false };
  try {
    attempt = await carryOut(run, told, deps);
    const { end } = attempt;
    if (end === 'released') await told.release();
    else if (end !== 'suspended') await told.finish(end);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    deps.log('error', 'a run could not be ended', { ...run.lease, error: message });
  }
  if (attempt.end === 'suspended') return 'suspended';
  await new ContextPlace(deps.workDirectory, run.lease.run).remove().catch((error: unknown) => {
    deps.log('warning', 'the context of a run could not be removed', { ...run.lease, error: String(error) });
  });
  return run.assignment.resume === undefined || attempt.executed ? 'nothing' : 'leftovers';
}

type End = AgentOutcome | 'suspended' | 'released';

interface Attempt {
  readonly end: End;
  /** The engine was asked for the run's space, and so everything in it has been removed. */
  readonly executed: boolean;
}

async function carryOut(run: ActiveRun, told: LeaseChannel, deps: AgentDependencies): Promise<Attempt> {
  const { clock } = deps;
  const { request, resume } = run.assignment;
  const startedMs = clock.monotonicMs();
  const timeoutMs = request.timeout * 1000;
  const prepared = await prepareInTime(run, told, deps, timeoutMs - (resume?.elapsedMs ?? 0));
  if (typeof prepared === 'string' || !('plan' in prepared)) return { end: prepared, executed: false };
  // Of the run as a whole: what earlier attempts took is taken off where the steps are executed.
  const runTimeoutMs = Math.max(1, timeoutMs - (clock.monotonicMs() - startedMs));
  const masker = maskerOf(prepared);
  const { result, opened } = await executePrepared(run, prepared, told, deps, { masker, runTimeoutMs });
  if (result.suspended) return { end: 'suspended', executed: opened };
  const outcome = outcomeOf(result);
  return { end: result.status === 'Canceled' ? { ...outcome, error: { message: reasonOf(run) } } : outcome, executed: opened };
}

/** Prepares and tells the plan; or tells how the run ended without one. */
async function prepareInTime(run: ActiveRun, told: LeaseChannel, deps: AgentDependencies, leftMs: number): Promise<PreparedRun | End> {
  const over = new AbortController();
  const late = new AbortController();
  const startedMs = deps.clock.monotonicMs();
  const isResumed = run.assignment.resume !== undefined;
  void deps.clock.sleep(Math.max(isResumed ? LEAST_PREPARATION_MS : 1, leftMs), over.signal).then(() => late.abort());
  // One that runs in the engine already is canceled there, so that its containers end in order.
  const canceled = isResumed && run.canceled.aborted ? [] : [run.canceled];
  const stop = AbortSignal.any([...canceled, run.lost, run.suspended, late.signal]);
  let secrets: RunSecrets | undefined;
  try {
    stop.throwIfAborted();
    secrets = await RunSecrets.open(deps.channel, run);
    return await prepareAndTell(run, secrets, told, deps, stop);
  } catch (error) {
    if (run.suspended.aborted) return isResumed ? 'suspended' : 'released';
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
  // A server that is sent a token may say it again.
  const onNote = (message: string): void => told.say(createMasker(secrets.masked()).maskText(message));
  const prepared = await prepareRun(run, secrets, deps, { signal: stop, onNote });
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
