import { z } from 'zod';
import type { Forge, ForgeAccess, ForgeHook } from '../../model/ports/forge.ts';
import type { CommitStatus } from '../../model/ports/status-store.ts';
import type { HttpClient } from '../../util/http.ts';
import type { ForgeCall } from './forge-call.ts';
import { createForgeHttp, type ForgeHttp } from './forge-http.ts';
import { linkedPage } from './forge-places.ts';
import { redeliverFailed } from './github-deliveries.ts';
import { notOnForge, parseRepositoryAddress, pathOf } from './repository-address.ts';
import { shortened } from './shortened.ts';

/** There is no cancelled state: a commit whose run was cancelled must not look as if it had passed. */
const STATES: Readonly<Record<CommitStatus['state'], 'pending' | 'success' | 'failure' | 'error'>> = {
  queued: 'pending',
  running: 'pending',
  succeeded: 'success',
  failed: 'failure',
  error: 'error',
  canceled: 'error',
};
const EVENTS = { push: 'push', 'pull-request': 'pull_request' } as const;
const DESCRIPTION_LENGTH = 140;

const hook = z.object({ id: z.number().int(), config: z.object({ url: z.string().optional() }) });

/** github.com, GitHub Enterprise Cloud (`*.ghe.com`) and Server, by the host of the repository. REST API 2022-11-28. */
export function createGithub(client: HttpClient): Forge {
  const http = createForgeHttp(client, {
    kind: 'Github',
    authorization: (token) => `Bearer ${token}`,
    headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
  });
  return {
    setStatus: (status, access) => setStatus(http, status, access),
    createHook: (wanted, access) => createHook(http, wanted, access),
    redeliver: (failed, access) => redeliverFailed(http, repositoryApi(failed.repositoryUrl), failed, access),
  };
}

function repositoryApi(url: string): string {
  const { host, origin, path } = parseRepositoryAddress(url);
  const [owner, name] = path;
  if (owner === undefined || name === undefined || path.length !== 2) throw notOnForge(url);
  const base = host === 'github.com' ? 'https://api.github.com' : host.endsWith('.ghe.com') ? `https://api.${host}` : `${origin}/api/v3`;
  return `${base}/repos${pathOf(owner, name)}`;
}

async function setStatus(http: ForgeHttp, status: CommitStatus, access: ForgeAccess): Promise<void> {
  const body = {
    state: STATES[status.state],
    target_url: status.targetUrl,
    description: shortened(status.description, DESCRIPTION_LENGTH),
    context: status.context,
  };
  const url = `${repositoryApi(status.repositoryUrl)}/statuses${pathOf(status.commit)}`;
  await http.read({ method: 'POST', url, body, access, doing: 'the commit status' }, z.unknown());
}

async function createHook(http: ForgeHttp, wanted: ForgeHook, access: ForgeAccess): Promise<{ id: string; created: boolean }> {
  const hooks = `${repositoryApi(wanted.repositoryUrl)}/hooks`;
  const known = await findHook(http, hooks, wanted, access);
  if (known !== undefined) return updateHook(http, `${hooks}/${known}`, wanted, access);
  const call: ForgeCall = {
    method: 'POST',
    url: hooks,
    body: { name: 'web', ...settingsOf(wanted) },
    access,
    doing: 'the webhook',
    secrets: [wanted.secret],
  };
  const answer = await http.send(call);
  // GitHub refuses a second hook with the same URL: somebody else made it meanwhile.
  const raced = answer.status === 422 ? await findHook(http, hooks, wanted, access) : undefined;
  if (raced !== undefined) return updateHook(http, `${hooks}/${raced}`, wanted, access);
  return { id: String(http.parse(call, answer, hook).id), created: true };
}

async function findHook(http: ForgeHttp, hooks: string, wanted: ForgeHook, access: ForgeAccess): Promise<number | undefined> {
  const call: ForgeCall = { method: 'GET', url: `${hooks}?per_page=100`, access, doing: 'the list of webhooks' };
  for await (const page of http.pages(call, z.array(hook), linkedPage)) {
    const known = page.find(({ config }) => config.url === wanted.url);
    if (known !== undefined) return known.id;
  }
  return undefined;
}

async function updateHook(http: ForgeHttp, url: string, wanted: ForgeHook, access: ForgeAccess): Promise<{ id: string; created: boolean }> {
  const call: ForgeCall = { method: 'PATCH', url, body: settingsOf(wanted), access, doing: 'the webhook', secrets: [wanted.secret] };
  return { id: String((await http.read(call, hook)).id), created: false };
}

function settingsOf(wanted: ForgeHook): object {
  return {
    active: true,
    events: wanted.events.map((event) => EVENTS[event]),
    config: { url: wanted.url, content_type: 'json', secret: wanted.secret, insecure_ssl: '0' },
  };
}
