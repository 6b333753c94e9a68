import { EngineError } from '../../model/engine-error.ts';
import type { Principal } from '../../model/security.ts';
import type { TaskCredential } from '../../model/task-definition.ts';
import type { CredentialInput, TaskInput } from '../../model/task-input.ts';
import { type Shown, shownWithout } from './secret-places.ts';
import type { ChangeOptions, TaskChange } from './task-change.ts';
import type { TaskService } from './task-service.ts';

/** Registry credentials of one task: one a registry. */
export interface TaskCredentials {
  list(principal: Principal, task: string): Promise<Shown<readonly TaskCredential[]>>;
  /** Rejects with `already-exists` when the task has one for the registry, as in ACR. */
  add(principal: Principal, task: string, credential: CredentialInput, options?: ChangeOptions): Promise<TaskChange>;
  /** Changes what is given and leaves the rest. Rejects with `not-found` when the task has none for the registry. */
  update(
    principal: Principal,
    task: string,
    credential: Pick<CredentialInput, 'loginServer'> & Partial<CredentialInput>,
    options?: ChangeOptions,
  ): Promise<TaskChange>;
  /** PUT: adds, or replaces the one that is there. */
  put(principal: Principal, task: string, credential: CredentialInput, options?: ChangeOptions): Promise<TaskChange>;
  remove(principal: Principal, task: string, loginServer: string, options?: ChangeOptions): Promise<TaskChange>;
}

export function createTaskCredentials(tasks: TaskService): TaskCredentials {
  return {
    list: async (principal, task) => shownWithout((await tasks.get(principal, task)).definition.credentials),
    add: (principal, task, credential, options) =>
      tasks.edit(
        principal,
        task,
        'task.credential.add',
        (input) => {
          if (find(input, credential.loginServer) !== undefined) {
            throw new EngineError(
              'already-exists',
              `the task ${JSON.stringify(task)} has a credential for ${credential.loginServer} already`,
              {
                help: 'Change it with `task credential update`.',
              },
            );
          }
          return withCredential(input, credential);
        },
        options,
      ),
    update: (principal, task, change, options) =>
      tasks.edit(
        principal,
        task,
        'task.credential.update',
        (input) => withCredential(input, { ...found(input, change.loginServer), ...change }),
        options,
      ),
    put: (principal, task, credential, options) =>
      tasks.edit(principal, task, 'task.credential.update', (input) => withCredential(input, credential), options),
    remove: (principal, task, loginServer, options) =>
      tasks.edit(
        principal,
        task,
        'task.credential.remove',
        (input) => {
          found(input, loginServer);
          return { ...input, credentials: others(input, loginServer) };
        },
        options,
      ),
  };
}

function find({ credentials }: TaskInput, loginServer: string): CredentialInput | undefined {
  return (credentials ?? []).find((credential) => credential.loginServer === loginServer);
}

function found(input: TaskInput, loginServer: string): CredentialInput {
  const credential = find(input, loginServer);
  if (credential !== undefined) return credential;
  throw new EngineError('not-found', `the task ${JSON.stringify(input.name)} has no credential for ${JSON.stringify(loginServer)}`);
}

function others({ credentials }: TaskInput, loginServer: string): readonly CredentialInput[] {
  return (credentials ?? []).filter((credential) => credential.loginServer !== loginServer);
}

/** In the place of the one before, so that the same credential again is no change. */
function withCredential(input: TaskInput, credential: CredentialInput): TaskInput {
  const before = input.credentials ?? [];
  const there = before.some(({ loginServer }) => loginServer === credential.loginServer);
  const credentials = there
    ? before.map((one) => (one.loginServer === credential.loginServer ? credential : one))
    : [...before, credential];
  return { ...input, credentials };
}
