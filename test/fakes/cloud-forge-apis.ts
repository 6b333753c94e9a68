import { z } from 'zod';
import { change, type ForgeState, type Kept, keep } from './forge-apis.ts';
import type { ForgeApi } from './forges.ts';

const bitbucketStatus = z.strictObject({
  key: z.string().min(1).max(40),
  state: z.enum(['INPROGRESS', 'SUCCESSFUL', 'FAILED', 'STOPPED']),
  name: z.string().max(255),
  description: z.string().max(255),
  url: z.url({ protocol: /^https?$/, hostname: /\./ }),
  refname: z.string().optional(),
});
const bitbucketHook = z.strictObject({
  description: z.string().max(255),
  url: z.url(),
  active: z.boolean(),
  events: z.array(z.string().regex(/^(?:repo|pullrequest):\w+$/)),
  secret: z.string(),
});

/** https://developer.atlassian.com/cloud/bitbucket/rest/: `acme/shop`. Statuses are kept by their key. Two hooks a page. */
export function bitbucketApi(state: ForgeState, authorization: string): ForgeApi {
  return (request) => {
    const { method, headers, body } = request;
    const refused = (status: number, message: string) => ({ status, body: { type: 'error', error: { message } } });
    if (request.base !== 'https://api.bitbucket.org') return refused(404, 'no such host');
    if (headers.authorization !== authorization) return refused(401, 'Token is invalid, expired, or not supported for this endpoint.');
    const [, path = ''] = /^\/2\.0\/repositories\/acme\/shop\/(.*)$/.exec(request.path) ?? [];
    const [, commit] = /^commit\/([0-9a-f]+)\/statuses\/build$/.exec(path) ?? [];
    if (commit !== undefined && method === 'POST') {
      if (!state.commits.has(commit)) return refused(404, `Commit not found: ${commit}`);
      const parsed = bitbucketStatus.safeParse(body);
      if (!parsed.success) return refused(400, 'Bad request');
      const known = state.statuses.find((each) => each.place === commit && each.body['key'] === parsed.data.key);
      if (known !== undefined) return { ...change(state.statuses, known.id, body, bitbucketStatus, (kept) => kept.body), status: 201 };
      return keep(state.statuses, commit, body, bitbucketStatus, (kept) => kept.body);
    }
    const shown = (kept: Kept): object => ({ uuid: `{${kept.id}}`, ...kept.body, secret: undefined, secret_set: true });
    if (path === 'hooks' && method === 'GET') {
      const number = Number(request.query.get('page') ?? '1');
      const more = number * 2 < state.hooks.length ? { next: `${request.base}${request.path}?page=${number + 1}` } : {};
      return { status: 200, body: { values: state.hooks.slice(number * 2 - 2, number * 2).map(shown), page: number, ...more } };
    }
    if (path === 'hooks' && method === 'POST') return keep(state.hooks, 'hooks', body, bitbucketHook, shown);
    const [, id = ''] = /^hooks\/\{(\d+)\}$/.exec(decodeURIComponent(path)) ?? [];
    return method === 'PUT' ? change(state.hooks, id, body, bitbucketHook, shown) : refused(404, 'Resource not found');
  };
}

const azureStatus = z.strictObject({
  state: z.enum(['notSet', 'pending', 'succeeded', 'failed', 'error', 'notApplicable']),
  description: z.string(),
  targetUrl: z.url(),
  context: z.strictObject({ name: z.string().min(1), genre: z.string().optional() }),
});
const azureSubscription = z.strictObject({
  id: z.string().optional(),
  publisherId: z.literal('tfs'),
  eventType: z.enum(['git.push', 'git.pullrequest.created', 'git.pullrequest.updated', 'git.pullrequest.merged']),
  resourceVersion: z.literal('1.0'),
  consumerId: z.literal('webHooks'),
  consumerActionId: z.literal('httpRequest'),
  publisherInputs: z.strictObject({ projectId: z.uuid(), repository: z.uuid() }),
  consumerInputs: z.strictObject({
    url: z.url(),
    basicAuthUsername: z.string(),
    basicAuthPassword: z.string(),
    resourceDetailsToSend: z.enum(['all', 'minimal', 'none']),
    messagesToSend: z.enum(['all', 'text', 'html', 'markdown', 'none']),
    detailedMessagesToSend: z.enum(['all', 'text', 'html', 'markdown', 'none']),
  }),
});
export const AZURE_REPOSITORY = '278d5cd2-584d-4b63-824a-2ba458937249';
const AZURE_PROJECT = '6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c';

/** https://learn.microsoft.com/rest/api/azure/devops/: repository `shop` of the project `Big Shop`, below `root` (`/acme` of dev.azure.com). */
export function azureApi(state: ForgeState, root: string, authorization: string): ForgeApi {
  return (request) => {
    const { method, headers, body } = request;
    const refused = (status: number, message: string) => ({ status, body: { $id: '1', message, typeKey: 'Exception' } });
    if (headers.authorization !== authorization)
      return { status: 302, headers: { location: 'https://spsprodcus1.vssps.visualstudio.com/_signin?realm=x' } };
    if (!/^[67]\.\d$/.test(request.query.get('api-version') ?? '')) return refused(400, 'No api-version was supplied');
    const path = request.path.startsWith(root) ? request.path.slice(root.length) : '';
    const [, named, below = ''] = /^\/Big Shop\/_apis\/git\/repositories\/([^/]+)(\/.*)?$/.exec(decodeURI(path)) ?? [];
    if (named !== undefined) {
      if (named !== 'shop' && named !== AZURE_REPOSITORY) return refused(404, 'TF401019: The Git repository does not exist');
      if (below === '')
        return { status: 200, body: { id: AZURE_REPOSITORY, name: 'shop', project: { id: AZURE_PROJECT, name: 'Big Shop' } } };
      const [, kind = '', id = ''] = /^\/(commits|pullRequests)\/(\w+)\/statuses$/.exec(below) ?? [];
      if (method !== 'POST' || (kind === 'commits' && !state.commits.has(id))) return refused(404, 'not found');
      return { ...keep(state.statuses, `${kind} ${id}`, body, azureStatus, (kept) => kept.body), status: 200 };
    }
    const shown = (kept: Kept): object => ({
      ...kept.body,
      id: kept.id,
      consumerInputs: { ...(kept.body['consumerInputs'] as object), basicAuthPassword: '********' },
    });
    if (path === '/_apis/hooks/subscriptions' && method === 'GET')
      return { status: 200, body: { count: state.hooks.length, value: state.hooks.map(shown) } };
    if (path === '/_apis/hooks/subscriptions' && method === 'POST') {
      const reply = keep(state.hooks, 'hooks', body, azureSubscription, shown);
      return reply.status === 201 ? { ...reply, status: 200 } : reply;
    }
    const [, id = ''] = /^\/_apis\/hooks\/subscriptions\/(\w+)$/.exec(path) ?? [];
    return method === 'PUT' ? change(state.hooks, id, body, azureSubscription, shown) : refused(404, 'not found');
  };
}
