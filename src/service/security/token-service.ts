import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { EngineError } from '../../model/engine-error.ts';
import type { Clock } from '../../model/ports/clock.ts';
import type { TokenStore } from '../../model/ports/store.ts';
import { type Principal, ROLES, type Role, SCOPES, type Scope, type TokenRecord } from '../../model/security.ts';
import type { Audit } from './audit.ts';
import { authorise, authoriseGrant, daemonPrincipal } from './authorisation.ts';
import { isTaskGlob } from './task-glob.ts';

export interface TokenRequest {
  readonly name: string;
  readonly role: Role;
  readonly scopes?: readonly Scope[];
  readonly tasks?: readonly string[];
  /** ISO 8601. A token made with a token that expires expires no later than that one. */
  readonly expiresAt?: string;
}

export interface TokenService {
  /** The token's text is in this answer and nowhere else. Rejects with `forbidden` or `invalid-request`. */
  create(principal: Principal, request: TokenRequest): Promise<{ readonly token: string; readonly record: TokenRecord }>;
  /** Who a token is; undefined for one that is unknown, expired or revoked. `from` is the address of the client. */
  authenticate(token: string, from: string): Promise<Principal | undefined>;
  list(principal: Principal): Promise<readonly TokenRecord[]>;
  revoke(principal: Principal, id: string): Promise<void>;
  /** A new admin token when there is no usable one, else undefined. */
  ensureAdminToken(): Promise<string | undefined>;
  /** Writes the last uses that are still to be written. */
  flush(): Promise<void>;
  /** Flushes and stops. */
  close(): Promise<void>;
}

interface Parts {
  readonly tokens: TokenStore;
  readonly audit: Audit;
  readonly clock: Clock;
  /** Gets what keeps last uses from being written; they are kept for the next time. */
  readonly onProblem?: (error: unknown) => void;
}

const TOKEN = /^slw_[A-Za-z0-9_-]{43}$/;
const NAME = /^[^\p{C}]{1,100}$/u;
const MOST_GLOBS = 100;
/** Last uses are this exact, and are written this late at most. */
const USE_STEP_MS = 60_000;
const FLUSH_AFTER_MS = 10_000;

export function createTokenService(parts: Parts): TokenService {
  return new StoredTokens(parts);
}

class StoredTokens implements TokenService {
  readonly #parts: Parts;
  readonly #uses = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async create(principal: Principal, request: TokenRequest): Promise<{ token: string; record: TokenRecord }> {
    authorise(principal, 'token:write');
    const expiresAt = await this.#expiry(principal, request.expiresAt);
    checkRequest(request);
    authoriseGrant(principal, request);
    return this.#insert(principal, expiresAt === undefined ? request : { ...request, expiresAt });
  }

  async authenticate(token: string, from: string): Promise<Principal | undefined> {
    if (!TOKEN.test(token)) return undefined;
    // A lookup by hash tells by its time at most something of the hash, which gives no token.
    const record = await this.#parts.tokens.byHash(hashOf(token));
    if (record === undefined || record.revokedAt !== undefined || this.#isExpired(record)) return undefined;
    this.#noteUse(record);
    return {
      name: `token ${record.name}`,
      tokenId: record.id,
      role: record.role,
      from,
      ...(record.scopes === undefined ? {} : { scopes: record.scopes }),
      ...(record.tasks === undefined ? {} : { tasks: record.tasks }),
    };
  }

  async list(principal: Principal): Promise<readonly TokenRecord[]> {
    authorise(principal, 'token:read');
    return this.#parts.tokens.list();
  }

  async revoke(principal: Principal, id: string): Promise<void> {
    authorise(principal, 'token:write');
    if ((await this.#parts.tokens.revoke(id)) === 'missing')
      throw new EngineError('not-found', `there is no token with the id ${JSON.stringify(id)}`);
    await this.#parts.audit.record(principal, { action: 'token.revoke', target: id });
  }

  async ensureAdminToken(): Promise<string | undefined> {
    const usable = (record: TokenRecord): boolean =>
      record.role === 'admin' &&
      record.scopes === undefined &&
      record.tasks === undefined &&
      record.revokedAt === undefined &&
      !this.#isExpired(record);
    if ((await this.#parts.tokens.list()).some(usable)) return undefined;
    return (await this.#insert(daemonPrincipal('first start'), { name: 'admin', role: 'admin' })).token;
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#uses.size === 0) return;
    const uses = [...this.#uses].map(([id, at]) => ({ id, at }));
    await this.#parts.tokens.touch(uses);
    for (const { id, at } of uses) if (this.#uses.get(id) === at) this.#uses.delete(id);
  }

  close(): Promise<void> {
    return this.flush();
  }

  async #insert(principal: Principal, request: TokenRequest): Promise<{ token: string; record: TokenRecord }> {
    const token = `slw_${randomBytes(32).toString('base64url')}`;
    const record: TokenRecord = {
      id: randomUUID(),
      name: request.name,
      role: request.role,
      createdAt: this.#parts.clock.now().toISOString(),
      createdBy: principal.name,
      ...(request.scopes === undefined ? {} : { scopes: [...new Set(request.scopes)] }),
      ...(request.tasks === undefined ? {} : { tasks: [...new Set(request.tasks)] }),
      ...(request.expiresAt === undefined ? {} : { expiresAt: request.expiresAt }),
    };
    const written = await this.#parts.tokens.insert({ ...record, hash: hashOf(token) });
    if (!written.ok) throw new EngineError('internal', `a new token could not be stored (${written.because})`);
    const { id, name, role, scopes, tasks, expiresAt } = written.value;
    await this.#parts.audit.record(principal, { action: 'token.create', target: id, details: { name, role, scopes, tasks, expiresAt } });
    return { token, record: written.value };
  }

  /** In UTC and no later than that of the token which asks; otherwise a token could outlive itself. */
  async #expiry(principal: Principal, wanted: string | undefined): Promise<string | undefined> {
    const own =
      principal.tokenId === undefined ? undefined : (await this.#parts.tokens.list()).find(({ id }) => id === principal.tokenId)?.expiresAt;
    if (wanted === undefined) return own;
    const at = new Date(wanted);
    if (Number.isNaN(at.getTime()) || at <= this.#parts.clock.now())
      throw invalid('expiresAt', 'a time in the future, as 2030-01-31T00:00:00Z');
    if (own !== undefined && at > new Date(own)) {
      throw new EngineError('forbidden', `${principal.name} expires at ${own} and cannot make a token that lives longer`);
    }
    return at.toISOString();
  }

  #isExpired({ expiresAt }: TokenRecord): boolean {
    return expiresAt !== undefined && Date.parse(expiresAt) <= this.#parts.clock.now().getTime();
  }

  #noteUse({ id, lastUsedAt }: TokenRecord): void {
    const now = this.#parts.clock.now();
    const last = this.#uses.get(id) ?? lastUsedAt;
    if (last !== undefined && Math.abs(now.getTime() - Date.parse(last)) < USE_STEP_MS) return;
    this.#uses.set(id, now.toISOString());
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.flush().catch((error: unknown) => this.#parts.onProblem?.(error));
    }, FLUSH_AFTER_MS);
    this.#timer.unref();
  }
}

function hashOf(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}

/** Shapes come from outside: types are not taken on trust where they decide about rights. */
function checkRequest({ name, role, scopes, tasks }: TokenRequest): void {
  if (!NAME.test(name)) throw invalid('name', '1 to 100 printable characters');
  if (!ROLES.includes(role)) throw invalid('role', `one of ${ROLES.join(', ')}`);
  if (scopes !== undefined && (scopes.length === 0 || !scopes.every((scope) => SCOPES.includes(scope)))) {
    throw invalid('scopes', `one or more of ${SCOPES.join(', ')}`);
  }
  if (tasks !== undefined && (tasks.length === 0 || tasks.length > MOST_GLOBS || !tasks.every(isTaskGlob))) {
    throw invalid('tasks', `1 to ${MOST_GLOBS} names of tasks, in which \`*\` stands for any characters`);
  }
}

function invalid(field: string, expected: string): EngineError {
  return new EngineError('invalid-request', `\`${field}\` of the token cannot be this`, { help: `Expected: ${expected}.` });
}
