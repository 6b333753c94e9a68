import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import { type GitCommand, GitFailure } from './git-command.ts';
import type { GitContext } from './git-context.ts';
import type { GitUrl } from './git-url.ts';
import { isMissing, openRemote, remoteError } from './open-remote.ts';
import type { GuardedRemote } from './remote-guard.ts';
import { type GitRef, parseGitRef } from './validate-ref.ts';

interface FetchRequest {
  readonly url: GitUrl;
  readonly ref: GitRef;
  /** Leads to `ref`, a commit that the server may refuse to serve by its id. */
  readonly through?: GitRef;
  readonly directory: string;
  readonly signal: AbortSignal;
  onProgress?(message: string): void;
}

interface FetchedTree {
  readonly git: GitCommand;
  readonly commit: string;
  /** Empty for a tag, a commit or a pull request. */
  readonly branch: string;
}

/** Fetches one ref of a checked URL into an empty directory and checks it out, without submodules and large files. */
export async function fetchRef(request: FetchRequest, context: GitContext): Promise<FetchedTree> {
  const { git, remote } = await openRemote(request.url, request, context);
  request.onProgress?.(`fetching ${describeRef(request.ref)} from ${remote.remote}`);
  try {
    return await fetchAndCheckout(git, request, remote);
  } catch (error) {
    throw error instanceof GitFailure ? fetchError(error, request) : error;
  }
}

async function fetchAndCheckout(git: GitCommand, request: FetchRequest, remote: GuardedRemote): Promise<FetchedTree> {
  const { ref } = request;
  const fetched = await fetchObjects(git, request, remote);
  const commit = (await git.run(['rev-parse', '--verify', '--end-of-options', `${fetched.name}^{commit}`])).trim();
  const branch = ref.kind === 'default' ? await defaultBranch(git) : fetched.branch;
  await git.run(['checkout', '--no-recurse-submodules', ...(branch === '' ? ['--detach'] : ['-B', branch]), commit, '--']);
  return { git, commit, branch };
}

/** `name` is what to resolve; `branch` is empty when the ref is none (or the default one). */
interface Fetched {
  readonly name: string;
  readonly branch: string;
}

async function fetchObjects(git: GitCommand, request: FetchRequest, remote: GuardedRemote): Promise<Fetched> {
  await initialise(git, remote.remote, request.ref.kind === 'commit' && request.ref.id.length === 64 ? 'sha256' : 'sha1');
  try {
    return await fetchOne(git, request, remote);
  } catch (error) {
    const other =
      error instanceof GitFailure ? /mismatched algorithms: client \w+; server (sha1|sha256)/.exec(error.stderr)?.[1] : undefined;
    if (other === undefined) throw error;
    await rm(join(request.directory, '.git'), { recursive: true, force: true });
    await initialise(git, remote.remote, other);
    return fetchOne(git, request, remote);
  }
}

async function initialise(git: GitCommand, remote: string, objectFormat: string): Promise<void> {
  await git.run(['init', '--template=', `--object-format=${objectFormat}`]);
  await git.run(['remote', 'add', '--', 'origin', remote]);
}

async function fetchOne(git: GitCommand, request: FetchRequest, remote: GuardedRemote): Promise<Fetched> {
  const depth = remote.shallow ? ['--depth', '1'] : [];
  const { ref } = request;
  const wanted = wantedOf(ref);
  try {
    await git.run(['fetch', '--no-tags', ...depth, '--', 'origin', wanted]);
    return { name: 'FETCH_HEAD', branch: await fetchedBranch(request.directory) };
  } catch (error) {
    const mayHelp = error instanceof GitFailure && (ref.kind === 'commit' || (ref.kind === 'name' && ref.maybeCommit)) && isMissing(error);
    if (!mayHelp) throw error;
    if (ref.kind === 'commit' && (await fetchThrough(git, ref.id, request, depth))) return { name: ref.id, branch: '' };
    // Servers may refuse to serve a commit by its id, and none serves a shortened one: look into the whole history.
    request.onProgress?.('fetching the whole history');
    await git.run(['fetch', '--tags', '--force', '--', 'origin', '+refs/heads/*:refs/remotes/origin/*']);
    return { name: wanted, branch: '' };
  }
}

function wantedOf(ref: GitRef): string {
  return ref.kind === 'default' ? 'HEAD' : ref.kind === 'commit' ? ref.id : ref.name;
}

/** Fetches the ref that is said to lead to the commit: its tip, else all of it. False when it does not. */
async function fetchThrough(git: GitCommand, commit: string, request: FetchRequest, depth: readonly string[]): Promise<boolean> {
  if (request.through === undefined) return false;
  const wanted = wantedOf(request.through);
  request.onProgress?.(`fetching ${wanted}, which leads to it`);
  const isThere = (): Promise<boolean> =>
    git.run(['merge-base', '--is-ancestor', commit, 'FETCH_HEAD']).then(
      () => true,
      () => false,
    );
  try {
    await git.run(['fetch', '--no-tags', ...depth, '--', 'origin', wanted]);
    if (await isThere()) return true;
    if (depth.length === 0) return false;
    await git.run(['fetch', '--no-tags', '--unshallow', '--', 'origin', wanted]);
    return await isThere();
  } catch (error) {
    if (error instanceof GitFailure && isMissing(error)) return false;
    throw error;
  }
}

/** FETCH_HEAD says what the server's answer was: `ID\t\tbranch 'main' of URL`. */
async function fetchedBranch(directory: string): Promise<string> {
  const text = await readFile(join(directory, '.git', 'FETCH_HEAD'), 'utf8');
  return safeBranch(/^[0-9a-f]+\t\tbranch '([^'\n]+)' of /.exec(text)?.[1]);
}

async function defaultBranch(git: GitCommand): Promise<string> {
  const answer = await git.run(['ls-remote', '--symref', '--', 'origin', 'HEAD']);
  return safeBranch(/^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(answer)?.[1]);
}

/** A branch name is the server's word: one that breaks our rules is left out, and HEAD stays detached. */
function safeBranch(name: string | undefined): string {
  const parsed = parseGitRef(name ?? '');
  return parsed.ok && parsed.value.kind === 'name' ? parsed.value.name : '';
}

function describeRef(ref: GitRef): string {
  if (ref.kind === 'default') return 'the default branch';
  return ref.kind === 'commit' ? ref.id : ref.name;
}

function fetchError(failure: GitFailure, request: FetchRequest): EngineError {
  const where = request.url.remote;
  if (isMissing(failure) || /unknown revision|Needed a single revision|bad object/i.test(failure.stderr)) {
    return new EngineError('context-failed', `${where} has no ${describeRef(request.ref)}`, {
      help: 'Name an existing branch, tag, commit or `pull/N/head` after the `#`.',
    });
  }
  return remoteError(failure, request.url, `fetch ${describeRef(request.ref)} from`);
}
