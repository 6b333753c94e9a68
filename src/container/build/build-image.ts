import { hostname } from 'node:os';
import { posix } from 'node:path';
import { EngineError } from '../../model/engine-error.ts';
import type { BuildSpec } from '../../model/plan.ts';
import type { BuildIo, BuildOutcome, BuildRequest, EngineDescription } from '../../model/ports/container-engine.ts';
import { EngineApi, type EngineTransport } from '../engine-api.ts';
import type { BuildRunContext, ImageBuilder } from '../image-builder.ts';
import { BegunBuilds } from './begun-builds.ts';
import { type BuildTarget, planOutput } from './build-output.ts';
import { type Builder, chooseBuilder, type Refusal } from './build-parameters.ts';
import { type BuilderResult, CANCELED, failed, outcomeOfError } from './build-result.ts';
import { readBuildSecrets } from './build-secrets.ts';
import { buildWithBuildkit, type PreparedInputs } from './buildkit-build.ts';
import { planCache } from './cache-options.ts';
import { pushCache } from './cache-push.ts';
import { buildClassic } from './classic-build.ts';
import type { ContextSource } from './context/context-entry.ts';
import { directorySource } from './context/directory-source.ts';
import { memorySource } from './context/memory-source.ts';
import { spoolContext } from './context/spool-source.ts';
import { compileIgnoreRules } from './ignore-patterns.ts';
import { quietIo } from './quiet-io.ts';
import { openSshAgents } from './ssh-agents.ts';
import { writeWorkspaceFile } from './write-output.ts';

/**
 * Builds images on one engine: through BuildKit where it has that, through the classic builder otherwise. Builds may run
 * side by side. A mistake of the author (a failing instruction, a bad Dockerfile, a value that cannot be read) is an
 * outcome; an engine or registry that cannot do its work rejects with EngineError, and so does an option that this
 * engine has no word for (`engine-too-old`, naming the flag).
 */
export function createImageBuilder(transport: EngineTransport, description: EngineDescription): ImageBuilder {
  const api = new EngineApi(transport);
  const begun = new BegunBuilds(api);
  return {
    build: (request, io, context) => buildImage({ api, description, request, context, begun }, io),
    begin: async (request, context, signal) => {
      const place = request.opened.context;
      if (place.kind !== 'directory' || !beginsAlone(request.spec) || usesOther(request.spec, description)) return;
      const source = directorySource(place.path, compileIgnoreRules(request.opened.ignore));
      await begun.begin(request, { source, key: sharedKey(place.path) }, context, signal);
    },
  };
}

/** Secrets, keys and outputs are read, and may be refused, when the build itself is asked for. */
function beginsAlone({ secrets, ssh, outputs }: BuildSpec): boolean {
  return secrets.length === 0 && ssh.length === 0 && outputs.length === 0;
}

function usesOther(spec: BuildSpec, description: EngineDescription): boolean {
  try {
    const choice = chooseBuilder(spec, description);
    return 'reason' in choice || choice.builder !== 'buildkit' || 'reason' in planCache(spec);
  } catch {
    // The build itself says what is wrong with its options.
    return true;
  }
}

interface Build {
  readonly api: EngineApi;
  readonly description: EngineDescription;
  readonly request: BuildRequest;
  readonly context: BuildRunContext;
  readonly begun: BegunBuilds;
}

async function buildImage(build: Build, io: BuildIo): Promise<BuildOutcome> {
  if (io.signal.aborted) return CANCELED;
  const { spec } = build.request;
  const choice = accept(chooseBuilder(spec, build.description));
  const quiet = spec.quiet || spec.progress === 'quiet' ? quietIo(io) : undefined;
  const buildIo = quiet?.io ?? io;
  for (const flag of choice.ignored) {
    buildIo.onProgress({
      vertex: 'options',
      name: flag,
      state: 'running',
      warning: `${flag} has no effect: BuildKit of this engine ignores it`,
    });
  }
  let dispose = async (): Promise<void> => undefined;
  try {
    const prepared = await prepareInputs(build);
    dispose = prepared.dispose;
    const result = await runBuilder(build, choice.builder, prepared.inputs, buildIo);
    if (io.signal.aborted) return CANCELED;
    if (!result.ok) {
      await quiet?.flush();
      return failed(result.message);
    }
    await finish(build, result.imageId, prepared.inputs, io);
    await quiet?.succeed(result.imageId);
    return { ok: true, imageId: result.imageId };
  } catch (error) {
    if (io.signal.aborted) return CANCELED;
    await quiet?.flush();
    return outcomeOfError(error);
  } finally {
    await dispose();
  }
}

function accept<T extends object>(planned: T | Refusal): T {
  if (!('reason' in planned)) return planned;
  throw new EngineError('engine-too-old', planned.reason);
}

function runBuilder(build: Build, builder: Builder, inputs: PreparedInputs, io: BuildIo): Promise<BuilderResult> {
  const { api, request, context, begun } = build;
  return builder === 'buildkit'
    ? buildWithBuildkit(api, request, inputs, io, context, begun.take(request, inputs.contextKey, context))
    : buildClassic(api, request, inputs, io, context);
}

async function prepareInputs(build: Build): Promise<{ readonly inputs: PreparedInputs; readonly dispose: () => Promise<void> }> {
  const { request, context } = build;
  const cache = accept(planCache(request.spec));
  const target: BuildTarget = accept(planOutput(request.spec));
  const secrets = await readBuildSecrets(request, context);
  const agents = await openSshAgents(request, context);
  const opened = await openContext(request, context);
  const inputs: PreparedInputs = { ...opened, secrets, agents, cache, target, tags: [...request.spec.tags, ...cache.pushTo] };
  return { inputs, dispose: opened.dispose };
}

interface OpenedContext {
  readonly context: ContextSource;
  readonly contextKey: string;
  readonly dispose: () => Promise<void>;
}

async function openContext(request: BuildRequest, environment: BuildRunContext): Promise<OpenedContext> {
  const { context, ignore } = request.inputs;
  const rules = compileIgnoreRules(ignore);
  const nothing = async (): Promise<void> => undefined;
  switch (context.kind) {
    case 'directory':
      return { context: directorySource(context.path, rules), contextKey: sharedKey(context.path), dispose: nothing };
    case 'workspace': {
      // Times in an archive are whole seconds: too coarse to tell what changed, so every build sends all of it.
      const spooled = await spoolContext(await environment.readWorkspaceTar(context.path), rules);
      return {
        context: spooled,
        contextKey: sharedKey(`${environment.runId}:${request.step}:${request.attempt}:${Date.now()}`),
        dispose: spooled.dispose,
      };
    }
    case 'empty':
      return { context: memorySource(new Map()), contextKey: sharedKey('empty'), dispose: nothing };
  }
}

/** Different machines may build equal paths on one engine, so the name of the place holds the machine's too. ASCII: it is sent as a header. */
function sharedKey(place: string): string {
  return encodeURIComponent(`${hostname()}:${place}`.toWellFormed());
}

async function finish(build: Build, imageId: string, inputs: PreparedInputs, io: BuildIo): Promise<void> {
  const { spec } = build.request;
  const write = (path: string, text: string): Promise<void> =>
    writeWorkspaceFile(posix.resolve(spec.workdir, path), Buffer.from(text, 'utf8'), build.context);
  if (spec.iidfile !== undefined) await write(spec.iidfile, imageId);
  if (spec.metadataFile !== undefined) await write(spec.metadataFile, metadata(imageId, spec.tags));
  const { credentials } = build.context;
  for (const reference of inputs.cache.pushTo) await pushCache(build.api, reference, { tags: spec.tags, credentials }, io);
}

/** The document of `--metadata-file`, in buildx's key names. */
function metadata(imageId: string, tags: readonly string[]): string {
  const document = {
    ...(imageId === '' ? {} : { 'containerimage.config.digest': imageId, 'containerimage.digest': imageId }),
    ...(tags.length === 0 ? {} : { 'image.name': tags.join(',') }),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
