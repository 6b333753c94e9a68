import { EngineError } from '../model/engine-error.ts';
import type { BaseImage } from '../model/image.ts';
import type { BuildSpec } from '../model/plan.ts';
import type { BuildInputs, BuildInputsRequest, PreparedBuild } from '../model/ports/build-inputs.ts';
import type { RunRequest } from '../model/run-record.ts';
import { pinDockerfile } from '../task/dockerfile/pin-dockerfile.ts';
import type { DockerfileScan, ImageOrigin } from '../task/dockerfile/scan-dockerfile.ts';
import { type BaseImageParts, BaseImageResolver, type BaseResolver, type ResolvedBase, substituteBases } from './base-images.ts';
import { type BuildContext, type ContextFile, type ContextParts, openBuildContext, stdinOf } from './build-context.ts';
import type { UntrustedRules } from './untrusted-images.ts';

/** What one run's builds are prepared with. Make one per run: base images are resolved once per run. */
export type BuildInputsParts = ContextParts &
  BaseImageParts & {
    /** Base images that are taken otherwise than written: those of the run's request. */
    readonly baseImages?: NonNullable<RunRequest['baseImages']>;
    /** The run is untrusted: it gets these images only. */
    readonly untrusted?: UntrustedRules;
  };

const LARGEST_DOCKERFILE = 1024 * 1024;

/** BuildInputs over git, archives, registries and the engine's own images. */
export function createBuildInputs(parts: BuildInputsParts): BuildInputs {
  const { untrusted, baseImages = [] } = parts;
  if (untrusted === undefined) {
    const bases = substituteBases(new BaseImageResolver(parts), baseImages);
    return { prepare: (request) => prepare(request, parts, bases) };
  }
  // What only untrusted runs need takes a while to load.
  const images = import('./untrusted-images.ts').then(({ UntrustedImages }) => new UntrustedImages(parts, untrusted));
  images.catch(() => undefined);
  const bases = substituteBases({ resolve: async (origin, options) => (await images).resolve(origin, options) }, baseImages);
  return {
    prepare: (request) => prepare(request, parts, bases),
    stepImage: async (request) => (await images).stepImage(request),
  };
}

async function prepare(request: BuildInputsRequest, parts: BuildInputsParts, bases: BaseResolver): Promise<PreparedBuild> {
  request.signal.throwIfAborted();
  const checks = parts.untrusted === undefined ? undefined : await import('./untrusted-dockerfile.ts');
  // Before the build is begun ahead: it would go by them at once.
  checks?.checkArguments(request.spec);
  const context = await openBuildContext(request, parts);
  try {
    const dockerfile = await readDockerfile(request.spec, context, parts);
    const ignore = await readIgnore(dockerfile.name, context);
    await request.onOpened?.({ context: context.context, dockerfileName: dockerfile.name, ignore });
    const [pinned, gitHead] = await Promise.all([resolveAndPin(dockerfile, request, bases, checks), context.gitHead]);
    return {
      context: context.context,
      dockerfile: { name: dockerfile.name, text: pinned.text },
      ignore,
      baseImages: pinned.baseImages,
      gitHead,
      dispose: () => context.dispose(),
    };
  } catch (error) {
    await context.dispose();
    throw error;
  }
}

/** The Dockerfile of a build: from `-f`, from standard input, or from the context. */
export async function readDockerfile(
  spec: Pick<BuildSpec, 'dockerfile'>,
  context: BuildContext,
  parts: ContextParts,
): Promise<{ readonly name: string; readonly text: string }> {
  if (context.dockerfile !== undefined) return { name: 'Dockerfile', text: context.dockerfile };
  const wanted = spec.dockerfile ?? '';
  const file: ContextFile =
    wanted === '-' ? { name: 'Dockerfile', text: await readStream(stdinOf(parts, 'the Dockerfile')) } : await context.read(wanted);
  if (file.text === undefined) throw new EngineError('dockerfile-missing', `there is no Dockerfile at \`${file.name}\``);
  return { name: file.name, text: file.text };
}

async function readStream(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content) {
    size += chunk.byteLength;
    if (size > LARGEST_DOCKERFILE)
      throw new EngineError('context-rejected', `the Dockerfile from standard input has more than ${LARGEST_DOCKERFILE} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The ignore file beside the Dockerfile wins over the one of the context. */
async function readIgnore(dockerfile: string, context: BuildContext): Promise<readonly string[]> {
  if (context.context.kind === 'empty') return [];
  const text = (await context.read(`${dockerfile}.dockerignore`)).text ?? (await context.readInside('.dockerignore')) ?? '';
  return text === '' ? [] : text.replace(/^\ufeff/, '').split(/\r?\n/);
}

type UntrustedChecks = typeof import('./untrusted-dockerfile.ts');

async function resolveAndPin(
  dockerfile: { readonly name: string; readonly text: string },
  request: BuildInputsRequest,
  bases: BaseResolver,
  checks: UntrustedChecks | undefined,
): Promise<{ readonly text: string; readonly baseImages: readonly BaseImage[] }> {
  const { spec, signal, onNote } = request;
  // The parser of Dockerfiles takes 5 ms to load; what could begin before has begun.
  const { scanForPlatforms } = await import('./scan-platforms.ts');
  checks?.checkFrontend(dockerfile);
  const scanned = scanForPlatforms(dockerfile, spec, request.platform, checks !== undefined);
  if (!scanned.ok) {
    checks?.refuse(dockerfile.name, scanned.error[0]?.message ?? 'it cannot be read');
    for (const problem of scanned.error) onNote('warning', `${dockerfile.name}: ${problem.message} It goes to the engine as it is.`);
    return { text: dockerfile.text, baseImages: [] };
  }
  for (const warning of scanned.value.warnings) onNote('warning', `${dockerfile.name}: ${warning.message}`);
  const scans = scanned.value.value;
  const origins = originsOf(scans);
  const options = { pull: spec.pull, signal, onNote: (level: 'info' | 'warning', message: string): void => onNote(level, message) };
  const resolved = await Promise.all(origins.map((origin) => bases.resolve(origin, options)));
  const text = pinAll(dockerfile.text, scans, pinsOf(resolved));
  checks?.checkImages(
    { name: dockerfile.name, text },
    resolved.map(({ image, pinned }) => pinned ?? image.reference),
  );
  return { text, baseImages: resolved.map(({ image }) => image) };
}

/** Each image once per platform; the runtime image of the first platform comes first. */
function originsOf(scans: readonly DockerfileScan[]): readonly ImageOrigin[] {
  const unique = new Map<string, ImageOrigin>();
  for (const origin of scans.flatMap((scan) => [scan.runtime, ...scan.buildtime])) {
    const key = `${origin.reference} ${origin.platform} ${origin.role}`;
    if (!unique.has(key)) unique.set(key, origin);
  }
  return [...unique.values()];
}

function pinsOf(resolved: readonly ResolvedBase[]): ReadonlyMap<string, string> {
  return new Map(resolved.flatMap(({ image, pinned }) => (pinned === undefined ? [] : [[image.reference, pinned] as const])));
}

/** One Dockerfile serves all platforms, so only a word that means the same image for each of them is pinned. */
function pinAll(text: string, scans: readonly DockerfileScan[], pins: ReadonlyMap<string, string>): string {
  const [first, ...others] = scans;
  if (first === undefined) return text;
  const means = others.map(
    (scan) =>
      new Map([scan.runtime, ...scan.buildtime].flatMap(({ reference, words }) => words.map((word) => [word.start, reference] as const))),
  );
  const agreed = (origin: ImageOrigin): ImageOrigin => ({
    ...origin,
    words: origin.words.filter((word) => means.every((meaning) => meaning.get(word.start) === origin.reference)),
  });
  return pinDockerfile(text, { runtime: agreed(first.runtime), buildtime: first.buildtime.map(agreed) }, pins);
}
