import type { MakeRunParts } from '../agent/agent-options.ts';
import type { ContainerEngine } from '../model/ports/container-engine.ts';
import type { ContextFetcher } from '../model/ports/context-fetcher.ts';
import type { CredentialSource } from '../model/ports/credential-source.ts';
import type { GitSource } from '../model/ports/git-source.ts';
import { createCredentialSource } from '../registry/credentials.ts';
import { createRegistryClient } from '../registry/registry-client.ts';
import { createBuildInputs } from '../service/build-inputs.ts';
import { unpackArtifact } from '../service/unpack-artifact.ts';
import type { AddressPolicy } from '../util/address-policy.ts';
import { engineEnvironment } from './engine-port.ts';

export interface RunPartsOptions {
  readonly engine: Pick<ContainerEngine, 'findImage'>;
  readonly git: GitSource;
  readonly contexts: ContextFetcher;
  readonly environment: NodeJS.ProcessEnv;
  /** Where registries may be. */
  readonly addresses: AddressPolicy;
  readonly insecureRegistries: readonly string[];
  readonly trustedRealms: readonly string[];
  /** Globs of images of the machine that untrusted runs may use. */
  readonly untrustedLocalImages: readonly string[];
}

const NO_CREDENTIALS: CredentialSource = { forHost: () => Promise.resolve(undefined), explicitHosts: () => [] };

/** What the built-in agent makes for each run: logins of the run and, for trusted ones, those of docker's configuration of the daemon's user. */
export function createRunParts(options: RunPartsOptions): MakeRunParts {
  const { engine, git, contexts, addresses, insecureRegistries, trustedRealms } = options;
  return ({ logins, trust, baseImages, builtTags, runImage, onWarning }) => {
    const credentials =
      trust === 'untrusted'
        ? NO_CREDENTIALS
        : createCredentialSource({
            explicit: logins.map(({ loginServer, userName, password }) => ({
              host: loginServer,
              username: userName,
              password: { kind: 'value', value: password },
            })),
            environment: { ...engineEnvironment(options.environment), PATH: options.environment['PATH'] },
            onWarning,
          });
    const registry = createRegistryClient({ credentials, addresses, insecureRegistries, trustedRealms });
    return {
      credentials,
      registry,
      inputs: createBuildInputs({
        ...{ git, fetcher: contexts, registry, builtTags, baseImages },
        findImage: (reference) => engine.findImage(reference),
        ...(trust === 'untrusted' ? { untrusted: { runImage, localImages: options.untrustedLocalImages } } : {}),
      }),
      unpackArtifact: (reference, directory, { signal }) => unpackArtifact(reference, directory, { fetcher: contexts, registry, signal }),
    };
  };
}
