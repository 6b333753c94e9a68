import { err, ok, type Result } from '../util/result.ts';

/** An image's name taken apart, with what Docker implies filled in: `node` is host `docker.io`, repository `library/node`. */
export interface ImageReference {
  /** `host[:port]` of the registry; Docker Hub is `docker.io`. */
  readonly host: string;
  readonly repository: string;
  /** Empty when none is written. */
  readonly tag: string;
  /** `sha256:…`; empty when none is written. */
  readonly digest: string;
}

/** The parts of a reference exactly as written; `domain` is empty when the name has no registry. */
export interface WrittenReference {
  readonly domain: string;
  readonly path: string;
  readonly tag: string;
  readonly digest: string;
}

export const DOCKER_HUB = 'docker.io';

const LONGEST_NAME = 255;
const LONGEST_REFERENCE = 1024;
const DOMAIN =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST_LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** Parses a reference as users write it. The error is one sentence without the reference itself. */
export function parseImageReference(text: string): Result<ImageReference, string> {
  const written = splitImageReference(text);
  if (!written.ok) return written;
  const { domain, path, tag, digest } = written.value;
  const hub = domain === '' || domain === 'index.docker.io' || domain === DOCKER_HUB;
  return ok({ host: hub ? DOCKER_HUB : domain, repository: hub && !path.includes('/') ? `library/${path}` : path, tag, digest });
}

/** The full spelling, `host/repository[:tag][@digest]`; parsing it gives the same reference. */
export function formatImageReference(reference: ImageReference): string {
  const tag = reference.tag === '' ? '' : `:${reference.tag}`;
  const digest = reference.digest === '' ? '' : `@${reference.digest}`;
  return `${reference.host}/${reference.repository}${tag}${digest}`;
}

/** A name without tag and digest gets `:latest`, told by `:` and `@` alone: `localhost:5000/a` stays as it is. */
export function withDefaultTag(image: string): string {
  return image.includes(':') || image.includes('@') ? image : `${image}:latest`;
}

/** The parts of a reference as written. A first component is a registry when it has a dot, a port, a capital, or is `localhost`. */
export function splitImageReference(text: string): Result<WrittenReference, string> {
  if (text.length > LONGEST_REFERENCE) return err(`a reference has at most ${LONGEST_REFERENCE} characters`);
  const at = text.indexOf('@');
  const digest = at === -1 ? '' : text.slice(at + 1);
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon === -1 ? '' : named.slice(colon + 1);
  const name = colon === -1 ? named : named.slice(0, colon);
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const domain = isRegistry(first) ? first : '';
  const path = domain === '' ? name : name.slice(slash + 1);
  const problem = partsProblem({ domain, path, tag, digest }, colon !== -1, at !== -1) ?? nameLengthProblem(name);
  return problem === undefined ? ok({ domain, path, tag, digest }) : err(problem);
}

function isRegistry(first: string): boolean {
  return first === 'localhost' || /[.:A-Z]/.test(first);
}

function partsProblem(parts: WrittenReference, hasTag: boolean, hasDigest: boolean): string | undefined {
  if (parts.domain !== '' && !DOMAIN.test(parts.domain)) return 'the registry is no host name with an optional port';
  if (!PATH.test(parts.path)) {
    return PATH.test(parts.path.toLowerCase())
      ? 'a repository name must be lower-case'
      : 'a repository name has components of lower-case letters and digits, joined by single `.` `_` `-` and separated by `/`';
  }
  if (hasTag && !TAG.test(parts.tag)) return 'a tag has 1 to 128 letters, digits, `_`, `.` and `-`, and starts with none of the last two';
  return hasDigest && !isDigest(parts.digest) ? 'a digest is `sha256:` and 64 hexadecimal digits' : undefined;
}

function nameLengthProblem(name: string): string | undefined {
  return name.length > LONGEST_NAME ? `a repository name has at most ${LONGEST_NAME} characters` : undefined;
}

function isDigest(digest: string): boolean {
  const colon = digest.indexOf(':');
  const length = DIGEST_LENGTHS[digest.slice(0, Math.max(0, colon))];
  return length !== undefined && digest.length === colon + 1 + length && /^[0-9a-f]+$/.test(digest.slice(colon + 1));
}
