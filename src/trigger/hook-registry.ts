import { randomBytes } from 'node:crypto';
import { EngineError } from '../model/engine-error.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { HookRecord, HookStore } from '../model/ports/hook-store.ts';
import { hookBinding, type SecretBox } from '../model/ports/secret-box.ts';
import { canonicalRepositoryUrl } from '../util/repository-url.ts';

/** What a hook is for: a repository of a forge, or a registry. */
export type HookTarget =
  | Pick<Extract<HookRecord['source'], { readonly kind: 'git' }>, 'kind' | 'forge' | 'repositoryUrl'>
  | Extract<HookRecord['source'], { readonly kind: 'registry' }>;

/** A hook with its secret in clear, for the one who sets it up. */
export interface OpenHook {
  readonly hook: HookRecord;
  readonly secret: string;
}

/** The endpoints for deliveries: one for each repository of a forge or registry. Methods that name one reject with `not-found` when it is not there. */
export interface HookRegistry {
  /** The hook of a target, made when there is none. */
  ensure(target: HookTarget, by: string): Promise<OpenHook & { readonly created: boolean }>;
  /** Without making one. */
  find(target: HookTarget): Promise<HookRecord | undefined>;
  get(id: string): Promise<HookRecord>;
  list(): Promise<readonly HookRecord[]>;
  /** Another secret; the one before is good for another 24 hours. */
  rotate(id: string): Promise<OpenHook>;
  /** Keeps what the forge calls it. */
  setRemote(id: string, remoteId: string): Promise<void>;
  delete(id: string): Promise<void>;
  /** Those that are good now, the newest first. */
  secretsOf(hook: HookRecord): readonly string[];
  /** Changes the stored hook; changes go one after the other. Undefined when it is gone. */
  change(id: string, change: (hook: HookRecord) => HookRecord): Promise<HookRecord | undefined>;
}

/** Secrets that stay open. */
const MOST_OPENED = 200;
const PREVIOUS_GOOD_MS = 24 * 3_600_000;
const ID = /^[A-Za-z0-9_-]{22}$/;

export function createHookRegistry(parts: { readonly hooks: HookStore; readonly box: SecretBox; readonly clock: Clock }): HookRegistry {
  const { hooks, box, clock } = parts;
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  }

  async function find(target: HookTarget): Promise<HookRecord | undefined> {
    const key = targetKey(target);
    return (await hooks.list()).find(({ source }) => targetKey(source) === key);
  }

  async function get(id: string): Promise<HookRecord> {
    const hook = ID.test(id) ? await hooks.get(id) : undefined;
    if (hook === undefined) throw new EngineError('not-found', `there is no webhook ${JSON.stringify(id.slice(0, 40))}`);
    return hook;
  }

  /** A burst of deliveries opens each secret once. */
  const opened = new Map<string, string>();
  const open = (sealed: Uint8Array, id: string): string => {
    const key = `${id} ${Buffer.from(sealed).toString('base64')}`;
    const secret = opened.get(key) ?? box.open(sealed, hookBinding(id)).toString();
    opened.delete(key);
    opened.set(key, secret);
    if (opened.size > MOST_OPENED) opened.delete(opened.keys().next().value ?? '');
    return secret;
  };

  return {
    ensure: (target, by) =>
      inTurn(async () => {
        const known = await find(target);
        if (known !== undefined) return { hook: known, secret: open(known.secret, known.id), created: false };
        const id = randomBytes(16).toString('base64url');
        const secret = newSecret();
        const hook = { id, source: target, secret: box.seal(secret, hookBinding(id)), createdAt: clock.now().toISOString(), createdBy: by };
        await hooks.put(hook);
        return { hook, secret, created: true };
      }),
    find,
    get,
    list: () => hooks.list(),
    rotate: (id) =>
      inTurn(async () => {
        const before = await get(id);
        const secret = newSecret();
        const previousUntil = new Date(clock.now().getTime() + PREVIOUS_GOOD_MS).toISOString();
        const hook = { ...before, secret: box.seal(secret, hookBinding(id)), previousSecret: before.secret, previousUntil };
        await hooks.put(hook);
        return { hook, secret };
      }),
    setRemote: (id, remoteId) => inTurn(async () => hooks.put({ ...(await get(id)), remoteId })),
    delete: (id) =>
      inTurn(async () => {
        await get(id);
        await hooks.delete(id);
      }),
    secretsOf({ id, secret, previousSecret, previousUntil }) {
      const previousGood = previousUntil !== undefined && Date.parse(previousUntil) > clock.now().getTime();
      return [open(secret, id), ...(previousGood && previousSecret !== undefined ? [open(previousSecret, id)] : [])];
    },
    change: (id, change) =>
      inTurn(async () => {
        const hook = await hooks.get(id);
        if (hook === undefined) return undefined;
        const changed = change(hook);
        if (changed !== hook) await hooks.put(changed);
        return changed;
      }),
  };
}

/** 256 bits; letters and digits that every forge's form takes. */
function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

function targetKey(target: HookTarget | HookRecord['source']): string {
  if (target.kind === 'registry') return `registry ${target.registryKind} ${target.registry.toLowerCase()}`;
  return `git ${target.forge} ${canonicalRepositoryUrl(target.repositoryUrl) ?? target.repositoryUrl}`;
}
