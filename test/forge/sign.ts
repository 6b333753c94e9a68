import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Delivery } from '../../src/model/ports/delivery-reader.ts';
import type { RegistryHookKind } from '../../src/model/ports/hook-store.ts';
import type { SourceControlType } from '../../src/model/trigger-definition.ts';

export const SECRET = 'the tide turns twice a day';
export const NOW = '2026-03-02T10:00:00.000Z';
/** As senders name their deliveries, where they do. */
export const DELIVERY_ID = '6f2b8c1e-72d3-11f0-8c0e-0f1e2d3c4b5a';
const NOW_SECONDS = String(Date.parse(NOW) / 1000);

type Kind = SourceControlType | RegistryHookKind;
export interface Sending {
  readonly body: string | Uint8Array;
  readonly event?: string;
  readonly id?: string;
  readonly secret?: string;
  /** On top of those of the sender; an empty text takes one away. */
  readonly headers?: Readonly<Record<string, string>>;
}

export function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/deliveries/${name}.json`, import.meta.url), 'utf8');
}

export const hmac = (secret: string, ...parts: readonly (string | Uint8Array)[]): string =>
  parts.reduce((mac, part) => mac.update(part), createHmac('sha256', secret)).digest('hex');

/** Headers of each kind of sender, signed as it signs. */
const HEADERS: Readonly<Record<Kind, (sending: Required<Omit<Sending, 'headers'>>) => Record<string, string>>> = {
  Github: ({ body, event, id, secret }) => ({
    'x-github-event': event,
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${hmac(secret, body)}`,
  }),
  GitLab: ({ event, id, secret }) => ({ 'x-gitlab-event': event, 'idempotency-key': id, 'x-gitlab-token': secret }),
  Gitea: ({ body, event, id, secret }) => ({
    // Gitea sends the headers of GitHub, too.
    'x-github-event': event,
    'x-github-delivery': id,
    'x-gitea-event': event,
    'x-gitea-delivery': id,
    'x-gitea-signature': hmac(secret, body),
  }),
  Bitbucket: ({ body, event, id, secret }) => ({
    'x-event-key': event,
    'x-request-uuid': id,
    'x-hub-signature': `sha256=${hmac(secret, body)}`,
  }),
  VisualStudioTeamService: ({ secret }) => ({ authorization: `Basic ${Buffer.from(`slipway:${secret}`).toString('base64')}` }),
  Generic: ({ body, id, secret }) => ({
    'idempotency-key': id,
    'x-slipway-timestamp': NOW_SECONDS,
    'x-slipway-signature': `sha256=${hmac(secret, `${NOW_SECONDS}.`, body)}`,
  }),
  distribution: ({ secret }) => ({
    'content-type': 'application/vnd.docker.distribution.events.v2+json',
    authorization: `Bearer ${secret}`,
  }),
  acr: ({ secret }) => ({ authorization: secret }),
  harbor: ({ secret }) => ({ authorization: secret }),
  dockerhub: () => ({}),
  ghcr: ({ body, event, id, secret }) => ({
    'x-github-event': event,
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${hmac(secret, body)}`,
  }),
  quay: () => ({}),
};

const REGISTRIES: Readonly<Record<RegistryHookKind, string>> = {
  distribution: 'registry.example.com',
  acr: 'quayside.azurecr.io',
  harbor: 'harbor.example.com:8443',
  dockerhub: 'docker.io',
  ghcr: 'ghcr.io',
  quay: 'quay.io',
};
const IN_PATH: readonly Kind[] = ['dockerhub', 'quay'];

export function sourceOf(kind: Kind): Delivery['source'] {
  return isRegistry(kind)
    ? { kind: 'registry', registryKind: kind, registry: REGISTRIES[kind] }
    : { kind: 'git', forge: kind, repositoryUrl: 'https://ann:token@git.example.org/team/configured.git' };
}

function isRegistry(kind: Kind): kind is RegistryHookKind {
  return kind in REGISTRIES;
}

/** A delivery as its sender would post it. */
export function sent(kind: Kind, sending: Sending): Delivery {
  const full = { event: 'push', id: DELIVERY_ID, secret: SECRET, ...sending };
  const headers = { 'content-type': 'application/json; charset=utf-8', ...HEADERS[kind](full), ...sending.headers };
  return {
    source: sourceOf(kind),
    headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== '')),
    body: typeof full.body === 'string' ? Buffer.from(full.body) : full.body,
    ...(IN_PATH.includes(kind) ? { pathSecret: full.secret } : {}),
    secrets: [SECRET],
    receivedAt: NOW,
  };
}
