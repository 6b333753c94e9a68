import { EngineError } from '../../src/model/engine-error.ts';
import type { Clock } from '../../src/model/ports/clock.ts';
import type { Store } from '../../src/model/ports/store.ts';
import type { AuditEntry, SecretRow, TokenRecord } from '../../src/model/security.ts';
import { createMemoryRuns } from './memory-runs.ts';
import { createMemoryTasks } from './memory-tasks.ts';

interface KeptAnswer {
  readonly fingerprint: string;
  readonly atMs: number;
  readonly answer?: { readonly status: number; readonly body: string; readonly headers: Readonly<Record<string, string>> };
}

/** A Store whose state dies with it: the contract of model/ports/store.ts without a disk. Every call answers in a later microtask. */
export function createMemoryStore(clock: Clock): Store {
  let closed = false;
  const open = async (): Promise<void> => {
    if (closed) throw new EngineError('store-failed', 'the store is closed');
  };
  const tokens = new Map<string, TokenRecord & { readonly hash: string }>();
  const secrets = new Map<string, SecretRow>();
  const audit: AuditEntry[] = [];
  const settings = new Map<string, string>();
  const answers = new Map<string, KeptAnswer>();
  const now = (): string => clock.now().toISOString();
  const keyOf = ({ principal, key }: { readonly principal: string; readonly key: string }): string => JSON.stringify([principal, key]);

  return {
    tasks: createMemoryTasks(now),
    runs: createMemoryRuns(now),
    tokens: {
      async insert({ hash, ...token }) {
        await open();
        if (tokens.has(token.id)) return { ok: false, because: 'exists' };
        tokens.set(token.id, { ...token, hash: hex(hash) });
        return { ok: true, value: token };
      },
      async byHash(hash) {
        await open();
        const found = [...tokens.values()].find((token) => token.hash === hex(hash) && token.revokedAt === undefined);
        return found === undefined ? undefined : withoutHash(found);
      },
      async list() {
        await open();
        return [...tokens.values()].map(withoutHash);
      },
      async revoke(id) {
        await open();
        const token = tokens.get(id);
        if (token === undefined) return 'missing';
        if (token.revokedAt === undefined) tokens.set(id, { ...token, revokedAt: now() });
        return 'done';
      },
      async touch(uses) {
        await open();
        for (const { id, at } of uses) {
          const token = tokens.get(id);
          if (token !== undefined && (token.lastUsedAt ?? '') < at) tokens.set(id, { ...token, lastUsedAt: at });
        }
      },
    },
    secrets: {
      async put(row) {
        await open();
        secrets.set(row.name, structuredClone(row));
      },
      async get(name) {
        await open();
        return secrets.get(name);
      },
      async list() {
        await open();
        const rows = [...secrets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
        return rows.map(({ sealed: _, ...row }) => row);
      },
      async delete(name) {
        await open();
        return secrets.delete(name) ? 'done' : 'missing';
      },
    },
    audit: {
      async append(entry) {
        await open();
        audit.push({ ...structuredClone(entry), seq: audit.length + 1, at: now() });
      },
      async list({ before = Number.POSITIVE_INFINITY, limit, action, principal, target, since }) {
        await open();
        const wanted = (entry: AuditEntry): boolean =>
          entry.seq < before &&
          (action === undefined || entry.action === action) &&
          (principal === undefined || entry.principal === principal) &&
          (target === undefined || entry.target === target) &&
          (since === undefined || entry.at >= since);
        return audit.filter(wanted).reverse().slice(0, limit);
      },
    },
    settings: {
      async get(key) {
        await open();
        const text = settings.get(key);
        return text === undefined ? undefined : JSON.parse(text);
      },
      async set(key, value) {
        await open();
        settings.set(key, JSON.stringify(value));
      },
    },
    idempotency: {
      async begin(key) {
        await open();
        const known = answers.get(keyOf(key));
        const nowMs = clock.now().getTime();
        const isDead = known !== undefined && known.answer === undefined && nowMs - known.atMs >= key.staleMs;
        if (known === undefined || isDead) {
          answers.set(keyOf(key), { fingerprint: key.fingerprint, atMs: nowMs });
          return { kind: 'new' };
        }
        if (known.fingerprint !== key.fingerprint) return { kind: 'mismatch' };
        return known.answer === undefined ? { kind: 'running' } : { kind: 'replay', ...known.answer };
      },
      async complete(key, answer) {
        await open();
        const known = answers.get(keyOf(key));
        if (known !== undefined) answers.set(keyOf(key), { ...known, answer });
      },
      async abandon(key) {
        await open();
        if (answers.get(keyOf(key))?.answer === undefined) answers.delete(keyOf(key));
      },
      async prune(before) {
        await open();
        const limit = Date.parse(before);
        const old = [...answers].filter(([, { atMs }]) => atMs < limit);
        for (const [key] of old) answers.delete(key);
        return old.length;
      },
    },
    ping: open,
    close: async () => {
      closed = true;
    },
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function withoutHash({ hash: _, ...token }: TokenRecord & { readonly hash: string }): TokenRecord {
  return token;
}
