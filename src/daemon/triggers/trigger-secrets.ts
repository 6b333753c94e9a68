import { EngineError } from '../../model/engine-error.ts';
import type { CredentialSource } from '../../model/ports/credential-source.ts';
import type { Registry } from '../../model/ports/registry.ts';
import { SECRET_FIELDS, type SecretBox, taskSecretBinding } from '../../model/ports/secret-box.ts';
import type { TaskStore } from '../../model/ports/store.ts';
import type { SecretRef, TaskCredential, TaskRecord } from '../../model/task-definition.ts';
import { type SourceTrigger, triggersOf } from '../../model/trigger-definition.ts';
import { createCredentialSource } from '../../registry/credentials.ts';
import { createRegistryClient } from '../../registry/registry-client.ts';
import type { SecretService } from '../../service/security/secret-service.ts';
import type { TriggerSecrets } from '../../trigger/parts.ts';
import type { AddressPolicy } from '../../util/address-policy.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';
import { engineEnvironment } from '../engine-port.ts';
import { credentialFor, credentialName, DEFAULT_CREDENTIAL } from './registry-credential.ts';

interface TriggerSecretsParts {
  readonly tasks: Pick<TaskStore, 'get'>;
  readonly secrets: Pick<SecretService, 'resolveNamed'>;
  readonly box: SecretBox;
  readonly environment: NodeJS.ProcessEnv;
  /** Where registries may be. */
  readonly addresses: AddressPolicy;
  readonly insecureRegistries: readonly string[];
  readonly trustedRealms: readonly string[];
  onWarning(message: string): void;
}

/** Tasks that are remembered for one credential: any of them opens it. */
const MOST_OWNERS = 20;

/** What reading a task's files needs besides. */
export interface TaskAccess {
  /** The value of `step.contextAccessToken`. */
  contextToken(task: TaskRecord): Promise<string | undefined>;
  /** A client with all credentials of the task, and those of docker's configuration. */
  registryOf(task: TaskRecord): Promise<Registry>;
}

/** Opens what triggers need of a task's secrets, each time anew: a secret that was changed counts at once. */
export function createTriggerSecrets(parts: TriggerSecretsParts): TriggerSecrets & TaskAccess {
  /** Names of tasks by the credential that they have. */
  const owners = new Map<string, Set<string>>();
  const open = (task: TaskRecord, ref: SecretRef, field: string): Promise<string> => openRef(parts, task, ref, field);
  const besideDocker = (logins: readonly Login[]): CredentialSource =>
    createCredentialSource({
      explicit: logins,
      environment: { ...engineEnvironment(parts.environment), PATH: parts.environment['PATH'] },
      onWarning: (message) => parts.onWarning(message),
    });
  const fallback = besideDocker([]);

  return {
    sourceToken: async (task, trigger) => {
      const own = trigger.sourceRepository.sourceControlAuthProperties?.token;
      if (own !== undefined) return open(task, own, SECRET_FIELDS.sourceToken(trigger.name));
      return isSameHost(task.definition.step.contextPath, trigger) ? contextToken(parts, task) : undefined;
    },
    contextToken: (task) => contextToken(parts, task),
    registryOf: async (task) =>
      client(parts, besideDocker(await Promise.all(task.definition.credentials.map((one) => loginOf(parts, task, one))))),
    updateEndpoint: async (task) => {
      const endpoint = triggersOf(task.definition).baseImageTrigger?.updateTriggerEndpoint;
      return endpoint === undefined ? undefined : open(task, endpoint, SECRET_FIELDS.updateTriggerEndpoint);
    },
    registryCredential: (task, host) => {
      const name = credentialName(task, host);
      if (name === DEFAULT_CREDENTIAL) return name;
      const names = owners.get(name) ?? new Set();
      names.delete(task.definition.name);
      names.add(task.definition.name);
      const [oldest] = names;
      if (names.size > MOST_OWNERS && oldest !== undefined) names.delete(oldest);
      owners.set(name, names);
      return name;
    },
    registry: async (credential, host) => {
      const credentials =
        credential === DEFAULT_CREDENTIAL ? fallback : await explicit(parts, [...(owners.get(credential) ?? [])], credential, host);
      return client(parts, credentials);
    },
  };
}

function client({ addresses, insecureRegistries, trustedRealms }: TriggerSecretsParts, credentials: CredentialSource): Registry {
  return createRegistryClient({ credentials, addresses, insecureRegistries, trustedRealms });
}

/** By the first task that still has the credential and may use it. */
async function explicit(
  parts: TriggerSecretsParts,
  owners: readonly string[],
  credential: string,
  host: string,
): Promise<CredentialSource> {
  let last: unknown;
  for (const name of owners.toReversed()) {
    const task = await parts.tasks.get(name);
    const found = task === undefined ? undefined : credentialFor(task, host);
    if (task === undefined || found === undefined || credentialName(task, host) !== credential) continue;
    try {
      const login = await loginOf(parts, task, found);
      return createCredentialSource({ explicit: [login], environment: {}, dockerConfigPath: '/dev/null/none' });
    } catch (error) {
      last = error;
    }
  }
  throw last ?? new EngineError('secret-unavailable', `no task has this credential for ${host} any more`, { transient: true });
}

type Login = Parameters<typeof createCredentialSource>[0]['explicit'][number];

async function loginOf(
  parts: Pick<TriggerSecretsParts, 'secrets' | 'box'>,
  task: TaskRecord,
  { loginServer, userName, password }: TaskCredential,
): Promise<Login> {
  const username = typeof userName === 'string' ? userName : await openRef(parts, task, userName, SECRET_FIELDS.userName(loginServer));
  const value = await openRef(parts, task, password, SECRET_FIELDS.password(loginServer));
  return { host: loginServer, username, password: { kind: 'value', value } };
}

async function contextToken(parts: Pick<TriggerSecretsParts, 'secrets' | 'box'>, task: TaskRecord): Promise<string | undefined> {
  const { contextAccessToken } = task.definition.step;
  return contextAccessToken === undefined ? undefined : openRef(parts, task, contextAccessToken, SECRET_FIELDS.contextAccessToken);
}

async function openRef(
  { secrets, box }: Pick<TriggerSecretsParts, 'secrets' | 'box'>,
  { definition: { name } }: TaskRecord,
  ref: SecretRef,
  field: string,
): Promise<string> {
  if ('sealed' in ref) return box.open(Buffer.from(ref.sealed, 'base64'), taskSecretBinding(name, field)).toString('utf8');
  const values = await secrets.resolveNamed([ref.secret], { task: name, trust: 'trusted' });
  return values[ref.secret] ?? '';
}

/** The token of a task's context goes to no other host. */
function isSameHost(contextPath: string | undefined, { sourceRepository }: SourceTrigger): boolean {
  const host = hostOfUrl(contextPath?.replace(/#.*$/s, ''));
  return host !== undefined && host === hostOfUrl(sourceRepository.repositoryUrl);
}

function hostOfUrl(url: string | undefined): string | undefined {
  return url === undefined ? undefined : canonicalRepositoryUrl(url)?.split('/', 1)[0];
}
