import { notOnForge, parseRepositoryAddress, pathOf } from './repository-address.ts';

export interface AzureAddress {
  /** URL of the organisation (or of the collection of a server), without a slash at its end. */
  readonly organisation: string;
  readonly project: string;
  readonly repository: string;
}

/**
 * `https://dev.azure.com/ORG/PROJECT/_git/REPO`, `https://ORG.visualstudio.com/[DefaultCollection/]PROJECT/_git/REPO`, their ssh forms
 * (`git@ssh.dev.azure.com:v3/ORG/PROJECT/REPO`), and `https://HOST/COLLECTION/PROJECT/_git/REPO` of an Azure DevOps Server. A repository
 * without a project in its URL has the project's name.
 */
export function parseAzureAddress(url: string): AzureAddress {
  const { host, origin, path } = parseRepositoryAddress(url);
  if (host === 'ssh.dev.azure.com' || host === 'vs-ssh.visualstudio.com') return sshAddress(url, host, path);
  const at = path.indexOf('_git');
  const [first, second] = path.slice(at + 1);
  // `_git/_full/REPO` and `_git/_optimized/REPO` are the same repository.
  const repository = first === '_full' || first === '_optimized' ? second : first;
  if (at === -1 || repository === undefined) throw notOnForge(url);
  const old = host.endsWith('.visualstudio.com');
  const above = path.slice(old && path[0]?.toLowerCase() === 'defaultcollection' ? 1 : 0, at);
  // There the host names the organisation. A server may keep its collections below a path (`/tfs/COLLECTION/PROJECT`).
  const least = old ? 0 : 1;
  if (above.length < least) throw notOnForge(url);
  const project = above.length > least ? above.pop() : undefined;
  return { organisation: `${origin}${pathOf(...above)}`, project: project ?? repository, repository };
}

function sshAddress(url: string, host: string, path: readonly string[]): AzureAddress {
  const [version, organisation, project, repository] = path;
  if (version !== 'v3' || organisation === undefined || project === undefined || repository === undefined || path.length !== 4)
    throw notOnForge(url);
  const base =
    host === 'ssh.dev.azure.com'
      ? `https://dev.azure.com${pathOf(organisation)}`
      : `https://${organisation.toLowerCase()}.visualstudio.com`;
  return { organisation: base, project, repository };
}
