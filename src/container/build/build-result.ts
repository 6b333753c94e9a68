import { EngineError } from '../../model/engine-error.ts';
import type { BuildOutcome } from '../../model/ports/container-engine.ts';
import { EngineRefusal, isDiskFull, toEngineError } from '../engine-api.ts';
import { ContextReadError } from './context/context-entry.ts';
import { FlagValueError } from './flag-values.ts';
import { IgnorePatternError } from './ignore-patterns.ts';
import type { FailedVertex } from './trace-progress.ts';

/** What an engine said at the end of a build. `imageId` is empty when the result is files. */
export type BuilderResult = { readonly ok: true; readonly imageId: string } | { readonly ok: false; readonly message: string };

export const CANCELED: BuildOutcome = { ok: false, message: 'the build was canceled', canceled: true };

export function failed(message: string): { readonly ok: false; readonly message: string; readonly canceled: false } {
  return { ok: false, message, canceled: false };
}

/** A mistake of the step's author as an outcome; anything else becomes an EngineError and is thrown. */
export function outcomeOfError(error: unknown): BuildOutcome {
  if (error instanceof ContextReadError || error instanceof FlagValueError || error instanceof IgnorePatternError)
    return failed(error.message);
  // The engine refuses what is wrong with the request (a tag, a platform) before it builds anything.
  if (error instanceof EngineRefusal && error.status >= 400 && error.status < 500) return failed(error.message);
  throw toEngineError(error, 'build');
}

/**
 * The outcome of a build that the engine reports as failed. A vertex that fetches a base image or writes the result is
 * the engine's and the registry's work, any other is the author's instruction; without a failed vertex the Dockerfile
 * itself was not understood.
 */
export function outcomeOfFailure(report: string, vertex: FailedVertex | undefined): BuilderResult {
  const text = stripSolverPrefix(report);
  if (vertex === undefined) {
    if (isDiskFull(report)) throw new EngineError('disk-full', `build: ${text}`);
    return { ok: false, message: text };
  }
  if (/^\[internal\] load metadata for |^\[[^\]]*\] FROM /.test(vertex.name)) {
    const image = vertex.name.replace(/^\[[^\]]*\] (?:load metadata for|FROM) /, '');
    throw new EngineError('image-not-found', `the base image ${image} could not be fetched: ${vertex.error}`);
  }
  if (isDiskFull(vertex.error)) throw new EngineError('disk-full', `build: ${vertex.name}: ${vertex.error}`);
  if (/^exporting to /.test(vertex.name)) throw new EngineError('engine-failed', `build: ${vertex.name}: ${vertex.error}`);
  return { ok: false, message: failureMessage(vertex.name, vertex.error, vertex.lastLines) };
}

/** The instruction, the engine's reason and what was printed last. */
export function failureMessage(instruction: string, reason: string, lastLines: readonly string[]): string {
  const head = `${instruction} failed: ${reason}`;
  return lastLines.length === 0 ? head : `${head}\nlast output:\n${lastLines.map((line) => `  ${line}`).join('\n')}`;
}

/** What BuildKit puts before every error says nothing about this one. */
function stripSolverPrefix(report: string): string {
  return report.replace(/^failed to solve(?: with frontend [\w.]+)?: /, '').replace(/^failed to create LLB definition: /, '');
}
