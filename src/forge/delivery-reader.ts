import type { Clock } from '../model/ports/clock.ts';
import type { Delivery, DeliveryReader, ReadDelivery } from '../model/ports/delivery-reader.ts';
import type { RegistryHookKind } from '../model/ports/hook-store.ts';
import type { SourceControlType } from '../model/trigger-definition.ts';
import { AZURE_DEVOPS } from './delivery/azure-devops.ts';
import { BITBUCKET } from './delivery/bitbucket.ts';
import { ACR, DISTRIBUTION } from './delivery/distribution.ts';
import { DOCKER_HUB_FORMAT, QUAY } from './delivery/docker-hub.ts';
import { type Fields, MalformedDelivery } from './delivery/fields.ts';
import { GENERIC } from './delivery/generic.ts';
import { GHCR } from './delivery/ghcr.ts';
import { GITEA } from './delivery/gitea.ts';
import { GITHUB } from './delivery/github.ts';
import { GITLAB } from './delivery/gitlab.ts';
import { HARBOR } from './delivery/harbor.ts';
import { readFormBody, readJsonBody } from './delivery/json-body.ts';
import type { DeliveryFormat, GitSourceOfHook, RegistrySourceOfHook } from './delivery/message.ts';

const GIT: Readonly<Record<SourceControlType, DeliveryFormat<GitSourceOfHook>>> = {
  Github: GITHUB,
  GitLab: GITLAB,
  Gitea: GITEA,
  Bitbucket: BITBUCKET,
  VisualStudioTeamService: AZURE_DEVOPS,
  Generic: GENERIC,
};

const REGISTRY: Readonly<Record<RegistryHookKind, DeliveryFormat<RegistrySourceOfHook>>> = {
  distribution: DISTRIBUTION,
  acr: ACR,
  harbor: HARBOR,
  dockerhub: DOCKER_HUB_FORMAT,
  ghcr: GHCR,
  quay: QUAY,
};

/**
 * Reads the deliveries of every kind of hook: the proof over the raw bytes first, then the content type, then the body. Which format it is
 * comes from the hook, never from the headers: Gitea sends those of GitHub as well.
 */
export function createDeliveryReader(parts: { readonly clock: Pick<Clock, 'now'> }): DeliveryReader {
  return {
    read: async (delivery) => {
      try {
        const { source } = delivery;
        const now = parts.clock.now();
        return source.kind === 'git'
          ? await readWith(GIT[source.forge], delivery, source, now)
          : await readWith(REGISTRY[source.registryKind], delivery, source, now);
      } catch (error) {
        const because = error instanceof MalformedDelivery ? error.message : 'the delivery could not be read';
        return { kind: 'refused', status: 400, because };
      }
    },
  };
}

async function readWith<Source>(format: DeliveryFormat<Source>, delivery: Delivery, source: Source, now: Date): Promise<ReadDelivery> {
  const secrets = delivery.secrets.filter((secret) => secret !== '');
  if (secrets.length === 0) return { kind: 'refused', status: 401, because: 'the hook has no secret' };
  const problem = await format.verify(delivery, secrets, now);
  if (problem !== undefined) return { kind: 'refused', status: 401, because: problem };
  const readBody = bodyReader(delivery.headers['content-type'], format.forms === true);
  if (readBody === undefined) return { kind: 'refused', status: 415, because: expectedType(format.forms === true) };
  const { headers, body, receivedAt } = delivery;
  return format.read({ headers, body, receivedAt, payload: readBody(body) }, source);
}

/** By content type; of its parameters only a charset other than UTF-8 matters. */
function bodyReader(contentType: string | undefined, forms: boolean): ((body: Uint8Array) => Fields) | undefined {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  const charset = parameters.map((parameter) => /^\s*charset="?([^"\s]*)"?\s*$/.exec(parameter)?.[1]).find((name) => name !== undefined);
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8' && charset !== 'us-ascii') return undefined;
  if (/^\s*application\/(?:[\w.-]+\+)?json\s*$/.test(type)) return readJsonBody;
  return forms && type.trim() === 'application/x-www-form-urlencoded' ? readFormBody : undefined;
}

function expectedType(forms: boolean): string {
  return `expected the content type application/json in UTF-8${forms ? ', or application/x-www-form-urlencoded' : ''}`;
}
