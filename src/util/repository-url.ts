const LONGEST = 2048;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'https:': '443', 'http:': '80', 'ssh:': '22', 'git:': '9418' };
const SCP = /^(?:[^@/:]+@)?(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9.])?):(?!:)(.+)$/i;

/** Other names of hosts: the ones that answer to ssh behind firewalls, and `www`. */
const HOST_NAMES: Readonly<Record<string, string>> = {
  'www.github.com': 'github.com',
  'ssh.github.com:443': 'github.com',
  'www.gitlab.com': 'gitlab.com',
  'altssh.gitlab.com:443': 'gitlab.com',
  'www.bitbucket.org': 'bitbucket.org',
  'altssh.bitbucket.org:443': 'bitbucket.org',
};
/** Forges that take the names of owners and repositories in any case. Elsewhere two spellings may be two repositories. */
const ANY_CASE = /^(?:github\.com|gitlab\.com|bitbucket\.org|dev\.azure\.com|codeberg\.org|gitea\.com|[a-z0-9-]+\.ghe\.com)$/;

/**
 * A key by which spellings of one repository are the same: `host[:port]/path`, or `file:///path` of a local one. Dropped: the scheme, the user
 * and its password, the usual port of the scheme, a final `.git` and slashes; `git@host:path`, `ssh://` and `https://` of a forge give one key,
 * as do the old and new hosts of Azure DevOps. The path is in lower case where the forge does not care. Undefined: no git URL, or one with a
 * query or a fragment. A key is for comparing, not for fetching.
 */
export function canonicalRepositoryUrl(text: string): string | undefined {
  if (text.length > LONGEST || /[\p{Cc}\p{Z}\\?#]/u.test(text) || text.startsWith('-')) return undefined;
  if (/^file:\/\//i.test(text)) return localKey(text.slice('file://'.length));
  if (text.startsWith('/')) return localKey(text);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return absoluteKey(text);
  if (/^github\.com\//i.test(text)) return absoluteKey(`https://${text}`);
  const scp = SCP.exec(text);
  return scp === null ? undefined : remoteKey(scp[1] ?? '', scp[2] ?? '');
}

/** The server that a repository is on, as its key has it: `host[:port]`, or the whole text when it is no URL. */
export function hostOfRepository(url: string): string {
  return canonicalRepositoryUrl(url)?.split('/', 1)[0] ?? url;
}

/** Beside `r` there may be another repository `r.git`, so a local path keeps its ending. */
function localKey(path: string): string | undefined {
  const kept = segmentsOf(path);
  return path.startsWith('/') && kept.length > 0 && !kept.includes('..') ? `file:///${kept.join('/')}` : undefined;
}

function absoluteKey(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const usual = DEFAULT_PORTS[url.protocol];
  if (usual === undefined || url.hostname === '') return undefined;
  return remoteKey(url.port === '' || url.port === usual ? url.hostname : `${url.hostname}:${url.port}`, url.pathname);
}

function remoteKey(written: string, path: string): string | undefined {
  const lower = written.toLowerCase().replace(/\.(?=:\d+$|$)/, '');
  const host = HOST_NAMES[lower] ?? lower;
  const segments = segmentsOf(path);
  const last = segments.pop();
  if (last === undefined) return undefined;
  segments.push(last.length > '.git'.length ? last.replace(/\.git$/i, '') : last);
  const azure = azureKey(host, segments);
  if (azure !== undefined) return azure.toLowerCase();
  const key = `${host}/${segments.join('/')}`;
  return ANY_CASE.test(host) ? key.toLowerCase() : key;
}

/** The segments that are not empty, each percent-encoded in one way. */
function segmentsOf(path: string): string[] {
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => encodeURIComponent(decode(segment)));
}

function decode(segment: string): string {
  try {
    const decoded = decodeURIComponent(segment);
    return decoded.isWellFormed() ? decoded : segment.toWellFormed();
  } catch {
    return segment.toWellFormed();
  }
}

/**
 * `https://dev.azure.com/ORG/PROJECT/_git/REPO`, `https://ORG.visualstudio.com/[DefaultCollection/]PROJECT/_git/REPO` and
 * `git@ssh.dev.azure.com:v3/ORG/PROJECT/REPO`. A URL without a project means the one with the name of the repository.
 */
function azureKey(host: string, segments: readonly string[]): string | undefined {
  if (host === 'ssh.dev.azure.com' || host === 'vs-ssh.visualstudio.com') {
    const [version, organisation, project, repository, ...rest] = segments;
    if (version !== 'v3' || repository === undefined || rest.length > 0) return undefined;
    return `dev.azure.com/${organisation}/${project}/_git/${repository}`;
  }
  const old = /^([a-z0-9-]+)\.visualstudio\.com$/.exec(host);
  if (old === null && host !== 'dev.azure.com') return undefined;
  const [organisation, ...path] = old === null ? segments : [old[1] ?? '', ...segments];
  const within = path[0]?.toLowerCase() === 'defaultcollection' ? path.slice(1) : path;
  const at = within.findIndex((segment) => segment.toLowerCase() === '_git');
  const repository = within[at + 1];
  if (organisation === undefined || at === -1 || at > 1 || repository === undefined || within.length !== at + 2) return undefined;
  return `dev.azure.com/${organisation}/${at === 0 ? repository : within[0]}/_git/${repository}`;
}
