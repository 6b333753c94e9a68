import { createHash } from 'node:crypto';
import { z } from 'zod';
import { EngineError } from '../../model/engine-error.ts';
import type { Forge, ForgeAccess, ForgeHook } from '../../model/ports/forge.ts';
import type { CommitStatus } from '../../model/ports/status-store.ts';
import type { HttpClient } from '../../util/http.ts';
import type { ForgeCall } from './forge-call.ts';
import { createForgeHttp, type ForgeHttp } from './forge-http.ts';
import { notOnForge, parseRepositoryAddress, pathOf } from './repository-address.ts';
import { shortened } from './shortened.ts';

const STATES: Readonly<Record<CommitStatus['state'], 'INPROGRESS' | 'SUCCESSFUL' | 'FAILED' | 'STOPPED'>> = {
  queued: 'INPROGRESS',
  running: 'INPROGRESS',
  succeeded: 'SUCCESSFUL',
  failed: 'FAILED',
  error: 'FAILED',
  canceled: 'STOPPED',
};
const EVENTS = {
  push: ['repo:push'],
  'pull-request': ['pullrequest:created', 'pullrequest:updated', 'pullrequest:fulfilled', 'pullrequest:rejected'],
} as const;
const API = 'https://api.bitbucket.org/2.0';
const KEY_LENGTH = 40;
const TEXT_LENGTH = 255;

const hook = z.object({ uuid: z.string().min(1), url: z.string() });
const hooksPage = z.object({ values: z.array(hook), next: z.string().optional() });

/** Bitbucket Cloud, API 2.0. Bitbucket Data Center has another API and is not spoken to. */
export function createBitbucket(client: HttpClient): Forge {
  const http = createForgeHttp(client, { kind: 'Bitbucket', authorization });
  return {
    setStatus: (status, access) => setStatus(http, status, access),
    createHook: (wanted, access) => createHook(http, wanted, access),
    redeliver: () => Promise.resolve(0),
  };
}

/** Access tokens of a repository or workspace stand alone; app passwords and API tokens belong to a user: `USER:TOKEN`. */
function authorization(token: string): string {
  return token.includes(':') ? `Basic ${Buffer.from(token).toString('base64')}` : `Bearer ${token}`;
}

function repositoryApi(url: string): string {
  const { host, path } = parseRepositoryAddress(url);
  const [workspace, name] = path;
  if (host !== 'bitbucket.org') {
    throw new EngineError('forge-failed', `${host} is not Bitbucket Cloud (bitbucket.org), the only Bitbucket that can be spoken to`, {
      help: 'Set the webhook up by hand; turn commit statuses off for this trigger.',
    });
  }
  if (workspace === undefined || name === undefined || path.length !== 2) throw notOnForge(url);
  return `${API}/repositories${pathOf(workspace, name)}`;
}

async function setStatus(http: ForgeHttp, status: CommitStatus, access: ForgeAccess): Promise<void> {
  const body = {
    key: keyOf(status.context),
    state: STATES[status.state],
    name: shortened(status.context, TEXT_LENGTH),
    description: shortened(status.description, TEXT_LENGTH),
    url: status.targetUrl,
    ...(status.branch === undefined || status.pullRequest !== undefined ? {} : { refname: status.branch }),
  };
  const url = `${repositoryApi(status.repositoryUrl)}/commit${pathOf(status.commit)}/statuses/build`;
  await http.read({ method: 'POST', url, body, access, doing: 'the commit status' }, z.unknown());
}

/** The key tells statuses apart and has a bound; a longer context is told apart by its hash. */
function keyOf(context: string): string {
  if (context.length <= KEY_LENGTH) return context;
  return `slipway-${createHash('sha256').update(context).digest('hex')}`.slice(0, KEY_LENGTH);
}

async function createHook(http: ForgeHttp, wanted: ForgeHook, access: ForgeAccess): Promise<{ id: string; created: boolean }> {
  const hooks = `${repositoryApi(wanted.repositoryUrl)}/hooks`;
  const known = await findHook(http, hooks, wanted, access);
  const body = {
    description: 'Slipway',
    url: wanted.url,
    active: true,
    events: wanted.events.flatMap((event) => EVENTS[event]),
    secret: wanted.secret,
  };
  const common = { body, access, doing: 'the webhook', secrets: [wanted.secret] };
  const made = await http.read(
    known === undefined
      ? { method: 'POST', url: hooks, ...common }
      : { method: 'PUT', url: `${hooks}/${encodeURIComponent(known)}`, ...common },
    hook,
  );
  return { id: made.uuid, created: known === undefined };
}

async function findHook(http: ForgeHttp, hooks: string, wanted: ForgeHook, access: ForgeAccess): Promise<string | undefined> {
  const call: ForgeCall = { method: 'GET', url: `${hooks}?pagelen=100`, access, doing: 'the list of webhooks' };
  for await (const page of http.pages(call, hooksPage, (_answer, { next }) => next)) {
    const known = page.values.find(({ url }) => url === wanted.url);
    if (known !== undefined) return known.uuid;
  }
  return undefined;
}
