import { z } from 'zod';
import type { Forge, ForgeAccess, ForgeHook } from '../../model/ports/forge.ts';
import type { CommitStatus } from '../../model/ports/status-store.ts';
import type { HttpClient } from '../../util/http.ts';
import type { ForgeCall } from './forge-call.ts';
import { createForgeHttp, type ForgeHttp } from './forge-http.ts';
import { linkedPage } from './forge-places.ts';
import { parseRepositoryAddress } from './repository-address.ts';
import { shortened } from './shortened.ts';

const STATES: Readonly<Record<CommitStatus['state'], 'pending' | 'running' | 'success' | 'failed' | 'canceled'>> = {
  queued: 'pending',
  running: 'running',
  succeeded: 'success',
  failed: 'failed',
  error: 'failed',
  canceled: 'canceled',
};
const TEXT_LENGTH = 255;

const hook = z.object({ id: z.number().int(), url: z.string() });
const mergeRequest = z.object({ source_project_id: z.number().int().nullable(), source_branch: z.string() });

/** gitlab.com and any other host, REST API v4. A GitLab below a path of its host cannot be told from a group: it needs a host of its own. */
export function createGitlab(client: HttpClient): Forge {
  const http = createForgeHttp(client, {
    kind: 'GitLab',
    authorization: (token) => `Bearer ${token}`,
    // Another request for the same commit is being worked on.
    passing: [409],
  });
  return {
    setStatus: (status, access) => setStatus(http, status, access),
    createHook: (wanted, access) => createHook(http, wanted, access),
    redeliver: () => Promise.resolve(0),
  };
}

interface Project {
  readonly projects: string;
  /** A number, or the whole path with its groups. */
  readonly id: string;
}

function projectOf(url: string, id?: string): Project {
  const { origin, path } = parseRepositoryAddress(url);
  return { projects: `${origin}/api/v4/projects`, id: id !== undefined && /^\d+$/.test(id) ? id : path.join('/') };
}

async function setStatus(http: ForgeHttp, status: CommitStatus, access: ForgeAccess): Promise<void> {
  const project = projectOf(status.repositoryUrl, status.repositoryId);
  const place = status.pullRequest === undefined ? { id: project.id, ref: status.branch } : await sourceOf(http, project, status, access);
  const body = {
    state: STATES[status.state],
    name: shortened(status.context, TEXT_LENGTH),
    description: shortened(status.description, TEXT_LENGTH),
    ...(status.targetUrl.length > TEXT_LENGTH ? {} : { target_url: status.targetUrl }),
    ...(place.ref === undefined || place.ref.length > TEXT_LENGTH ? {} : { ref: place.ref }),
  };
  const url = `${project.projects}/${encodeURIComponent(place.id)}/statuses/${encodeURIComponent(status.commit)}`;
  const call: ForgeCall = { method: 'POST', url, body, access, doing: 'the commit status' };
  const answer = await http.send(call);
  if (answer.status >= 200 && answer.status <= 299) return;
  // GitLab's jobs are a state machine; a state that it is in, or that is behind it, is an error there.
  if (answer.status === 400 && /cannot transition status/i.test(answer.text)) return;
  throw http.refusal(call, answer);
}

/** Merge requests show the statuses of the project that their commits come from. */
async function sourceOf(
  http: ForgeHttp,
  project: Project,
  status: CommitStatus,
  access: ForgeAccess,
): Promise<{ readonly id: string; readonly ref: string | undefined }> {
  const url = `${project.projects}/${encodeURIComponent(project.id)}/merge_requests/${encodeURIComponent(status.pullRequest ?? '')}`;
  const found = await http.read({ method: 'GET', url, access, doing: 'the merge request' }, mergeRequest);
  // The fork is gone: the commit is still in the project that it was to go to.
  if (found.source_project_id === null) return { id: project.id, ref: undefined };
  return { id: String(found.source_project_id), ref: found.source_branch };
}

async function createHook(http: ForgeHttp, wanted: ForgeHook, access: ForgeAccess): Promise<{ id: string; created: boolean }> {
  const { projects, id } = projectOf(wanted.repositoryUrl);
  const hooks = `${projects}/${encodeURIComponent(id)}/hooks`;
  const known = await findHook(http, hooks, wanted, access);
  const body = {
    url: wanted.url,
    token: wanted.secret,
    push_events: wanted.events.includes('push'),
    tag_push_events: wanted.events.includes('push'),
    merge_requests_events: wanted.events.includes('pull-request'),
    enable_ssl_verification: true,
  };
  const common = { body, access, doing: 'the webhook', secrets: [wanted.secret] };
  const made = await http.read(
    known === undefined ? { method: 'POST', url: hooks, ...common } : { method: 'PUT', url: `${hooks}/${known}`, ...common },
    hook,
  );
  return { id: String(made.id), created: known === undefined };
}

async function findHook(http: ForgeHttp, hooks: string, wanted: ForgeHook, access: ForgeAccess): Promise<number | undefined> {
  const call: ForgeCall = { method: 'GET', url: `${hooks}?per_page=100`, access, doing: 'the list of webhooks' };
  for await (const page of http.pages(call, z.array(hook), linkedPage)) {
    const known = page.find(({ url }) => url === wanted.url);
    if (known !== undefined) return known.id;
  }
  return undefined;
}
