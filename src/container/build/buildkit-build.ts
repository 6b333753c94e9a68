import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { EngineError } from '../../model/engine-error.ts';
import type { BuildIo, BuildRequest } from '../../model/ports/container-engine.ts';
import { type EngineApi, toEngineError } from '../engine-api.ts';
import type { BuildRunContext } from '../image-builder.ts';
import type { BuildTarget } from './build-output.ts';
import { buildArguments, buildQuery } from './build-parameters.ts';
import { type BuilderResult, outcomeOfFailure } from './build-result.ts';
import { decodeBuildTrace } from './build-trace.ts';
import type { CachePlan } from './cache-options.ts';
import type { ContextReadError, ContextSource } from './context/context-entry.ts';
import { memorySource } from './context/memory-source.ts';
import { type BuildMessage, readJsonLines } from './json-lines.ts';
import { authService } from './session/auth-service.ts';
import { fileSendService } from './session/file-send-service.ts';
import { fileSyncService } from './session/file-sync-service.ts';
import type { GrpcHandler } from './session/grpc-server.ts';
import { healthService } from './session/health-service.ts';
import { openSession } from './session/open-session.ts';
import { secretsService } from './session/secrets-service.ts';
import { type AgentDialer, sshService } from './session/ssh-service.ts';
import { TraceProgress } from './trace-progress.ts';
import { writeOutput } from './write-output.ts';

/** How long the engine may take to let go of a cancelled build. */
const CANCEL_WAIT_MS = 10_000;

/** Everything of one build that is read and checked before the engine hears of it. */
export interface PreparedInputs {
  readonly context: ContextSource;
  /** Names the context's place across builds, so that the engine asks only for what changed in it. */
  readonly contextKey: string;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly agents: ReadonlyMap<string, AgentDialer>;
  readonly cache: CachePlan;
  readonly target: BuildTarget;
  readonly tags: readonly string[];
}

/** Builds through BuildKit's session API. Resolves when the engine has let go; a cancelled build resolves as it ended. */
export async function buildWithBuildkit(
  api: EngineApi,
  request: BuildRequest,
  inputs: PreparedInputs,
  io: BuildIo,
  environment: BuildRunContext,
): Promise<BuilderResult> {
  let readError: ContextReadError | undefined;
  const query = buildkitQuery(request, inputs);
  const output = inputs.target.kind === 'image' ? undefined : new PassThrough();
  // An output that cannot be written fails the engine's side too; the writer's own error says why.
  const writing = output === undefined ? undefined : writeOutput(output, inputs.target, environment);
  writing?.catch(() => output?.destroy());
  const session = await openSession(api.transport, {
    sharedKey: inputs.contextKey,
    services: sessionServices(request, inputs, { ...environment, signal: io.signal }, output, (error) => {
      readError ??= error;
    }),
  });
  let lost = false;
  void session.closed.then(() => {
    lost = true;
  });
  try {
    const result = await solve(api, query, session.id, io);
    if (readError !== undefined) throw readError;
    if (!result.ok && lost && !io.signal.aborted) {
      throw new EngineError('engine-failed', `build: the engine dropped the build's session: ${result.message}`, { transient: true });
    }
    // A build that failed sends no archive: an empty one would replace what the workspace has.
    if (result.ok) output?.end();
    else output?.destroy();
    await (result.ok ? writing : writing?.catch(() => undefined));
    return result;
  } catch (error) {
    throw readError ?? error;
  } finally {
    session.close();
    output?.destroy();
  }
}

function sessionServices(
  request: BuildRequest,
  inputs: PreparedInputs,
  environment: BuildRunContext & { readonly signal: AbortSignal },
  output: PassThrough | undefined,
  onReadError: (error: ContextReadError) => void,
): ReadonlyMap<string, GrpcHandler>[] {
  const name = dockerfileName(request);
  const { text } = request.inputs.dockerfile;
  // The rules go along with the Dockerfile: the engine prefers them to a .dockerignore of the context. A comment stands for none.
  const ignore = request.inputs.ignore.length === 0 ? '#\n' : `${request.inputs.ignore.join('\n')}\n`;
  const sources = new Map<string, ContextSource>([
    ['context', inputs.context],
    ['dockerfile', memorySource(new Map([[name, text] as const, [`${name}.dockerignore`, ignore] as const]))],
  ]);
  return [
    healthService,
    authService(environment.credentials, environment.signal),
    fileSyncService(sources, onReadError),
    ...(inputs.secrets.size === 0 ? [] : [secretsService(inputs.secrets)]),
    ...(inputs.agents.size === 0 ? [] : [sshService(inputs.agents)]),
    ...(output === undefined ? [] : [fileSendService(output)]),
  ];
}

/** The last part of the Dockerfile's path: it is served from a directory of its own. */
function dockerfileName(request: BuildRequest): string {
  const name = request.inputs.dockerfile.name.split('/').at(-1) ?? '';
  return name === '' || name === '-' ? 'Dockerfile' : name;
}

function buildkitQuery(request: BuildRequest, inputs: PreparedInputs): URLSearchParams {
  const query = buildQuery(request.spec, inputs.tags);
  const args = Object.fromEntries(buildArguments(request.spec));
  if (inputs.cache.inline) args['BUILDKIT_INLINE_CACHE'] = '1';
  if (Object.keys(args).length > 0) query.set('buildargs', JSON.stringify(args));
  if (inputs.cache.from.length > 0) query.set('cachefrom', JSON.stringify(inputs.cache.from));
  if (inputs.target.kind !== 'image') query.set('outputs', JSON.stringify([{ Type: 'tar', Attrs: {} }]));
  query.set('version', '2');
  query.set('remote', 'client-session');
  query.set('dockerfile', dockerfileName(request));
  query.set('buildid', randomUUID());
  return query;
}

/** Starts the build and follows its messages to the end. */
async function solve(api: EngineApi, query: URLSearchParams, session: string, io: BuildIo): Promise<BuilderResult> {
  query.set('session', session);
  const gone = new AbortController();
  let deadline: NodeJS.Timeout | undefined;
  const cancel = (): void => {
    deadline = setTimeout(() => gone.abort(), CANCEL_WAIT_MS);
    api.json({ method: 'POST', path: '/build/cancel', query: { id: query.get('buildid') ?? '' } }).catch(() => gone.abort());
  };
  io.signal.addEventListener('abort', cancel, { once: true });
  try {
    if (io.signal.aborted) return { ok: false, message: 'canceled' };
    // The query may repeat names (t, extrahosts), so it is written out; "&" keeps what the client appends apart.
    const stream = await api.stream({ method: 'POST', path: `/build?${query}&`, signal: gone.signal });
    return await followBuild(readJsonLines(stream as AsyncIterable<Uint8Array>), io);
  } finally {
    io.signal.removeEventListener('abort', cancel);
    clearTimeout(deadline);
  }
}

async function followBuild(messages: AsyncIterable<BuildMessage>, io: BuildIo): Promise<BuilderResult> {
  const progress = new TraceProgress(io);
  let imageId: string | undefined;
  let report: string | undefined;
  try {
    for await (const message of messages) {
      if (message.id === 'moby.buildkit.trace' && typeof message.aux === 'string') {
        await progress.handle(decodeBuildTrace(Buffer.from(message.aux, 'base64')));
      } else if (message.id === 'moby.image.id') imageId = (message.aux as { readonly ID?: string } | null)?.ID;
      else report ??= message.errorDetail?.message ?? message.error;
    }
  } catch (error) {
    throw error instanceof RangeError || error instanceof SyntaxError
      ? new EngineError('engine-failed', `build: the engine's progress cannot be read: ${error.message}`, { cause: error })
      : toEngineError(error, 'build');
  }
  progress.finish();
  if (report !== undefined) return io.signal.aborted ? { ok: false, message: report } : outcomeOfFailure(report, progress.failure(report));
  return { ok: true, imageId: imageId ?? '' };
}
