import type { RegistryHookKind } from '../../model/ports/hook-store.ts';
import type { HookFacts, HookStep } from './hook-instructions.ts';

/** How each registry is made to say that something was pushed. */
export function registryInstructions(kind: RegistryHookKind, facts: HookFacts): readonly HookStep[] {
  switch (kind) {
    case 'distribution':
      return distribution(facts);
    case 'acr':
      return acr(facts);
    case 'harbor':
      return harbor(facts);
    case 'dockerhub':
      return dockerHub(facts);
    case 'ghcr':
      return ghcr(facts);
    case 'quay':
      return quay(facts);
  }
}

function distribution({ url, secret }: HookFacts): readonly HookStep[] {
  return [
    {
      text: 'Add this to the configuration of the registry (config.yml; in its image /etc/distribution/config.yml, before version 3 /etc/docker/registry/config.yml):',
      value: `notifications:
  endpoints:
    - name: slipway
      url: ${url}
      headers:
        Authorization: [Bearer ${secret}]
      timeout: 5s
      threshold: 5
      backoff: 1s
      ignore:
        mediatypes:
          - application/octet-stream
        actions:
          - pull`,
    },
    { text: 'Restart the registry. What it has not yet sent is lost then; the daemon finds it at its next look.' },
  ];
}

function acr({ url, secret }: HookFacts): readonly HookStep[] {
  return [
    {
      text: 'Create a webhook of the registry (letters and digits only in its name); without `--scope` it tells of all repositories:',
      value: `az acr webhook create --registry REGISTRY --name slipway --actions push --uri '${url}' --headers 'Authorization=Bearer ${secret}'`,
    },
    { text: 'Try it: the answer is in the list of events.', value: 'az acr webhook ping --registry REGISTRY --name slipway' },
  ];
}

function harbor({ url, secret }: HookFacts): readonly HookStep[] {
  return [
    { text: 'Open the project, "Webhooks", "New Webhook".' },
    { text: 'Notify type "http", payload format "Default", event type "Artifact pushed" only.' },
    { text: 'Endpoint URL', value: url },
    { text: 'Auth Header', value: `Bearer ${secret}` },
    { text: 'Leave "Verify Remote Certificate" on and press "Continue".' },
  ];
}

function dockerHub({ url, secret }: HookFacts): readonly HookStep[] {
  return [
    { text: 'Open the repository on hub.docker.com, "Webhooks".' },
    { text: 'Webhook name', value: 'slipway' },
    {
      text: 'Webhook URL. Docker Hub signs nothing, so the secret is in the URL: treat all of it as a secret.',
      value: withSecret(url, secret),
    },
    { text: 'Each repository needs its own; they may share the URL.' },
  ];
}

function ghcr({ url, secret }: HookFacts): readonly HookStep[] {
  return [
    { text: 'Open the settings of the organisation (or of the repository that the package is linked to), "Webhooks", "Add webhook".' },
    { text: 'Payload URL', value: url },
    { text: 'Content type', value: 'application/json' },
    { text: 'Secret', value: secret },
    { text: 'Choose "Let me select individual events": "Packages" and "Registry packages" only.' },
  ];
}

function quay({ url, secret }: HookFacts): readonly HookStep[] {
  return [
    { text: 'Open the repository, "Settings", "Events and Notifications", "Create Notification".' },
    { text: 'When this occurs: "Push to Repository". Then issue a notification: "Webhook POST".' },
    { text: 'Webhook URL. Quay signs nothing, so the secret is in the URL: treat all of it as a secret.', value: withSecret(url, secret) },
    { text: 'Each repository needs its own; they may share the URL.' },
  ];
}

function withSecret(url: string, secret: string): string {
  return `${url.replace(/\/+$/, '')}/${encodeURIComponent(secret)}`;
}
