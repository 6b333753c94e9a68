import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import type { GitCheckout, GitCheckoutRequest } from '../model/ports/git-source.ts';
import { type AddressPolicy, classifyAddress } from '../util/address-policy.ts';
import { createHttpClient } from '../util/http.ts';
import { fetchRef } from './fetch-ref.ts';
import { GitFailure } from './git-command.ts';
import type { GitContext } from './git-context.ts';
import { type GitUrl, maskCredentials, parseGitUrl } from './git-url.ts';
import { checkGitVersion } from './git-version.ts';
import { completeTree } from './submodules.ts';
import { type GitRef, parseGitRef } from './validate-ref.ts';

export interface CheckoutOptions {
  readonly addresses: AddressPolicy;
  readonly allowFile: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Makes the function behind GitSource.checkout; git's version is looked at once. */
export function createCheckout(options: CheckoutOptions): (request: GitCheckoutRequest) => Promise<GitCheckout> {
  const context: GitContext = { ...options, http: createHttpClient({ addresses: options.addresses, environment: options.environment }) };
  let version: Promise<void> | undefined;
  const ready = (): Promise<void> => {
    version ??= checkGitVersion(context.environment).catch((error: unknown) => {
      version = undefined;
      throw error;
    });
    return version;
  };
  return async (request) => {
    const ref = parseGitRef(request.ref);
    if (!ref.ok) throw new EngineError('context-rejected', `cannot use the git ref ${quote(request.ref)}: ${ref.error}`);
    await ready();
    return checkoutOrClean(request, ref.value, context);
  };
}

async function checkoutOrClean(request: GitCheckoutRequest, ref: GitRef, context: GitContext): Promise<GitCheckout> {
  const url = parseGitUrl(request.url, context);
  if (!url.ok) throw new EngineError('context-rejected', `cannot use the git URL ${quote(maskCredentials(request.url))}: ${url.error}`);
  const remote = withToken(url.value, request.token);
  if ((await readdir(request.directory)).length > 0)
    throw new EngineError('internal', `the directory of a git checkout is not empty: ${request.directory}`);
  try {
    const checkout = await fetchRef({ ...request, url: remote, ref }, context);
    await completeTree({ parent: remote, git: checkout.git, ...request }, context);
    return { commit: checkout.commit, branch: checkout.branch };
  } catch (error) {
    await emptyDirectory(request.directory);
    if (!(error instanceof GitFailure)) throw error;
    throw new EngineError('context-failed', `cannot check out ${remote.remote}: ${error.message}`, { cause: error });
  }
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

async function emptyDirectory(directory: string): Promise<void> {
  for (const entry of await readdir(directory)) await rm(join(directory, entry), { recursive: true, force: true });
}

function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
