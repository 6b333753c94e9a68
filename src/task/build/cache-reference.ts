import { splitImageReference } from '../../model/image-reference.ts';
import { err, ok, type Result } from '../../util/result.ts';

const LONGEST_TAG = 128;

interface CacheOptions {
  readonly tags: readonly string[];
  /** The run's registry; empty when there is none. */
  readonly registry: string;
  readonly taskName: string;
  readonly stepId: string;
}

/**
 * Where `cache: enabled` keeps a build's cache: `HOST/PATH:cache_TASK_STEP` of the first tag that names a registry, otherwise
 * of the run's registry and the first tag. Undefined without tags; the error says why there can be no such reference.
 */
export function cacheReference(options: CacheOptions): Result<string | undefined, string> {
  const { tags, registry, stepId } = options;
  const first = tags[0];
  if (first === undefined) return ok(undefined);
  const tag = `cache_${options.taskName === '' ? 'quickrun' : options.taskName}_${stepId}`;
  if (tag.length > LONGEST_TAG) return err(`the cache tag \`${tag}\` would have more than ${LONGEST_TAG} characters`);
  const named = tags.find((one) => hasHost(one));
  if (named === undefined && registry === '') return err('no tag names a registry, and the run has none');
  const place = placeOf(named ?? `${registry}/${first}`);
  if (place === undefined) return err(`\`${first}\` is no image reference`);
  const reference = `${place}:${tag}`;
  return splitImageReference(reference).ok ? ok(reference) : err(`\`${reference}\` is no image reference`);
}

/** What buildx is told for a cache reference; the peer writes these before the author's own flags. */
export function cacheFlags(reference: string | undefined): string {
  if (reference === undefined) return '--load ';
  return `--load --cache-to=type=registry,ref=${reference},mode=max --cache-from=type=registry,ref=${reference} `;
}

/** Any word before the first slash counts as a host here, with or without a dot. */
function hasHost(tag: string): boolean {
  return tag.indexOf('/') > 0;
}

/** The reference without its tag and digest. */
function placeOf(image: string): string | undefined {
  const written = splitImageReference(image);
  if (!written.ok) return undefined;
  const { domain, path } = written.value;
  return domain === '' ? path : `${domain}/${path}`;
}
