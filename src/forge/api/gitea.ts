import { z } from 'zod';
import type { Forge, ForgeAccess, ForgeHook } from '../../model/ports/forge.ts';
import type { CommitStatus } from '../../model/ports/status-store.ts';
import type { HttpClient } from '../../util/http.ts';
import type { ForgeCall } from './forge-call.ts';
import { createForgeHttp, type ForgeHttp } from './forge-http.ts';
import { linkedPage } from './forge-places.ts';
import { notOnForge, parseRepositoryAddress, pathOf } from './repository-address.ts';
import { shortened } from './shortened.ts';

/** As at GitHub, nothing stands for cancelled. */
const STATES: Readonly<Record<CommitStatus['state'], 'pending' | 'success' | 'failure' | 'error'>> = {
  queued: 'pending',
  running: 'pending',
  succeeded: 'success',
  failed: 'failure',
  error: 'error',
  canceled: 'error',
};
const EVENTS = { push: 'push', 'pull-request': 'pull_request' } as const;
const DESCRIPTION_LENGTH = 255;

const hook = z.object({ id: z.number().int(), config: z.record(z.string(), z.string()) });

/** Gitea, Forgejo and what speaks their API v1, also below a path of their host. */
export function createGitea(client: HttpClient): Forge {
  const http = createForgeHttp(client, { kind: 'Gitea', authorization: (token) => `token ${token}` });
  return {
    setStatus: (status, access) => setStatus(http, status, access),
    createHook: (wanted, access) => createHook(http, wanted, access),
    redeliver: () => Promise.resolve(0),
  };
}

function repositoryApi(url: string): string {
  const { origin, path } = parseRepositoryAddress(url);
  const [owner, name] = path.slice(-2);
  if (owner === undefined || name === undefined) throw notOnForge(url);
  return `${origin}${pathOf(...path.slice(0, -2))}/api/v1/repos${pathOf(owner, name)}`;
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
  const settings = {
    active: true,
    events: wanted.events.map((event) => EVENTS[event]),
    config: { url: wanted.url, content_type: 'json', secret: wanted.secret },
  };
  const common = { access, doing: 'the webhook', secrets: [wanted.secret] };
  const made = await http.read(
    known === undefined
      ? { method: 'POST', url: hooks, body: { type: 'gitea', ...settings }, ...common }
      : { method: 'PATCH', url: `${hooks}/${known}`, body: settings, ...common },
    hook,
  );
  return { id: String(made.id), created: known === undefined };
}

async function findHook(http: ForgeHttp, hooks: string, wanted: ForgeHook, access: ForgeAccess): Promise<number | undefined> {
  const call: ForgeCall = { method: 'GET', url: `${hooks}?limit=50`, access, doing: 'the list of webhooks' };
  for await (const page of http.pages(call, z.array(hook), linkedPage)) {
    const known = page.find(({ config }) => config['url'] === wanted.url);
    if (known !== undefined) return known.id;
  }
  return undefined;
}
