/** `docker.io` for names without a registry host: the first part is a host when it holds a dot or colon, or is localhost. */
export function registryHostOf(reference: string): string {
  const slash = reference.indexOf('/');
  const first = slash === -1 ? '' : reference.slice(0, slash);
  if (first === '' || !(first === 'localhost' || /[.:]/.test(first))) return 'docker.io';
  return first === 'index.docker.io' ? 'docker.io' : first;
}

/** The reference with `:latest` when it names neither a tag nor a digest: without one the API pulls or pushes all tags. */
export function withTag(reference: string): string {
  const last = reference.slice(reference.lastIndexOf('/') + 1);
  return last.includes(':') || last.includes('@') ? reference : `${reference}:latest`;
}

/** Name and tag apart; a digest stays with the name. */
export function splitTag(reference: string): { readonly name: string; readonly tag: string } {
  const colon = reference.lastIndexOf(':');
  if (reference.includes('@') || colon <= reference.lastIndexOf('/')) return { name: reference, tag: '' };
  return { name: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

export function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(host);
}

/** The reference as part of an API path: nothing in it can end the path. */
export function imagePath(reference: string): string {
  return reference.split('/').map(encodeURIComponent).join('/');
}
