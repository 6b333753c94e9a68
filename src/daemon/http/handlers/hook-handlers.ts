import type { FastifyReply } from 'fastify';
import type { HookResource, HookSecretResource } from '../../../api/hook-schema.ts';
import { hookInstructions } from '../../../forge/api/hook-instructions.ts';
import type { HookRecord } from '../../../model/ports/hook-store.ts';
import { visibleTasks } from '../../../service/security/authorisation.ts';
import type { AtForge, EnsuredHook } from '../../triggers/hook-service.ts';
import type { HttpServices } from '../services.ts';
import type { Handlers } from './call.ts';

type HookRoute = 'listHooks' | 'ensureTaskHook' | 'ensureRegistryHook' | 'rotateHook' | 'deleteHook';

/** A forge that does not answer is not waited for longer. */
const FORGE_TIMEOUT_MS = 30_000;

export function hookHandlers({ hooks, tasks }: HttpServices): Handlers<HookRoute> {
  const opened = async (hook: EnsuredHook): Promise<HookSecretResource> => {
    const shown = showHook(hook.hook, (await hooks.followers())(hook.hook), hooks.urlOf(hook.hook.id));
    return showOpened(hook, shown);
  };
  return {
    listHooks: async ({ principal }) => {
      const visible = visibleTasks(principal);
      const followers = await hooks.followers();
      const items = (await hooks.list()).flatMap((hook) => {
        const names = followers(hook).filter((name) => visible?.(name) !== false);
        return visible !== undefined && names.length === 0 ? [] : [showHook(hook, names, hooks.urlOf(hook.id))];
      });
      return { status: 200, body: { items } };
    },
    ensureTaskHook: async ({ principal, params: { name }, body, reply }) => {
      const record = await tasks.get(principal, name);
      const hook = await hooks.ensureForTask(principal, record, body.trigger, atForge(body, reply));
      const shown = await opened(hook);
      const visible = visibleTasks(principal);
      return { status: hook.created ? 201 : 200, body: { ...shown, tasks: shown.tasks.filter((task) => visible?.(task) !== false) } };
    },
    ensureRegistryHook: async ({ principal, body }) => {
      const hook = await hooks.ensureForRegistry(principal, body);
      return { status: hook.created ? 201 : 200, body: await opened(hook) };
    },
    rotateHook: async ({ principal, params: { id }, body, reply }) => ({
      status: 200,
      body: await opened(await hooks.rotate(principal, id, atForge(body, reply))),
    }),
    deleteHook: async ({ principal, params: { id } }) => {
      await hooks.delete(principal, id);
      return { status: 204 };
    },
  };
}

function atForge(body: { readonly atForge: boolean; readonly token?: string }, reply: FastifyReply): AtForge | undefined {
  if (!body.atForge) return undefined;
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(FORGE_TIMEOUT_MS)]);
  return { signal, ...(body.token === undefined ? {} : { token: body.token }) };
}

function showHook(hook: HookRecord, tasks: readonly string[], url: string): HookResource {
  const { id, source, createdAt, createdBy, previousUntil, lastDelivery, remoteId } = hook;
  return {
    ...{ id, source, url, tasks, createdAt, createdBy },
    ...(previousUntil === undefined ? {} : { previousUntil }),
    ...(lastDelivery === undefined ? {} : { lastDelivery }),
    ...(remoteId === undefined ? {} : { remoteId }),
  };
}

function showOpened({ hook, secret, atForge: done }: EnsuredHook, shown: HookResource): HookSecretResource {
  const { source } = hook;
  const { url } = shown;
  const instructions =
    source.kind === 'git'
      ? hookInstructions(source.forge, { url, secret, repositoryUrl: source.repositoryUrl })
      : hookInstructions(source.registryKind, { url, secret });
  return { ...shown, secret, urlWithSecret: `${url}/${secret}`, instructions, ...(done === undefined ? {} : { atForge: done }) };
}
