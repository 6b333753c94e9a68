import type { CredentialInput } from '../../api/task-schema.ts';
import { createCredentialSource } from '../../registry/credentials.ts';
import { parseCredentials } from '../composition/credentials.ts';
import type { RemoteRunFlags } from '../flags/remote-run-flags.ts';
import type { RunFlags } from '../flags/run-flags.ts';
import type { Io } from '../io.ts';
import { defined } from './defined.ts';
import { conflict, FlagError } from './flag-error.ts';
import { platformOf } from './platform.ts';

/** Of every request for a run. */
export function commonFields(flags: RunFlags & RemoteRunFlags) {
  return {
    noPush: !flags.push,
    keepGoing: flags.keepGoing,
    isArchiveEnabled: flags.archive,
    ...defined({
      priority: flags.priority,
      agentPoolName: flags.agentPool,
      queueTimeout: flags.queueTimeout === undefined ? undefined : Math.ceil(flags.queueTimeout / 1000),
    }),
  };
}

/** Of runs that have no task to take it from. */
export async function quickFields(
  flags: RunFlags & RemoteRunFlags & { platform?: string; registry?: string; credential: readonly string[] },
  io: Io,
) {
  return {
    ...commonFields(flags),
    ...machineFields(flags),
    credentials: await credentialsOf(flags, io),
    ...defined({ registry: flags.registry }),
  };
}

/** Platform and time limit. */
export function machineFields({ platform, timeout }: { readonly platform?: string; readonly timeout?: number }) {
  return defined({
    platform: platform === undefined ? undefined : platformOf(platform),
    timeout: timeout === undefined ? undefined : Math.ceil(timeout / 1000),
  });
}

/** Logins of flags, sent to be sealed with the run. */
async function credentialsOf(
  flags: { readonly credential: readonly string[]; readonly registryCredential: readonly string[] },
  io: Io,
): Promise<CredentialInput[]> {
  const parsed = parseCredentials(flags);
  if (!parsed.ok) throw new FlagError(parsed.error);
  const [vault] = parsed.value.vault;
  if (vault !== undefined)
    throw conflict(`--credential: ${vault.registry}: a daemon asks no vault`, '`task secret set` stores a secret on the daemon');
  const source = createCredentialSource({ explicit: parsed.value.explicit, environment: io.environment });
  return Promise.all(
    parsed.value.explicit.map(async ({ host }) => {
      const credential = await source.forHost(host);
      if (credential?.kind !== 'basic') throw conflict(`--registry-credential ${host}: a user and a password are needed on a daemon`);
      return { loginServer: host, userName: credential.username, password: { plain: credential.password } };
    }),
  );
}
