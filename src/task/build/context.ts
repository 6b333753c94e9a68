import type { BuildContextRef } from '../../model/plan.ts';
import { err, ok, type Result } from '../../util/result.ts';

const GIT_OVER_HTTP = /^https?:\/\/.*\.git(?:#.+)?$/;
const GIT_PREFIX = /^(?:git:\/\/|git@|github\.com\/|ssh:\/\/)/;
const AZURE_DEVOPS = /^https:\/\/(?:[^@/]+@)?dev\.azure\.com\/(?:[^?]*\/)?_git\/[^?]+$/i;
const VISUAL_STUDIO = /^https:\/\/(?:[^@/]+@)?[^/@]+\.visualstudio\.com\/(?:[^?]*\/)?_git\/[^?]+$/i;
const HTTP = /^https?:\/\//;
const OCI = /^oci:\/\//i;
const TRANSPORT = /^(?:https?:\/\/|git:\/\/|git@|ssh:\/\/)/;

/** A remote taken apart: `url#ref:subdir`. */
export interface RemoteUrl {
  readonly remote: string;
  readonly ref: string;
  readonly subdir: string;
}

/** What kind of place a build context is. Only the text is looked at. */
export function classifyContext(text: string): BuildContextRef {
  if (text === '-') return { kind: 'stdin' };
  if (text === '/dev/null') return { kind: 'none' };
  if (OCI.test(text)) return { kind: 'oci', reference: text.slice('oci://'.length) };
  const git = isGitUrl(text) || isAzureDevOpsUrl(text) || isVisualStudioUrl(text);
  if (!git && !HTTP.test(text)) return { kind: 'local', path: text === '' ? '.' : text };
  const parsed = parseRemoteUrl(text);
  const { remote, ref, subdir } = parsed.ok ? parsed.value : { remote: text, ref: '', subdir: '' };
  return git ? { kind: 'git', url: remote, ref, subdir } : { kind: 'archive', url: remote, subdir };
}

/** A repository of the machine itself, `file:///PATH[#REF[:DIRECTORY]]`: a context only where an admin allows it. Undefined for other texts. */
export function localRepository(text: string): Extract<BuildContextRef, { readonly kind: 'git' }> | undefined {
  if (!/^file:\/\//i.test(text)) return undefined;
  const [, url = text, ref = '', subdir = ''] = /^([^#]*)(?:#([^:]*)(?::(.*))?)?$/s.exec(text) ?? [];
  return { kind: 'git', url, ref, subdir };
}

/** `http(s)://….git[#…]`, `git://…`, `git@…`, `ssh://…`, `github.com/…`. */
export function isGitUrl(text: string): boolean {
  return GIT_OVER_HTTP.test(text) || GIT_PREFIX.test(text);
}

/** `https://[user@]dev.azure.com/…/_git/…` without a query. */
export function isAzureDevOpsUrl(text: string): boolean {
  return AZURE_DEVOPS.test(text);
}

/** `https://ANY.visualstudio.com/…/_git/…` without a query. */
export function isVisualStudioUrl(text: string): boolean {
  return VISUAL_STUDIO.test(text);
}

/**
 * Takes a remote apart. The fragment is split at its first `:`; a scheme is added where none is written; a user name alone
 * is a token and gets the user `dummy`, as git servers want it. The error is one sentence.
 */
export function parseRemoteUrl(text: string): Result<RemoteUrl, string> {
  const hash = text.indexOf('#');
  const fragment = hash === -1 ? '' : text.slice(hash + 1);
  const colon = fragment.indexOf(':');
  const ref = colon === -1 ? fragment : fragment.slice(0, colon);
  const subdir = colon === -1 ? '' : fragment.slice(colon + 1);
  const address = hash === -1 ? text : text.slice(0, hash);
  const absolute = TRANSPORT.test(address) ? address : `https://${address}`;
  if (absolute.startsWith('git@')) return ok({ remote: absolute, ref, subdir });
  const badEscape = /%(?![0-9a-f]{2}).{0,2}/i.exec(absolute);
  if (badEscape !== null) return err(`\`${badEscape[0]}\` is no percent-encoded character of a URL`);
  if (/:\/\/$/.test(absolute)) return err('the URL names no host');
  return ok({ remote: withTokenUser(absolute.replaceAll(' ', '%20')), ref, subdir });
}

function withTokenUser(url: string): string {
  return url.replace(/^(https?:\/\/)([^/@:]+)@/, '$1dummy:$2@');
}
