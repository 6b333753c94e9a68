import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../../src/model/engine-error.ts';
import type { SecretBox } from '../../src/model/ports/secret-box.ts';
import type { Store } from '../../src/model/ports/store.ts';
import type { Principal, Role } from '../../src/model/security.ts';
import { createSecretBox } from '../../src/service/secret-box.ts';
import { type Audit, createAudit } from '../../src/service/security/audit.ts';
import { createSecretService, type SecretService } from '../../src/service/security/secret-service.ts';
import { createTokenService, type TokenService } from '../../src/service/security/token-service.ts';
import { standardTaskDefaults, type TaskDefaults } from '../../src/service/tasks/task-defaults.ts';
import { createTaskService, type TaskService } from '../../src/service/tasks/task-service.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { createFakeClock, type FakeClock } from '../fakes/fake-clock.ts';

/** The services of a daemon on a real store in a folder of its own. */
export interface ServiceParts extends AsyncDisposable {
  readonly directory: string;
  readonly store: Store;
  readonly clock: FakeClock;
  readonly box: SecretBox;
  readonly audit: Audit;
  readonly tokens: TokenService;
  readonly secrets: SecretService;
  readonly tasks: TaskService;
  readonly defaults: TaskDefaults;
}

export async function openServices(): Promise<ServiceParts> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-service-'));
  const clock = createFakeClock();
  const store = await openSqliteStore({ path: join(directory, 'slipway.db'), clock });
  const box = createSecretBox(randomBytes(32));
  const audit = createAudit(store.audit);
  const tokens = createTokenService({ tokens: store.tokens, audit, clock });
  const secrets = createSecretService({ secrets: store.secrets, box, audit, clock });
  const defaults = standardTaskDefaults('x64');
  const tasks = createTaskService({ tasks: store.tasks, hooks: store.hooks, box, secrets, audit, clock, defaults });
  return {
    ...{ directory, store, clock, box, audit, tokens, secrets, tasks, defaults },
    [Symbol.asyncDispose]: async () => {
      await tokens.close();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function principal(role: Role, parts: Partial<Principal> = {}): Principal {
  return { name: `token ${role}`, role, from: '127.0.0.1', ...parts };
}

export const ADMIN = principal('admin');

/** The EngineError that work ends with. */
export async function refusal(work: Promise<unknown>): Promise<EngineError> {
  const error: unknown = await work.then(
    () => new Error('nothing was refused'),
    (reason: unknown) => reason,
  );
  if (error instanceof EngineError) return error;
  throw error;
}
