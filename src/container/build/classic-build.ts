import { EngineError } from '../../model/engine-error.ts';
import type { BuildIo, BuildRequest } from '../../model/ports/container-engine.ts';
import type { EngineApi } from '../engine-api.ts';
import type { BuildRunContext } from '../image-builder.ts';
import { isLoopbackHost, registryHostOf } from '../image-name.ts';
import { buildArguments, buildQuery } from './build-parameters.ts';
import type { BuilderResult } from './build-result.ts';
import type { PreparedInputs } from './buildkit-build.ts';
import { ClassicProgress } from './classic-progress.ts';
import type { ContextSource } from './context/context-entry.ts';
import { type ExtraFile, packSource } from './context-tar.ts';
import { readJsonLines } from './json-lines.ts';
import { registryConfig } from './registry-auth.ts';

/**
 * The Dockerfile travels in the context under a name of its own, always the same one: a new name each time would change
 * the context and with it what the cache knows.
 */
const DOCKERFILE = '.slipway.Dockerfile';
const IGNORE_FILE = '.dockerignore';
const SECRET_PREFIX = '.slipway.secret-';

/** Builds through the engine's classic `POST /build` (Podman, and what BuildKit has no option for). */
export async function buildClassic(
  api: EngineApi,
  request: BuildRequest,
  inputs: PreparedInputs,
  io: BuildIo,
  environment: BuildRunContext,
): Promise<BuilderResult> {
  if (io.signal.aborted) return { ok: false, message: 'canceled' };
  const secretNames = [...inputs.secrets.keys()].map((_, index) => `${SECRET_PREFIX}${index}`);
  const body = packSource(inputs.context, [
    { path: DOCKERFILE, mode: 0o644, content: Buffer.from(request.inputs.dockerfile.text, 'utf8') },
    await ignoreFile(inputs.context),
    ...[...inputs.secrets.values()].map((content, index) => ({ path: secretNames[index] ?? '', mode: 0o600, content })),
  ]);
  let bodyError: Error | undefined;
  body.on('error', (error) => {
    bodyError ??= error;
  });
  const progress = new ClassicProgress(io);
  try {
    const stream = await api.stream({
      method: 'POST',
      path: `/build?${classicQuery(request, inputs, secretNames, environment)}&`,
      file: body,
      headers: {
        'Content-Type': 'application/x-tar',
        'X-Registry-Config': await registryConfig(environment.credentials, registryHosts(request, environment), io.signal),
      },
      signal: io.signal,
    });
    for await (const message of readJsonLines(stream as AsyncIterable<Uint8Array>)) await progress.handle(message);
  } catch (error) {
    if (io.signal.aborted) return { ok: false, message: 'canceled' };
    throw bodyError ?? asEngineFailure(error);
  } finally {
    body.destroy();
  }
  return progress.result();
}

/** A stream that is no progress is the engine's defect; what else went wrong is judged by the caller. */
function asEngineFailure(error: unknown): unknown {
  return error instanceof SyntaxError ? new EngineError('engine-failed', `build: ${error.message}`, { cause: error }) : error;
}

function classicQuery(
  request: BuildRequest,
  inputs: PreparedInputs,
  secretNames: readonly string[],
  environment: BuildRunContext,
): URLSearchParams {
  const query = buildQuery(request.spec, inputs.tags);
  const args = Object.fromEntries(buildArguments(request.spec));
  if (Object.keys(args).length > 0) query.set('buildargs', JSON.stringify(args));
  if (inputs.cache.from.length > 0) query.set('cachefrom', JSON.stringify(inputs.cache.from));
  query.set('dockerfile', DOCKERFILE);
  // Podman's word, and without it no registry needs TLS there; Docker goes by its own configuration.
  query.set('tlsVerify', mayGoWithoutTls(request, environment) ? 'false' : 'true');
  if (inputs.secrets.size > 0) {
    query.set('secrets', JSON.stringify([...inputs.secrets.keys()].map((id, index) => `id=${id},src=${secretNames[index] ?? ''}`)));
  }
  return query;
}

/** The option holds for every registry of the build, so all of them must be allowed to speak plain HTTP. */
function mayGoWithoutTls(request: BuildRequest, environment: BuildRunContext): boolean {
  const hosts = baseHosts(request);
  return hosts.length > 0 && hosts.every((host) => isLoopbackHost(host) || environment.insecureRegistries.includes(host));
}

function baseHosts(request: BuildRequest): string[] {
  return request.inputs.baseImages
    .filter((image) => image.source === 'registry' || image.source === 'unresolved')
    .map((image) => registryHostOf(image.reference));
}

function registryHosts(request: BuildRequest, environment: BuildRunContext): Set<string> {
  return new Set([...environment.credentials.explicitHosts(), ...baseHosts(request)]);
}

/**
 * The engine removes from the context what this file names: our Dockerfile, and the file itself when the author's
 * context has none. The author's rules were applied already.
 */
async function ignoreFile(context: ContextSource): Promise<ExtraFile> {
  let text: string | undefined;
  for await (const entry of context.entries({ followPaths: [], includePatterns: [IGNORE_FILE] })) {
    if (entry.path !== IGNORE_FILE || entry.kind !== 'file') continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of context.read(entry)) chunks.push(chunk);
    text = Buffer.concat(chunks).toString('utf8');
  }
  const lines = text === undefined ? [IGNORE_FILE, DOCKERFILE] : [text, DOCKERFILE];
  return { path: IGNORE_FILE, mode: 0o644, content: Buffer.from(`${lines.join('\n')}\n`, 'utf8') };
}
