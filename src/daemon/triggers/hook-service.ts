import { EngineError } from '../../model/engine-error.ts';
import type { Forge } from '../../model/ports/forge.ts';
import type { HookRecord, RegistryHookKind } from '../../model/ports/hook-store.ts';
import type { TaskStore } from '../../model/ports/store.ts';
import type { Principal } from '../../model/security.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import { type SourceControlType, type SourceTrigger, triggersOf } from '../../model/trigger-definition.ts';
import type { Audit } from '../../service/security/audit.ts';
import { visibleTasks } from '../../service/security/authorisation.ts';
import { allTasks } from '../../trigger/all-tasks.ts';
import type { HookRegistry, OpenHook } from '../../trigger/hook-registry.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';

/** A hook with what is needed to set it up. */
export interface EnsuredHook extends OpenHook {
  readonly created: boolean;
  /** What was done at the forge. */
  readonly atForge?: 'created' | 'updated';
}

/** To set a hook up through the API of its forge. `token`: for this once; else that of a trigger which follows it. */
export interface AtForge {
  readonly token?: string;
  readonly signal: AbortSignal;
}

interface HookServiceParts {
  readonly registry: HookRegistry;
  readonly tasks: Pick<TaskStore, 'list'>;
  readonly audit: Audit;
  forges(kind: SourceControlType): Forge | undefined;
  sourceToken(task: TaskRecord, trigger: SourceTrigger): Promise<string | undefined>;
  onProblem(what: string, error: unknown): void;
  /** Newer than what the record says where that was not written yet. */
  lastDelivery(hook: HookRecord): HookRecord['lastDelivery'];
  /** Where forges reach this daemon, without a slash at its end. */
  publicUrl(): string;
}

/** The hooks as people handle them: what is done is in the audit. Authorisation has been done. */
export interface HookService {
  list(): Promise<readonly HookRecord[]>;
  /**
   * The hook of the repository of a source trigger; without a name of the only repository that the task follows. Rejects with `invalid-request`, `forge-denied`, `forge-failed`, and
   * with `forbidden` when the repository starts tasks, too, that are not for `by`: who knows its secret can start them.
   */
  ensureForTask(by: Principal, task: TaskRecord, trigger: string | undefined, atForge?: AtForge): Promise<EnsuredHook>;
  ensureForRegistry(by: Principal, registry: { readonly registry: string; readonly registryKind: RegistryHookKind }): Promise<EnsuredHook>;
  /** Another secret; the one before is good for 24 hours more. Rejects with `not-found`. */
  rotate(by: Principal, id: string, atForge?: AtForge): Promise<EnsuredHook>;
  delete(by: Principal, id: string): Promise<void>;
  /** Asks forges to send again what did not arrive since a time, where they can; how many deliveries. One that cannot be asked stops no other. */
  redeliver(since: string, signal: AbortSignal): Promise<number>;
  /** Where deliveries go. */
  urlOf(id: string): string;
  /** Tasks that follow the repository of a hook. Of a registry none is named: whoever builds on its images follows it. */
  followers(): Promise<(hook: HookRecord) => readonly string[]>;
}

export function createHookService(parts: HookServiceParts): HookService {
  const { registry, audit } = parts;
  const recorded = async (by: Principal, action: string, hook: HookRecord): Promise<void> =>
    audit.record(by, { action, target: hook.id, details: describe(hook) });

  async function ensure(by: Principal, target: Parameters<HookRegistry['ensure']>[0]): Promise<EnsuredHook> {
    const found = await registry.ensure(target, by.name);
    const ensured = { ...found, hook: withLast(parts, found.hook) };
    await recorded(by, ensured.created ? 'hook.create' : 'hook.show', ensured.hook);
    return ensured;
  }

  async function setUp(by: Principal, ensured: EnsuredHook, token: string | undefined, signal: AbortSignal): Promise<EnsuredHook> {
    const { hook, secret } = ensured;
    const { forge, repositoryUrl } = ofForge(hook, parts.forges);
    if (token === undefined) {
      throw new EngineError('invalid-request', 'there is no token for the forge', {
        help: 'Give one with the request, or give one to the source trigger.',
      });
    }
    const wanted = { repositoryUrl, url: urlOf(parts, hook.id), secret, events: ['push', 'pull-request'] as const };
    const { id: remoteId, created } = await forge.createHook(wanted, { token, signal });
    await registry.setRemote(hook.id, remoteId);
    await recorded(by, 'hook.set-up', hook);
    return { ...ensured, hook: { ...hook, remoteId }, atForge: created ? 'created' : 'updated' };
  }

  return {
    list: async () => (await registry.list()).map((hook) => withLast(parts, hook)),
    ensureForTask: async (by, task, name, atForge) => {
      const triggers = triggersOnOne(task, name);
      const [trigger] = triggers;
      const { sourceControlType: forge, repositoryUrl } = trigger.sourceRepository;
      await checkFollowers(by, trigger, parts);
      const ensured = await ensure(by, { kind: 'git', forge, repositoryUrl });
      if (atForge === undefined) return ensured;
      return setUp(by, ensured, atForge.token ?? (await tokenOfOne(parts, task, triggers)), atForge.signal);
    },
    ensureForRegistry: (by, target) => ensure(by, { kind: 'registry', ...target }),
    rotate: async (by, id, atForge) => {
      const rotated = await registry.rotate(id);
      await recorded(by, 'hook.rotate', rotated.hook);
      const ensured = { ...rotated, created: false };
      return atForge === undefined ? ensured : setUp(by, ensured, atForge.token ?? (await tokenOf(parts, rotated.hook)), atForge.signal);
    },
    delete: async (by, id) => {
      const hook = await registry.get(id);
      await registry.delete(id);
      await recorded(by, 'hook.delete', hook);
    },
    redeliver: async (since, signal) => {
      const asked = (await registry.list()).map((hook) => redeliver(parts, hook, since, signal));
      return (await Promise.all(asked)).reduce((sum, count) => sum + count, 0);
    },
    urlOf: (id) => urlOf(parts, id),
    followers: () => followers(parts),
  };
}

function withLast({ lastDelivery }: Pick<HookServiceParts, 'lastDelivery'>, hook: HookRecord): HookRecord {
  const last = lastDelivery(hook);
  return last === undefined ? hook : { ...hook, lastDelivery: last };
}

function urlOf({ publicUrl }: Pick<HookServiceParts, 'publicUrl'>, id: string): string {
  return `${publicUrl()}/hooks/${id}`;
}

function ofForge({ source }: HookRecord, forges: HookServiceParts['forges']): { readonly forge: Forge; readonly repositoryUrl: string } {
  const forge = source.kind === 'git' ? forges(source.forge) : undefined;
  if (source.kind === 'git' && forge !== undefined) return { forge, repositoryUrl: source.repositoryUrl };
  const what = source.kind === 'git' ? `a repository of the kind ${source.forge}` : 'a registry';
  throw new EngineError('invalid-request', `the webhook of ${what} cannot be set up from here`, {
    help: 'Set it up by hand. If its host is a forge that the daemon knows, say which: `task update NAME --forge KIND`.',
  });
}

async function redeliver(parts: HookServiceParts, hook: HookRecord, since: string, signal: AbortSignal): Promise<number> {
  const { source, remoteId: id } = hook;
  const forge = source.kind === 'git' ? parts.forges(source.forge) : undefined;
  if (source.kind !== 'git' || id === undefined || forge === undefined) return 0;
  try {
    const token = await tokenOf(parts, hook);
    return token === undefined ? 0 : await forge.redeliver({ repositoryUrl: source.repositoryUrl, id, since }, { token, signal });
  } catch (error) {
    if (!signal.aborted) parts.onProblem(`lost deliveries of webhook ${hook.id} could not be asked for`, error);
    return 0;
  }
}

/** The token of the first trigger that has one for the repository. */
async function tokenOf(parts: HookServiceParts, { source }: HookRecord): Promise<string | undefined> {
  const key = keyOf(source);
  for await (const page of allTasks(parts.tasks)) {
    for (const task of page) {
      for (const trigger of triggersOf(task.definition).sourceTriggers) {
        const token = keyOfTrigger(trigger) === key ? await parts.sourceToken(task, trigger) : undefined;
        if (token !== undefined) return token;
      }
    }
  }
  return undefined;
}

async function followers({ tasks }: Pick<HookServiceParts, 'tasks'>): Promise<(hook: Pick<HookRecord, 'source'>) => readonly string[]> {
  const byKey = new Map<string, Set<string>>();
  for await (const page of allTasks(tasks)) {
    for (const { definition } of page) {
      for (const trigger of triggersOf(definition).sourceTriggers) {
        const key = keyOfTrigger(trigger);
        byKey.set(key, (byKey.get(key) ?? new Set()).add(definition.name));
      }
    }
  }
  return ({ source }) => [...(byKey.get(keyOf(source)) ?? [])];
}

async function checkFollowers(by: Principal, trigger: SourceTrigger, parts: Pick<HookServiceParts, 'tasks'>): Promise<void> {
  const visible = visibleTasks(by);
  if (visible === undefined) return;
  const { sourceControlType: forge, repositoryUrl } = trigger.sourceRepository;
  const names = (await followers(parts))({ source: { kind: 'git', forge, repositoryUrl } });
  if (names.every(visible)) return;
  throw new EngineError('forbidden', `the webhook of ${repositoryUrl} starts tasks, too, that are not for ${by.name}`, {
    help: 'Ask somebody who may change them all to set it up: `task trigger webhook`.',
  });
}

function keyOfTrigger({ sourceRepository: { sourceControlType: forge, repositoryUrl } }: SourceTrigger): string {
  return keyOf({ kind: 'git', forge, repositoryUrl });
}

function keyOf(source: HookRecord['source']): string {
  if (source.kind === 'registry') return `registry ${source.registry}`;
  return `git ${source.forge} ${canonicalRepositoryUrl(source.repositoryUrl) ?? source.repositoryUrl}`;
}

/** The triggers of a task on one repository, which has one webhook for them all: on that of the trigger with this name, or on the only one. */
function triggersOnOne({ definition }: TaskRecord, name: string | undefined): readonly [SourceTrigger, ...SourceTrigger[]] {
  const { sourceTriggers } = triggersOf(definition);
  const task = `the task ${JSON.stringify(definition.name)}`;
  const [first, ...others] = name === undefined ? sourceTriggers : sourceTriggers.filter((one) => one.name === name);
  if (sourceTriggers.length === 0)
    throw new EngineError('invalid-request', `${task} follows no repository`, { help: 'Give it a source trigger first.' });
  const named = sourceTriggers.map((one) => `${one.name} (${one.sourceRepository.repositoryUrl})`).join(', ');
  if (first === undefined) throw new EngineError('not-found', `${task} has no source trigger ${JSON.stringify(name)}: it has ${named}`);
  if (others.some((one) => keyOfTrigger(one) !== keyOfTrigger(first)))
    throw new EngineError('invalid-request', `${task} follows several repositories: ${named}`, {
      help: 'Say whose webhook is meant, with the name of a trigger on it: `--trigger-name NAME` (`trigger` in the API).',
    });
  return [first, ...sourceTriggers.filter((one) => one !== first && keyOfTrigger(one) === keyOfTrigger(first))];
}

/** That of the first which has one. */
async function tokenOfOne(parts: HookServiceParts, task: TaskRecord, triggers: readonly SourceTrigger[]): Promise<string | undefined> {
  for (const trigger of triggers) {
    const token = await parts.sourceToken(task, trigger);
    if (token !== undefined) return token;
  }
  return undefined;
}

function describe({ source }: HookRecord): Readonly<Record<string, unknown>> {
  return source.kind === 'git' ? { forge: source.forge, repositoryUrl: source.repositoryUrl } : { registry: source.registry };
}
