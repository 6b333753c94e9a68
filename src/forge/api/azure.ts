import { z } from 'zod';
import type { Forge, ForgeAccess, ForgeHook } from '../../model/ports/forge.ts';
import type { CommitStatus } from '../../model/ports/status-store.ts';
import type { HttpClient } from '../../util/http.ts';
import { parseAzureAddress } from './azure-address.ts';
import type { ForgeCall } from './forge-call.ts';
import { createForgeHttp, type ForgeHttp } from './forge-http.ts';
import { pathOf } from './repository-address.ts';
import { shortened } from './shortened.ts';

/** Cancelled is an error: `notApplicable` would let a policy of a branch pass. */
const STATES: Readonly<Record<CommitStatus['state'], 'pending' | 'succeeded' | 'failed' | 'error'>> = {
  queued: 'pending',
  running: 'pending',
  succeeded: 'succeeded',
  failed: 'failed',
  error: 'error',
  canceled: 'error',
};
const EVENTS = { push: ['git.push'], 'pull-request': ['git.pullrequest.created', 'git.pullrequest.updated'] } as const;
const VERSION = 'api-version=7.0';
const DESCRIPTION_LENGTH = 255;
/** Any name will do: the receiver looks at the password. */
const USER = 'slipway';

const repositoryShape = z.object({ id: z.string().min(1), project: z.object({ id: z.string().min(1) }) });
const subscription = z.object({
  id: z.string().min(1),
  eventType: z.string().nullish(),
  publisherInputs: z.record(z.string(), z.unknown()).nullish(),
  consumerInputs: z.record(z.string(), z.unknown()).nullish(),
});
const subscriptions = z.object({ value: z.array(subscription) });
type Subscription = z.output<typeof subscription>;

/** Azure DevOps Services, and Server by the same paths, REST API 7.0. */
export function createAzure(client: HttpClient): Forge {
  const http = createForgeHttp(client, {
    kind: 'VisualStudioTeamService',
    authorization,
    // Without this header a refused token is answered with a page to sign in at.
    headers: { 'x-tfs-fedauthredirect': 'Suppress' },
    denies: (status, location) => status === 203 || /\/_signin\b/i.test(location),
  });
  return {
    setStatus: (status, access) => setStatus(http, status, access),
    createHook: (wanted, access) => createHook(http, wanted, access),
    redeliver: () => Promise.resolve(0),
  };
}

/** Personal access tokens are passwords; tokens of Entra ID are JWTs. */
function authorization(token: string): string {
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(token) ? `Bearer ${token}` : `Basic ${Buffer.from(`:${token}`).toString('base64')}`;
}

async function setStatus(http: ForgeHttp, status: CommitStatus, access: ForgeAccess): Promise<void> {
  const { organisation, project, repository } = parseAzureAddress(status.repositoryUrl);
  const base = `${organisation}${pathOf(project)}/_apis/git/repositories${pathOf(status.repositoryId ?? repository)}`;
  const [genre = '', ...rest] = status.context.split('/');
  const body = {
    state: STATES[status.state],
    description: shortened(status.description, DESCRIPTION_LENGTH),
    targetUrl: status.targetUrl,
    context: rest.length === 0 ? { name: genre } : { name: rest.join('/'), genre },
  };
  const call = { method: 'POST', body, access, doing: 'the commit status' } as const;
  await http.read({ ...call, url: `${base}/commits${pathOf(status.commit)}/statuses?${VERSION}` }, z.unknown());
  if (status.pullRequest === undefined) return;
  // Policies of branches look at the statuses of the pull request only.
  await http.read({ ...call, url: `${base}/pullRequests${pathOf(status.pullRequest)}/statuses?${VERSION}` }, z.unknown());
}

/** One subscription for each kind of event; the id names all of them. */
async function createHook(http: ForgeHttp, wanted: ForgeHook, access: ForgeAccess): Promise<{ id: string; created: boolean }> {
  const { organisation, project, repository } = parseAzureAddress(wanted.repositoryUrl);
  const found = await http.read(
    {
      method: 'GET',
      url: `${organisation}${pathOf(project)}/_apis/git/repositories${pathOf(repository)}?${VERSION}`,
      access,
      doing: 'the repository',
    },
    repositoryShape,
  );
  const hooks = `${organisation}/_apis/hooks/subscriptions`;
  const query = `publisherId=tfs&consumerId=webHooks&consumerActionId=httpRequest&${VERSION}`;
  const known = await http.read({ method: 'GET', url: `${hooks}?${query}`, access, doing: 'the list of service hooks' }, subscriptions);
  const ids: string[] = [];
  let created = false;
  for (const event of wanted.events.flatMap((each) => EVENTS[each])) {
    const present = known.value.find((each) => isSame(each, event, wanted.url, found.id));
    const body = subscriptionOf(event, wanted, found);
    const common = { access, doing: 'the service hook', secrets: [wanted.secret] };
    const call: ForgeCall =
      present === undefined
        ? { method: 'POST', url: `${hooks}?${VERSION}`, body, ...common }
        : { method: 'PUT', url: `${hooks}${pathOf(present.id)}?${VERSION}`, body: { id: present.id, ...body }, ...common };
    ids.push((await http.read(call, subscription)).id);
    created ||= present === undefined;
  }
  return { id: ids.join(','), created };
}

function isSame({ eventType, publisherInputs, consumerInputs }: Subscription, event: string, url: string, repository: string): boolean {
  return eventType === event && consumerInputs?.['url'] === url && publisherInputs?.['repository'] === repository;
}

function subscriptionOf(eventType: string, wanted: ForgeHook, repository: z.output<typeof repositoryShape>): object {
  return {
    publisherId: 'tfs',
    eventType,
    resourceVersion: '1.0',
    consumerId: 'webHooks',
    consumerActionId: 'httpRequest',
    publisherInputs: { projectId: repository.project.id, repository: repository.id },
    consumerInputs: {
      url: wanted.url,
      basicAuthUsername: USER,
      basicAuthPassword: wanted.secret,
      resourceDetailsToSend: 'all',
      messagesToSend: 'none',
      detailedMessagesToSend: 'none',
    },
  };
}
