import { EngineError } from '../model/engine-error.ts';
import type { GitRemoteRequest } from '../model/ports/git-source.ts';
import { classifyAddress } from '../util/address-policy.ts';
import { createGitCommand, type GitCommand, type GitCommandOptions, type GitFailure } from './git-command.ts';
import type { GitContext } from './git-context.ts';
import { type GitUrl, maskCredentials, parseGitUrl } from './git-url.ts';
import { type GuardedRemote, guardRemote } from './remote-guard.ts';

/** The checked URL of a request, its token with it. Rejects with EngineError `context-rejected`. */
export function remoteUrl(request: Pick<GitRemoteRequest, 'url' | 'token'>, context: Pick<GitContext, 'allowFile'>): GitUrl {
  const url = parseGitUrl(request.url, context);
  if (!url.ok) throw new EngineError('context-rejected', `cannot use the git URL ${quote(maskCredentials(request.url))}: ${url.error}`);
  return withToken(url.value, request.token);
}

/** As a token in the URL (`https://TOKEN@host/…`), without its standing there. It never goes over a wire in clear. */
function withToken(url: GitUrl, token: string | undefined): GitUrl {
  if (token === undefined) return url;
  const loopback = url.host === 'localhost' || classifyAddress(url.host) === 'loopback';
  if (url.scheme !== 'https' && !(url.scheme === 'http' && loopback)) {
    throw new EngineError('context-rejected', `the access token is not sent to ${url.remote}: it would go over the network in clear`, {
      help: 'Name the repository by an https:// URL, or leave the token out.',
    });
  }
  return { ...url, credentials: { username: url.credentials?.username ?? 'dummy', password: token } };
}

/** Text of a stranger for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

export interface OpenRemote {
  readonly git: GitCommand;
  readonly remote: GuardedRemote;
}

type OpenOptions = Pick<GitCommandOptions, 'directory' | 'isolated' | 'maxOutput'> & {
  readonly signal: AbortSignal;
  /** The remote is `origin` for commands of this git, without being written down. */
  readonly origin?: boolean;
};

/** Checks where the URL leads, and gives a git in the directory that may speak to it and to nothing else. */
export async function openRemote(url: GitUrl, options: OpenOptions, context: GitContext): Promise<OpenRemote> {
  const remote = await guardRemote(url, { ...context, signal: options.signal });
  const git = await createGitCommand({
    ...options,
    protocols: [remote.remote.startsWith('http:') ? 'http' : url.scheme],
    config: [...remote.config, ...(options.origin === true ? [['remote.origin.url', remote.remote] as const] : [])],
    environment: context.environment,
  });
  return { git, remote };
}

/** Whether the server says that what was asked for is not there, or is not served by its id. */
export function isMissing(failure: GitFailure): boolean {
  return /couldn't find remote ref|not our ref|unadvertised object|no such remote ref|Cannot obtain needed|not found in/i.test(
    failure.stderr,
  );
}

/** What git said of a remote, as an error of the context. `doing` as in `cannot DOING URL`. */
export function remoteError(failure: GitFailure, url: GitUrl, doing: string): EngineError {
  const where = url.remote;
  if (/fsck error|invalid path|badTree|gitmodules|hasDot|symlink/i.test(failure.stderr)) {
    return new EngineError('context-rejected', `the repository ${where} breaks a safety rule of git: ${failure.message}`, {
      cause: failure,
    });
  }
  if (/Permission denied|Host key verification failed|Authentication failed|could not read Username/i.test(failure.stderr)) {
    const help = 'For ssh: load a key into the agent and add the host to known_hosts (`ssh-keyscan`). For https: put a token into the URL.';
    return new EngineError('context-failed', `${where} refused access: ${failure.message}`, { help, cause: failure });
  }
  return new EngineError('context-failed', `cannot ${doing} ${where}: ${failure.message}`, { cause: failure, transient: true });
}
