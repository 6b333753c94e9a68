import type { BuildSpec } from '../../model/plan.ts';
import type { BuildAheadRequest, BuildRequest } from '../../model/ports/container-engine.ts';
import type { EngineApi } from '../engine-api.ts';
import type { BuildRunContext } from '../image-builder.ts';
import { buildkitQuery, type OpenBuild, openBuild, sessionServices } from './buildkit-build.ts';
import { planCache } from './cache-options.ts';
import type { ContextReadError, ContextSource } from './context/context-entry.ts';

/** A build that the engine has begun, and that waits for its Dockerfile. */
export interface BegunBuild {
  /** Gives it the Dockerfile; whoever calls this answers for the build from then on. Undefined when the engine did not begin it. */
  takeOver(dockerfile: ContextSource, onReadError: (error: ContextReadError) => void): Promise<OpenBuild | undefined>;
}

interface Entry extends BegunBuild {
  readonly spec: BuildSpec;
  readonly dockerfileName: string;
  readonly ignore: readonly string[];
  readonly contextKey: string;
  readonly served: Promise<unknown>;
  drop(): void;
}

/**
 * Builds of all runs that were begun ahead. BuildKit takes 35 ms from the start of a build until it asks for the Dockerfile; in that time
 * the base images are resolved that the Dockerfile is pinned to.
 */
export class BegunBuilds {
  readonly #api: EngineApi;
  readonly #entries = new Map<string, Entry>();

  constructor(api: EngineApi) {
    this.#api = api;
  }

  /**
   * Resolves when the engine is served, so that nothing else keeps this thread from answering it, or will never be; when the signal aborts, too.
   * Never rejects.
   */
  async begin(
    request: BuildAheadRequest,
    context: { readonly source: ContextSource; readonly key: string },
    environment: BuildRunContext,
    signal: AbortSignal,
  ): Promise<void> {
    const key = keyOf(environment.runId, request.step);
    if (signal.aborted || this.#entries.has(key)) return;
    const entry = beginBuild(this.#api, request, context, environment, signal);
    this.#entries.set(key, entry);
    const drop = (): void => {
      if (this.#entries.get(key) !== entry) return;
      this.#entries.delete(key);
      entry.drop();
    };
    const dropped = Promise.withResolvers<void>();
    signal.addEventListener(
      'abort',
      () => {
        drop();
        dropped.resolve();
      },
      { once: true },
    );
    await Promise.race([entry.served, dropped.promise]);
  }

  /** The begun build that a request asks for; one that was begun for something else is dropped. */
  take(request: BuildRequest, contextKey: string, { runId }: BuildRunContext): BegunBuild | undefined {
    const key = keyOf(runId, request.step);
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    if (entry === undefined) return undefined;
    const { dockerfile, ignore } = request.inputs;
    const same =
      entry.spec === request.spec &&
      entry.contextKey === contextKey &&
      entry.dockerfileName === dockerfile.name &&
      entry.ignore.join('\n') === ignore.join('\n');
    if (same) return entry;
    entry.drop();
    return undefined;
  }
}

function keyOf(runId: string, step: string): string {
  return JSON.stringify([runId, step]);
}

function beginBuild(
  api: EngineApi,
  { spec, opened }: BuildAheadRequest,
  { source, key }: { readonly source: ContextSource; readonly key: string },
  environment: BuildRunContext,
  signal: AbortSignal,
): Entry {
  const dockerfile = Promise.withResolvers<ContextSource>();
  let onReadError: (error: ContextReadError) => void = () => undefined;
  const cache = planCache(spec);
  const opening =
    'reason' in cache
      ? Promise.resolve(undefined)
      : openBuild(api, {
          sharedKey: key,
          services: sessionServices(
            { context: source, dockerfile: sourceOf(dockerfile.promise), onReadError: (error) => onReadError(error) },
            environment,
            signal,
          ),
          query: buildkitQuery(spec, opened.dockerfileName, { tags: [...spec.tags, ...cache.pushTo], cache, target: { kind: 'image' } }),
        }).catch(() => undefined);
  return {
    spec,
    dockerfileName: opened.dockerfileName,
    ignore: opened.ignore,
    contextKey: key,
    served: opening,
    takeOver: (text, onError) => {
      onReadError = onError;
      dockerfile.resolve(text);
      return opening;
    },
    drop: () => {
      void opening.then((build) => {
        build?.answer.abandon();
        build?.session.close();
      });
    },
  };
}

/** A source that is not there yet. */
function sourceOf(coming: Promise<ContextSource>): ContextSource {
  return {
    async *entries(selection) {
      yield* (await coming).entries(selection);
    },
    async *read(entry) {
      yield* (await coming).read(entry);
    },
  };
}
