import { formatImageReference, parseImageReference } from './image-reference.ts';

/** One spelling for all references that name the same image: `node`, `docker.io/library/node:latest`. Other texts stay as they are. */
export function canonicalImage(reference: string): string {
  const parsed = parseImageReference(reference);
  if (!parsed.ok) return reference;
  const { tag, digest } = parsed.value;
  return formatImageReference({ ...parsed.value, tag: tag === '' && digest === '' ? 'latest' : tag });
}
