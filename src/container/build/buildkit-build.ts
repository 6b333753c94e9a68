import { PassThrough } from 'node:stream';
import { EngineError } from '../../model/engine-error.ts';
import type { BuildSpec } from '../../model/plan.ts';
import type { BuildIo, BuildRequest } from '../../model/ports/container-engine.ts';
import { uniqueWord } from '../../util/unique-word.ts';
import { type EngineApi, toEngineError } from '../engine-api.ts';
import type { BuildRunContext } from '../image-builder.ts';
import type { BegunBuild } from './begun-builds.ts';
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
import type { GrpcHandler } from './session/grpc-call.ts';
import { healthService } from './session/health-service.ts';
import { type EngineSession, newSessionId, openSession } from './session/open-session.ts';
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
  begun?: BegunBuild,
): Promise<BuilderResult> {
  let readError: ContextReadError | undefined;
  const output = inputs.target.kind === 'image' ? undefined : new PassThrough();
  // An output that cannot be written fails the engine's side too; the writer's own error says why.
  const writing = output === undefined ? undefined : writeOutput(output, inputs.target, environment);
  writing?.catch(() => output?.destroy());
  const onReadError = (error: ContextReadError): void => {
    readError ??= error;
  };
  const dockerfile = dockerfileSource(dockerfileName(request.inputs.dockerfile.name), request.inputs);
  const { session, answer } =
    (await begun?.takeOver(dockerfile, onReadError)) ??
    (await openBuild(api, {
      sharedKey: inputs.contextKey,
      services: sessionServices({ context: inputs.context, dockerfile, inputs, output, onReadError }, environment, io.signal),
      query: buildkitQuery(request.spec, request.inputs.dockerfile.name, inputs),
    }));
  let lost = false;
  void session.closed.then(() => {
    lost = true;
  });
  try {
    const result = await solve(api, answer, io);
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

/** What a session serves besides health and logins. */
interface ServedParts {
  readonly context: ContextSource;
  readonly dockerfile: ContextSource;
  readonly inputs?: Pick<PreparedInputs, 'secrets' | 'agents'>;
  readonly output?: PassThrough | undefined;
  onReadError(error: ContextReadError): void;
}

export function sessionServices(
  { context, dockerfile, inputs, output, onReadError }: ServedParts,
  environment: BuildRunContext,
  signal: AbortSignal,
): ReadonlyMap<string, GrpcHandler>[] {
  const sources = new Map<string, ContextSource>([
    ['context', context],
    ['dockerfile', dockerfile],
  ]);
  return [
    healthService,
    authService(environment.credentials, signal),
    fileSyncService(sources, onReadError),
    ...(inputs === undefined || inputs.secrets.size === 0 ? [] : [secretsService(inputs.secrets)]),
    ...(inputs === undefined || inputs.agents.size === 0 ? [] : [sshService(inputs.agents)]),
    ...(output === undefined ? [] : [fileSendService(output)]),
  ];
}

/** The rules go along with the Dockerfile: the engine prefers them to a .dockerignore of the context. A comment stands for none. */
function dockerfileSource(name: string, { dockerfile, ignore }: BuildRequest['inputs']): ContextSource {
  const rules = ignore.length === 0 ? '#\n' : `${ignore.join('\n')}\n`;
  return memorySource(new Map([[name, dockerfile.text] as const, [`${name}.dockerignore`, rules] as const]));
}

/** The last part of the Dockerfile's path: it is served from a directory of its own. */
function dockerfileName(path: string): string {
  const name = path.split('/').at(-1) ?? '';
  return name === '' || name === '-' ? 'Dockerfile' : name;
}

export function buildkitQuery(
  spec: BuildSpec,
  dockerfilePath: string,
  { tags, cache, target }: Pick<PreparedInputs, 'tags' | 'cache' | 'target'>,
): URLSearchParams {
  const query = buildQuery(spec, tags);
  const args = Object.fromEntries(buildArguments(spec));
  if (cache.inline) args['BUILDKIT_INLINE_CACHE'] = '1';
  if (Object.keys(args).length > 0) query.set('buildargs', JSON.stringify(args));
  if (cache.from.length > 0) query.set('cachefrom', JSON.stringify(cache.from));
  if (target.kind !== 'image') query.set('outputs', JSON.stringify([{ Type: 'tar', Attrs: {} }]));
  query.set('version', '2');
  query.set('remote', 'client-session');
  query.set('dockerfile', dockerfileName(dockerfilePath));
  query.set('buildid', uniqueWord(25));
  return query;
}

/** What the engine says about a build that it has been given. */
export interface BuildAnswer {
  readonly id: string;
  /** Rejects as EngineApi does. */
  readonly messages: Promise<AsyncIterable<Uint8Array>>;
  /** Breaks the connection. */
  abandon(): void;
}

/** A build that the engine works at. */
export interface OpenBuild {
  readonly session: EngineSession;
  readonly answer: BuildAnswer;
}

/** Opens a session and starts the build on it. */
export async function openBuild(
  api: EngineApi,
  options: {
    readonly sharedKey: string;
    readonly services: readonly ReadonlyMap<string, GrpcHandler>[];
    readonly query: URLSearchParams;
  },
): Promise<OpenBuild> {
  const { query } = options;
  const id = newSessionId();
  query.set('session', id);
  const opening = openSession(api.transport, { ...options, id });
  const gone = new AbortController();
  // The engine waits some seconds for the session that a build names, so nobody else has to. The query may repeat names (t, extrahosts), so it is written out; "&" keeps what the client appends apart.
  const messages = api.stream({ method: 'POST', path: `/build?${query}&`, signal: gone.signal });
  messages.catch(() => undefined);
  const session = await opening.catch((error: unknown) => {
    gone.abort();
    throw error;
  });
  return { session, answer: { id: query.get('buildid') ?? '', messages, abandon: () => gone.abort() } };
}

/** Follows the build to its end; cancels it with the signal. */
async function solve(api: EngineApi, answer: BuildAnswer, io: BuildIo): Promise<BuilderResult> {
  if (io.signal.aborted) {
    answer.abandon();
    return { ok: false, message: 'canceled' };
  }
  let deadline: NodeJS.Timeout | undefined;
  const cancel = (): void => {
    deadline = setTimeout(answer.abandon, CANCEL_WAIT_MS);
    api.json({ method: 'POST', path: '/build/cancel', query: { id: answer.id } }).catch(answer.abandon);
  };
  io.signal.addEventListener('abort', cancel, { once: true });
  try {
    return await followBuild(readJsonLines(await answer.messages), io);
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
