import { err, ok, type Result } from '../util/result.ts';
import type { BaseImage, ImageDependencies, ImageDescription } from './image.ts';
import { describeImage } from './image-description.ts';

interface BuiltFrom {
  /** Tags of the build as written. */
  readonly tags: readonly string[];
  readonly baseImages: readonly Pick<BaseImage, 'reference' | 'role' | 'indexDigest'>[];
  /** Commit of the context; empty without git. */
  readonly gitHead: string;
  /** Digests of pushed tags, by tag as written. */
  readonly digests?: ReadonlyMap<string, string>;
}

/**
 * The entries of ACR's dependency document for one build: one per tag, or a single one without an image. Empty when the
 * runtime image is not known. The error names a tag that is no reference.
 */
export function describeDependencies(build: BuiltFrom): Result<readonly ImageDependencies[], string> {
  const runtime = build.baseImages.find(({ role }) => role === 'runtime');
  if (runtime === undefined) return ok([]);
  const images: (ImageDescription | null)[] = build.tags.length === 0 ? [null] : [];
  for (const tag of build.tags) {
    const image = describeImage(tag, build.digests?.get(tag));
    if (!image.ok) return err(image.error);
    images.push(image.value);
  }
  const common = {
    'runtime-dependency': describeBase(runtime.reference, runtime.indexDigest),
    'buildtime-dependency': buildtimeOf(build),
    git: { 'git-head-revision': build.gitHead },
  };
  return ok(images.map((image) => ({ image, ...common })));
}

/** Sorted by reference, each once; null when there is none. */
function buildtimeOf({ baseImages }: BuiltFrom): readonly ImageDescription[] | null {
  const unique = new Map<string, ImageDescription>();
  for (const { reference, role, indexDigest } of baseImages) {
    if (role !== 'buildtime') continue;
    const described = describeBase(reference.replace(/^library\//, ''), indexDigest);
    unique.set(described.reference, described);
  }
  if (unique.size === 0) return null;
  return [...unique.values()].sort((left, right) => (left.reference < right.reference ? -1 : 1));
}

/** An image whose name a variable leaves open is described by what is written. */
function describeBase(reference: string, digest: string): ImageDescription {
  const described = describeImage(reference, digest);
  return described.ok ? described.value : { registry: '', repository: '', digest: '', reference };
}
