/**
 * The tag of a single build with the run's registry before it. Left alone: tags that start with the text of a known
 * registry, and `library/…`.
 */
export function prefixTag(tag: string, registry: string, knownRegistries: readonly string[]): string {
  const named = knownRegistries.some((known) => known !== '' && tag.startsWith(known));
  return registry === '' || named || tag.startsWith('library/') ? tag : `${registry}/${tag}`;
}
