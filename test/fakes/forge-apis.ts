import { z } from 'zod';
import type { AskedRequest, ForgeApi, ForgeReply } from './forges.ts';

/** A status or a hook as it was sent, with where it was sent to. */
export interface Kept {
  readonly id: string;
  readonly place: string;
  body: Record<string, unknown>;
}

export interface ForgeState {
  readonly token: string;
  /** Commits that are there. */
  readonly commits: ReadonlySet<string>;
  readonly statuses: Kept[];
  readonly hooks: Kept[];
}

export function forgeState(token: string, commits: readonly string[]): ForgeState {
  return { token, commits: new Set(commits), statuses: [], hooks: [] };
}

const text = (most: number) => z.string().refine((value) => [...value].length <= most, `is too long (maximum is ${most} characters)`);
const webUrl = z.url({ protocol: /^https?$/ });

/** Keeps what has the documented shape, and says what is wrong with the rest. */
export function keep(list: Kept[], place: string, body: unknown, shape: z.ZodType, reply: (kept: Kept) => unknown): ForgeReply {
  const parsed = shape.safeParse(body);
  if (!parsed.success) return { status: 422, body: { message: 'Validation Failed', errors: parsed.error.issues } };
  const kept = { id: String(1000 + list.length), place, body: parsed.data as Record<string, unknown> };
  list.push(kept);
  return { status: 201, body: reply(kept) };
}

export function change(list: Kept[], id: string, body: unknown, shape: z.ZodType, reply: (kept: Kept) => unknown): ForgeReply {
  const kept = list.find((each) => each.id === id);
  const parsed = shape.safeParse(body);
  if (kept === undefined) return { status: 404, body: { message: 'Not Found' } };
  if (!parsed.success) return { status: 422, body: { message: 'Validation Failed', errors: parsed.error.issues } };
  kept.body = { ...kept.body, ...(parsed.data as Record<string, unknown>) };
  return { status: 200, body: reply(kept) };
}

/** One page of a list, with GitHub's `Link` header. `size` is how many the fake gives at most. */
function page(request: AskedRequest, items: readonly unknown[], size: number): ForgeReply {
  const number = Number(request.query.get('page') ?? '1');
  const shown = items.slice((number - 1) * size, number * size);
  const query = new URLSearchParams(request.query);
  query.set('page', String(number + 1));
  const link = `<${request.base}${encodeURI(request.path)}?${query}>; rel="next", <${request.base}/>; rel="first"`;
  return { status: 200, body: shown, headers: number * size < items.length ? { link } : {} };
}

const NOT_FOUND = { status: 404, body: { message: 'Not Found' } };

const githubStatus = z.strictObject({
  state: z.enum(['error', 'failure', 'pending', 'success']),
  target_url: webUrl,
  description: text(140),
  context: z.string().min(1),
});
const githubHook = {
  events: z.array(z.enum(['push', 'pull_request', 'create', 'delete', 'release'])).min(1),
  active: z.boolean(),
  config: z.strictObject({ url: webUrl, content_type: z.enum(['json', 'form']), secret: z.string(), insecure_ssl: z.enum(['0', '1']) }),
};
const shownHook = ({ id, body }: Kept): object => ({
  id: Number(id),
  type: 'Repository',
  active: body['active'],
  events: body['events'],
  config: { ...(body['config'] as object), secret: '********' },
});

/** A delivery as GitHub lists it; the id may be beyond the exact numbers of JavaScript. */
export interface FakeDelivery {
  readonly id: string;
  readonly guid: string;
  readonly delivered_at: string;
  readonly status_code: number;
  readonly event: string;
}

/** https://docs.github.com/en/rest (2022-11-28): repository `acme/shop`, at api.github.com or below /api/v3. Two items a page. */
export function githubApi(state: ForgeState, deliveries: readonly FakeDelivery[] = [], redelivered: string[] = []): ForgeApi {
  return (request) => {
    const { method, headers, body } = request;
    if (headers['user-agent'] === undefined) return { status: 403, body: { message: 'Request forbidden by administrative rules.' } };
    if (headers.authorization !== `Bearer ${state.token}`) return { status: 401, body: { message: 'Bad credentials' } };
    if (headers['x-github-api-version'] !== '2022-11-28') return { status: 400, body: { message: 'unknown version' } };
    const root = /^api\./.test(request.host) ? '' : '/api/v3';
    const [, path] = /^\/repos\/acme\/shop\/(.*)$/.exec(request.path.startsWith(root) ? request.path.slice(root.length) : '') ?? [];
    const [kind, id = '', part, number, action] = path?.split('/') ?? [];
    if (kind === 'statuses' && method === 'POST') {
      if (!state.commits.has(id)) return { status: 422, body: { message: `No commit found for SHA: ${id}` } };
      return keep(state.statuses, id, body, githubStatus, (kept) => ({ id: Number(kept.id), ...kept.body }));
    }
    if (kind !== 'hooks') return NOT_FOUND;
    if (part === 'deliveries' && method === 'GET') return deliveryPage(request, deliveries);
    if (part === 'deliveries' && method === 'POST' && action === 'attempts') {
      redelivered.push(number ?? '');
      return { status: 202, body: {} };
    }
    if (id !== '') return method === 'PATCH' ? change(state.hooks, id, body, z.strictObject(githubHook), shownHook) : NOT_FOUND;
    if (method === 'GET') return page(request, state.hooks.map(shownHook), 2);
    const { url } = z.object({ config: z.object({ url: z.string() }) }).parse(body).config;
    const same = state.hooks.some((hook) => (hook.body['config'] as { url?: string }).url === url);
    if (same)
      return { status: 422, body: { message: 'Validation Failed', errors: [{ message: 'Hook already exists on this repository' }] } };
    return keep(state.hooks, 'hooks', body, z.strictObject({ name: z.literal('web'), ...githubHook }), shownHook);
  };
}

function deliveryPage(request: AskedRequest, deliveries: readonly FakeDelivery[]): ForgeReply {
  const reply = page(request, deliveries, 2);
  // Ids are numbers in GitHub's JSON.
  return { ...reply, body: JSON.stringify(reply.body).replace(/"id":"(\d+)"/g, '"id":$1') };
}

const gitlabStatus = z.strictObject({
  state: z.enum(['pending', 'running', 'success', 'failed', 'canceled', 'skipped']),
  name: z.string().max(255),
  description: z.string().max(255),
  target_url: webUrl.max(255).optional(),
  ref: z.string().max(255).optional(),
});
const gitlabHook = z.strictObject({
  url: webUrl,
  token: z.string(),
  push_events: z.boolean(),
  tag_push_events: z.boolean(),
  merge_requests_events: z.boolean(),
  enable_ssl_verification: z.boolean(),
});
const TRANSITIONS: Readonly<Record<string, string>> = {
  pending: 'enqueue',
  running: 'run',
  success: 'success',
  failed: 'drop',
  canceled: 'cancel',
};

/** https://docs.gitlab.com/api/: project 42 is `group/sub/shop`, 77 its fork, merge request 5 comes from there. Jobs are a state machine. */
export function gitlabApi(state: ForgeState): ForgeApi {
  return (request) => {
    const { method, headers, body } = request;
    if (headers.authorization !== `Bearer ${state.token}`) return { status: 401, body: { message: '401 Unauthorized' } };
    const [, written = '', kind, id = ''] = /^\/api\/v4\/projects\/([^/]+)\/([a-z_]+)(?:\/(.+))?$/.exec(request.path) ?? [];
    const project = { 'group%2Fsub%2Fshop': '42', '42': '42', '77': '77' }[written];
    if (project === undefined) return { status: 404, body: { message: '404 Project Not Found' } };
    const shown = ({ id: number, body: hook }: Kept): object => ({ id: Number(number), project_id: 42, ...hook, token: undefined });
    if (kind === 'merge_requests' && id === '5') return { status: 200, body: { iid: 5, source_project_id: 77, source_branch: 'topic' } };
    if (kind === 'statuses' && method === 'POST') {
      if (!state.commits.has(id)) return { status: 404, body: { message: '404 Commit Not Found' } };
      const { state: to, name, ref } = gitlabStatus.parse(body);
      const before = state.statuses.findLast(
        (each) => each.place === `${project} ${id}` && each.body['name'] === name && each.body['ref'] === ref,
      );
      const from = String(before?.body['state']);
      if (from === to || (from === 'running' && to === 'pending')) {
        return {
          status: 400,
          body: { message: `Cannot transition status via :${TRANSITIONS[to]} from :${from} (Reason(s): Status cannot transition)` },
        };
      }
      return keep(state.statuses, `${project} ${id}`, body, gitlabStatus, (kept) => ({ id: Number(kept.id), status: to }));
    }
    if (kind !== 'hooks') return NOT_FOUND;
    if (method === 'GET') return page(request, state.hooks.map(shown), 2);
    return method === 'PUT' ? change(state.hooks, id, body, gitlabHook, shown) : keep(state.hooks, 'hooks', body, gitlabHook, shown);
  };
}

const giteaStatus = z.strictObject({
  state: z.enum(['pending', 'success', 'error', 'failure', 'warning']),
  target_url: z.string(),
  description: z.string(),
  context: z.string(),
});
const giteaHook = {
  active: z.boolean(),
  events: z.array(z.string()),
  config: z.strictObject({ url: webUrl, content_type: z.enum(['json', 'form']), secret: z.string() }),
};

/** The swagger of Gitea and Forgejo (/api/swagger): repository `acme/shop`, below `root`. */
export function giteaApi(state: ForgeState, root = ''): ForgeApi {
  return (request) => {
    const { method, headers, body } = request;
    if (headers.authorization !== `token ${state.token}`) return { status: 401, body: { message: 'token is required' } };
    const prefix = `${root}/api/v1/repos/acme/shop/`;
    if (!request.path.startsWith(prefix)) return { status: 404, body: { message: "The target couldn't be found." } };
    const [kind, id = ''] = request.path.slice(prefix.length).split('/');
    if (kind === 'statuses' && method === 'POST') {
      if (!state.commits.has(id)) return NOT_FOUND;
      return keep(state.statuses, id, body, giteaStatus, (kept) => ({ id: Number(kept.id) }));
    }
    if (kind !== 'hooks') return NOT_FOUND;
    const shown = ({ id: number, body: hook }: Kept): object => ({
      id: Number(number),
      ...hook,
      config: { ...(hook['config'] as object), secret: '' },
    });
    if (method === 'GET') return page(request, state.hooks.map(shown), 2);
    if (method === 'PATCH') return change(state.hooks, id, body, z.strictObject(giteaHook), shown);
    return keep(state.hooks, 'hooks', body, z.strictObject({ type: z.enum(['gitea', 'forgejo', 'gogs', 'slack']), ...giteaHook }), shown);
  };
}
