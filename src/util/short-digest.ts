/** A digest as people read it: `sha256:` and 12 hex digits. What is no digest stays as it is. */
export function shortDigest(digest: string): string {
  return digest.replace(/^([a-z0-9]+:[0-9a-f]{12})[0-9a-f]*$/, '$1');
}
