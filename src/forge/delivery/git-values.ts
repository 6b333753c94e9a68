import type { ReadDelivery } from '../../model/ports/delivery-reader.ts';
import type { SourceControlType } from '../../model/trigger-definition.ts';
import type { Happening, SourceRepositoryId } from '../../model/trigger-event.ts';
import type { Fields } from './fields.ts';
import { type GitSourceOfHook, ignored } from './message.ts';

/** Of one delivery. Of more, only that something happened is told. */
export const MOST_REFS = 1000;
const LONGEST_REF = 1024;
const LONGEST_URL = 2048;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;
const ABBREVIATED = /^[0-9a-f]{7,64}$/i;

/** An id of 40 or 64 hex digits, in lower case. */
export function commitOf(fields: Fields, name: string): string {
  const value = fields.raw(name);
  if (typeof value !== 'string' || !COMMIT.test(value)) throw fields.expected(name, 'an object id of 40 or 64 hex digits');
  return value.toLowerCase();
}

export function optionalCommitOf(fields: Fields | undefined, name: string): string | undefined {
  return fields?.has(name) === true ? commitOf(fields, name) : undefined;
}

/** An id that may be cut short, as Bitbucket's. */
export function shortCommitOf(fields: Fields, name: string): string {
  const value = fields.raw(name);
  if (typeof value !== 'string' || !ABBREVIATED.test(value)) throw fields.expected(name, 'an object id of 7 to 64 hex digits');
  return value.toLowerCase();
}

/** A full ref: `refs/heads/main`. */
export function refOf(fields: Fields, name: string): string {
  const ref = fields.text(name, LONGEST_REF);
  if (!ref.startsWith('refs/') || !isRefName(ref)) throw fields.expected(name, 'a full ref name, like "refs/heads/main"');
  return ref;
}

/** A branch or tag without its `refs/…/`. */
export function shortRefOf(fields: Fields, name: string): string {
  const short = fields.text(name, LONGEST_REF - 'refs/heads/'.length);
  if (!isRefName(`refs/heads/${short}`)) throw fields.expected(name, 'the name of a branch or tag');
  return short;
}

/** `refs/heads/x` → `x`. */
export function branchOf(fields: Fields, name: string): string {
  return refOf(fields, name).replace(/^refs\/heads\//, '');
}

/** The rules of `git check-ref-format`. */
function isRefName(ref: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\.$|\/$/.test(ref)) return false;
  return ref.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}

/** An HTTP(S) URL, without what it has of credentials, query and fragment. */
export function httpUrlOf(fields: Fields, name: string): string {
  const url = cleanUrl(fields.text(name, LONGEST_URL));
  if (url === undefined) throw fields.expected(name, 'an http:// or https:// URL');
  return url;
}

export function optionalHttpUrlOf(fields: Fields | undefined, name: string): string | undefined {
  return fields?.has(name) === true ? httpUrlOf(fields, name) : undefined;
}

function cleanUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  return url.href.length <= LONGEST_URL ? url.href : undefined;
}

/** What is known of the hook's own repository, for payloads that do not say which one they are about. An ssh URL stays one. */
export function configuredRepository(source: GitSourceOfHook): SourceRepositoryId {
  return { forge: source.forge, url: cleanUrl(source.repositoryUrl) ?? source.repositoryUrl };
}

/** Puts a repository together; what is undefined is left out. */
export function repositoryId(
  forge: SourceControlType,
  parts: {
    readonly id: string | undefined;
    readonly url: string;
    readonly fullName?: string | undefined;
    readonly defaultBranch?: string | undefined;
  },
): SourceRepositoryId {
  return { forge, url: parts.url, ...defined({ id: parts.id, fullName: parts.fullName, defaultBranch: parts.defaultBranch }) };
}

/** The default branch as a payload tells it, with or without `refs/heads/`; left out when it is no branch name. */
export function defaultBranchOf(fields: Fields, name: string): string | undefined {
  const text = fields.note(name, LONGEST_REF)?.replace(/^refs\/heads\//, '');
  return text !== undefined && isRefName(`refs/heads/${text}`) ? text : undefined;
}

export interface ChangedRef {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly forced?: boolean | undefined;
}

/** Branches as `push`, tags as `tag`; `refs/notes/…` and the like are nobody's business. */
export function refHappenings(repository: SourceRepositoryId, changes: readonly ChangedRef[], actor: string | undefined): Happening[] {
  return changes
    .filter(({ ref }) => /^refs\/(?:heads|tags)\//.test(ref))
    .map(({ ref, before, after, forced }) => ({
      kind: ref.startsWith('refs/tags/') ? 'tag' : 'push',
      repository,
      ref,
      before,
      after,
      ...defined({ forced, actor }),
    }));
}

/** The answer for a delivery about one repository. */
export function gitDelivery(deliveryId: string, repository: SourceRepositoryId, happenings: readonly Happening[]): ReadDelivery {
  if (happenings.length === 0) return ignored('it names no branch and no tag');
  return { kind: 'happenings', deliveryId, happenings, ...defined({ repositoryId: repository.id }) };
}

/** More refs than are followed one by one: look at them all. */
export function lookAt(deliveryId: string, repository: SourceRepositoryId): ReadDelivery {
  return gitDelivery(deliveryId, repository, [{ kind: 'repository', repository }]);
}

/** The id for "none" that is as long as another id. */
export function zeroLike(id: string | undefined): string {
  return '0'.repeat(id?.length === 64 ? 64 : 40);
}

/** An object without its undefined fields. */
export function defined<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
