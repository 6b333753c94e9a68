import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../../src/api/routes.ts';
import { ROLES, type Role, type Scope } from '../../../src/model/security.ts';
import { type RawAnswer, send } from './client.ts';
import { ADMIN, type DaemonFixture, startDaemon, TASK_FILE } from './daemon-fixture.ts';

/** Written out here a second time, on purpose: a slip in the table of rights shows as a difference. */
const LOWEST: Readonly<Record<Scope, Role>> = {
  'task:read': 'viewer',
  'task:write': 'editor',
  'run:read': 'viewer',
  'run:create': 'runner',
  'run:cancel': 'runner',
  'run:approve': 'editor',
  'run:write': 'editor',
  'queue:read': 'viewer',
  'queue:write': 'admin',
  'secret:read': 'editor',
  'secret:write': 'editor',
  'token:read': 'admin',
  'token:write': 'admin',
  'audit:read': 'admin',
  admin: 'admin',
};
const OPEN = ['healthz', 'readyz'];
/** Anybody known. */
const KNOWN = ['me', 'version', 'openapi'];
const CONTENT = Buffer.from('a context');
const SHA = createHash('sha256').update(CONTENT).digest('hex');

type Asker = 'anonymous' | Role | 'limited' | 'forged' | 'revoked';
const ASKERS: readonly Asker[] = ['anonymous', 'forged', 'revoked', ...ROLES, 'limited'];

let daemon: Awaited<ReturnType<typeof startDaemon>>;
const tokens = new Map<Asker, string>();

beforeAll(async () => {
  daemon = await startDaemon({ limits: { failuresPerMinute: 100_000 } });
  for (const role of ROLES) tokens.set(role, await daemon.token({ name: role, role }));
  tokens.set('limited', await daemon.token({ name: 'limited', role: 'admin', tasks: ['other-*'] }));
  tokens.set('forged', `slw_${'A'.repeat(43)}`);
  tokens.set('revoked', await revokedToken(daemon));
  await daemon.defineTask('other-one');
});
afterAll(() => daemon[Symbol.asyncDispose]());

describe.each(ASKERS)('%s', (asker) => {
  it.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', async (_title, route) => {
    const answer = await call(daemon, route, asker);
    const wanted = expected(route, asker);
    if (wanted === 'done') {
      expect(answer.status, answer.text).toBeLessThan(300);
      expect(answer.status).toBeGreaterThanOrEqual(200);
    } else expect(answer.status, answer.text).toBe(wanted);
    if (answer.status >= 400 && route.method !== 'HEAD') {
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({ status: answer.status, instance: answer.headers['x-request-id'] });
    }
  });
});

function expected({ name, scope, target, path }: (typeof ROUTES)[number], asker: Asker): 'done' | number {
  if (OPEN.includes(name)) return 'done';
  if (asker === 'anonymous' || asker === 'forged' || asker === 'revoked') return 401;
  if (KNOWN.includes(name)) return 'done';
  if (scope === 'none' || scope === 'any') throw new Error(`${path} has the scope ${scope} and is not among those that may`);
  if (asker !== 'limited') return ROLES.indexOf(asker) >= ROLES.indexOf(LOWEST[scope]) ? 'done' : 403;
  // A token for other tasks: what it may not see is not there, what it would make is refused, what concerns all is refused.
  if (target.kind === 'task' || target.kind === 'run') return 404;
  // Its events are of nobody's tasks that it may see.
  if (name === 'getTriggerEvent') return 404;
  if (target.kind === 'body-task' || target.kind === 'body-tasks') return 403;
  return /^(?:secret|token|audit|admin|queue:write)/.test(scope) ? 403 : 'done';
}

/** Each call gets things of its own, so that one asker's change is not the next one's mistake. */
async function call(to: DaemonFixture, route: (typeof ROUTES)[number], asker: Asker): Promise<RawAnswer> {
  const task = `t${Math.random().toString(36).slice(2, 10)}`;
  if (route.target.kind === 'task' || route.name === 'createRun') await to.defineTask(task);
  if (route.name === 'deleteCredential') await putCredential(to, task);
  const run = route.target.kind === 'run' ? await to.queueRun() : undefined;
  if (run !== undefined && route.name === 'runEvents') await to.services.runs.cancel(run.id, { name: 'test', from: 'unix' });
  if (route.name === 'deleteSecret') await to.services.secrets.set(ADMIN, { name: 'named', value: 'a value' });
  if (route.name === 'headUpload') await putContext(to);
  if (route.path.includes('/tasks/:name/hooks')) await followRepository(to, task);
  if (route.name === 'deleteTimer') await to.services.tasks.patch(ADMIN, task, { trigger: { timerTriggers: { set: [TIMER] } } });
  if (route.path.endsWith('/check')) await settleReplays(to);
  if (route.name === 'approveRun' && run !== undefined) await to.store.runs.hold(run.id, HOLD);
  const id = run?.id ?? (await idFor(to, route.name));
  const path = route.path
    .replace(':name', route.path.includes('/secrets/') ? 'named' : task)
    .replace(':id', id)
    .replace(':sha256', SHA)
    .replace(':timer', TIMER.name)
    .replace(':server', 'registry.example');
  const token = tokens.get(asker);
  // Streams never end by themselves; what matters here is whether they start.
  const headers = { ...(route.name === 'putUpload' ? { 'content-type': 'application/octet-stream' } : {}) };
  const body = bodyOf(route.name, task);
  const request = {
    method: route.method,
    path,
    headers,
    ...(body === undefined ? {} : { body }),
    ...(token === undefined ? {} : { token }),
  };
  return route.name === 'events' ? start(to.url, request) : send(to.url, request);
}

function bodyOf(name: string, task: string): unknown {
  const definition = { name: task, step: { encodedTaskContent: TASK_FILE } };
  switch (name) {
    case 'createTask':
    case 'putTask':
      return definition;
    case 'patchTask':
      return { priority: 5 };
    case 'putCredential':
      return { userName: 'me', password: { plain: 'a password' } };
    case 'apply':
      return { tasks: [definition], dryRun: true };
    case 'createRun':
      return { type: 'TaskRunRequest', task };
    case 'patchRun':
      return { isArchiveEnabled: true };
    case 'createToken':
      return { name: 'new', role: 'viewer' };
    case 'putTimer':
      return { schedule: TIMER.schedule };
    case 'ensureRegistryHook':
      return { registry: 'registry.example', registryKind: 'distribution' };
    case 'putSecret':
      return { value: 'a value' };
    case 'putUpload':
      return CONTENT;
    default:
      return undefined;
  }
}

async function start(url: string, request: Parameters<typeof send>[1]): Promise<RawAnswer> {
  const controller = new AbortController();
  const headers = request.token === undefined ? {} : { authorization: `Bearer ${request.token}` };
  const answer = await fetch(`${url}${request.path}`, { headers, signal: controller.signal });
  const text = answer.status === 200 ? '' : await answer.text();
  controller.abort();
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text, json: () => JSON.parse(text) };
}

const TIMER = { name: 'nightly', schedule: '0 3 * * *' };
const HOLD = { because: 'waits for an approval', approval: { commit: 'c'.repeat(40) } };
let events = 0;

/** Of something that the route can work on. */
async function idFor(to: DaemonFixture, name: string): Promise<string> {
  if (name === 'revokeToken') return tokenId(to);
  if (name.includes('TriggerEvent')) {
    events += 1;
    const happening = { kind: 'run-ended', run: 'ra001', status: 'Succeeded' } as const;
    const [recorded] = await to.store.events.record([{ dedupKey: `test:${events}`, origin: 'run', happening }]);
    await to.store.events.settle([{ id: recorded?.id ?? '', decisions: [] }]);
    return recorded?.id ?? '';
  }
  if (!name.endsWith('Hook')) return 'none';
  const registry = `r${Math.random().toString(36).slice(2, 10)}.example`;
  return (await to.services.hooks.ensureForRegistry(ADMIN, { registry, registryKind: 'harbor' })).hook.id;
}

/** A check waits until what is pending is decided on, which nobody does here: what other askers had replayed. */
async function settleReplays({ store: { events } }: DaemonFixture): Promise<void> {
  await events.settle((await events.pending(1000)).map(({ id }) => ({ id, decisions: [] })));
}

async function followRepository({ services }: DaemonFixture, task: string): Promise<void> {
  const repositoryUrl = 'https://git.example/app.git';
  const sourceTriggers = { set: [{ name: 'push', sourceRepository: { repositoryUrl, sourceControlType: 'Gitea' as const } }] };
  await services.tasks.patch(ADMIN, task, { trigger: { sourceTriggers } });
}

async function putCredential({ services }: DaemonFixture, task: string): Promise<void> {
  await services.credentials.put(ADMIN, task, { loginServer: 'registry.example', userName: 'me', password: { plain: 'a password' } });
}

async function putContext({ services }: DaemonFixture): Promise<void> {
  async function* content(): AsyncGenerator<Uint8Array> {
    yield CONTENT;
  }
  await services.uploads.put(SHA, content(), { maxBytes: 1000, signal: new AbortController().signal });
}

async function tokenId({ services }: DaemonFixture): Promise<string> {
  return (await services.tokens.create(ADMIN, { name: 'gone', role: 'viewer' })).record.id;
}

async function revokedToken({ services }: DaemonFixture): Promise<string> {
  const { token, record } = await services.tokens.create(ADMIN, { name: 'revoked', role: 'admin' });
  await services.tokens.revoke(ADMIN, record.id);
  return token;
}

it('lets nobody end runs of tasks that are not theirs by a concurrency group', async () => {
  await using own = await startDaemon();
  await own.defineTask('web');
  const team = await own.token({ name: 'team', role: 'runner', tasks: ['web'] });
  const all = await own.token({ name: 'all', role: 'runner' });
  const narrow = await own.token({ name: 'narrow', role: 'runner', scopes: ['run:create', 'task:read'] });
  const run = async (token: string, group: string): Promise<number> => {
    const body = { type: 'TaskRunRequest', task: 'web', concurrency: { group, onConflict: 'cancel-running' } };
    return (await send(own.socket, { method: 'POST', path: '/api/v1/runs', body, token })).status;
  };
  expect([await run(team, 'deploy'), await run(narrow, 'deploy'), await run(all, 'deploy')]).toStrictEqual([403, 403, 201]);
  expect(await run(team, '${task}')).toBe(201);
});

it('keeps no run for ever for whoever may not ask for that afterwards', async () => {
  await using own = await startDaemon();
  await own.defineTask('web');
  const [runner, editor] = [await own.token({ name: 'r', role: 'runner' }), await own.token({ name: 'e', role: 'editor' })];
  const body = { type: 'TaskRunRequest', task: 'web', isArchiveEnabled: true };
  const run = (token: string) => send(own.socket, { method: 'POST', path: '/api/v1/runs', body, token });
  expect((await run(runner)).status).toBe(403);
  expect((await own.store.runs.list({ limit: 1 })).length).toBe(0);
  expect((await run(editor)).json()).toMatchObject({ isArchiveEnabled: true });
});
