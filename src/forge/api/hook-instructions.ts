import type { RegistryHookKind } from '../../model/ports/hook-store.ts';
import type { SourceControlType } from '../../model/trigger-definition.ts';
import { registryInstructions } from './registry-instructions.ts';
import { RIGHTS } from './rights.ts';

/** One thing to do. `value`: what is to be copied to there; more than one line of it is a file or a program. */
export interface HookStep {
  readonly text: string;
  readonly value?: string;
}

export interface HookFacts {
  /** The daemon's `…/hooks/ID`. */
  readonly url: string;
  readonly secret: string;
  /** Of forges. */
  readonly repositoryUrl?: string;
}

/** How a person sets up a hook where it comes from. */
export function hookInstructions(kind: SourceControlType | RegistryHookKind, facts: HookFacts): readonly HookStep[] {
  switch (kind) {
    case 'Github':
      return github(facts);
    case 'GitLab':
      return gitlab(facts);
    case 'Gitea':
      return gitea(facts);
    case 'Bitbucket':
      return bitbucket(facts);
    case 'VisualStudioTeamService':
      return azure(facts);
    case 'Generic':
      return generic(facts);
    default:
      return registryInstructions(kind, facts);
  }
}

function pageOf({ repositoryUrl }: HookFacts, below: string): { readonly value?: string } {
  const url = repositoryUrl !== undefined && URL.canParse(repositoryUrl) ? new URL(repositoryUrl) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return {};
  return { value: `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\.git$/i, '')}${below}` };
}

function github(facts: HookFacts): readonly HookStep[] {
  return [
    { text: 'Open the settings of the repository, "Webhooks", "Add webhook".', ...pageOf(facts, '/settings/hooks/new') },
    { text: 'Payload URL', value: facts.url },
    { text: 'Content type', value: 'application/json' },
    { text: 'Secret', value: facts.secret },
    { text: 'Leave the SSL verification on. Choose "Let me select individual events": "Pushes" and "Pull requests".' },
    { text: 'Press "Add webhook": GitHub sends a ping, and "Recent Deliveries" shows how it was answered.' },
    { text: `Or let \`task trigger webhook NAME --create\` do it with a token that has ${RIGHTS.Github.hooks}.` },
  ];
}

function gitlab(facts: HookFacts): readonly HookStep[] {
  return [
    { text: 'Open the settings of the project, "Webhooks", "Add new webhook".', ...pageOf(facts, '/-/hooks') },
    { text: 'URL', value: facts.url },
    { text: 'Secret token', value: facts.secret },
    { text: 'Trigger: "Push events", "Tag push events" and "Merge request events". Leave the SSL verification on.' },
    {
      text: 'A GitLab of your own refuses addresses of its own network until an administrator allows them (Admin, Settings, Network, Outbound requests).',
    },
    { text: 'Press "Add webhook", then "Test", "Push events".' },
    { text: `Or let \`task trigger webhook NAME --create\` do it with a token that has ${RIGHTS.GitLab.hooks}.` },
  ];
}

function gitea(facts: HookFacts): readonly HookStep[] {
  return [
    {
      text: 'Open the settings of the repository, "Webhooks", "Add Webhook", "Gitea" (or "Forgejo").',
      ...pageOf(facts, '/settings/hooks'),
    },
    { text: 'Target URL', value: facts.url },
    { text: 'HTTP method POST, content type', value: 'application/json' },
    { text: 'Secret', value: facts.secret },
    { text: 'Trigger on "Custom Events": "Push", and of pull requests "Pull Request" and "Pull Request Synchronized".' },
    {
      text: 'Gitea sends to public addresses only. If the daemon is in a private network, an administrator of Gitea adds to app.ini:',
      value: `[webhook]\nALLOWED_HOST_LIST = external,${hostOf(facts.url)}`,
    },
    { text: `Or let \`task trigger webhook NAME --create\` do it with a token that has ${RIGHTS.Gitea.hooks}.` },
  ];
}

function bitbucket(facts: HookFacts): readonly HookStep[] {
  return [
    { text: 'Open the settings of the repository, "Webhooks", "Add webhook".', ...pageOf(facts, '/admin/webhooks') },
    { text: 'Title', value: 'Slipway' },
    { text: 'URL (https with a certificate of a public authority)', value: facts.url },
    { text: 'Secret', value: facts.secret },
    { text: 'Triggers: "Repository: Push" and of pull requests "Created", "Updated", "Merged" and "Declined".' },
    { text: `Or let \`task trigger webhook NAME --create\` do it with a token that has ${RIGHTS.Bitbucket.hooks}.` },
  ];
}

function azure(facts: HookFacts): readonly HookStep[] {
  return [
    { text: 'Open the settings of the project, "Service hooks", "Create subscription", "Web Hooks".' },
    { text: 'Event "Code pushed", and the repository of the task; the filters stay at [Any].' },
    { text: 'URL (https, or Azure DevOps sends no password)', value: facts.url },
    { text: 'Basic authentication username', value: 'slipway' },
    { text: 'Basic authentication password', value: facts.secret },
    { text: 'Resource details to send: "All"; messages and detailed messages: "None". Press "Test", then "Finish".' },
    { text: 'Do the same for the events "Pull request created" and "Pull request updated" if pull requests are to run.' },
    {
      text: `Or let \`task trigger webhook NAME --create\` do it with a token that has ${RIGHTS.VisualStudioTeamService.hooks}.`,
    },
  ];
}

function generic(facts: HookFacts): readonly HookStep[] {
  return [
    { text: 'Post to this URL whenever something was pushed:', value: facts.url },
    { text: 'The secret that requests are signed with', value: facts.secret },
    {
      text: 'The signature is the HMAC-SHA256 of the seconds since 1970, a dot and the body; it is good for five minutes. An empty object means: look at the repository. As `hooks/post-receive` of a bare repository (mode 0700: it holds the secret):',
      value: postReceive(facts),
    },
    { text: 'docs/triggers.md says how pushes and pull requests are described in the body, so that fewer looks are needed.' },
  ];
}

function postReceive({ url, secret }: HookFacts): string {
  return `#!/bin/sh
body='{}'
now=$(date +%s)
signature=$(printf '%s.%s' "$now" "$body" | openssl dgst -sha256 -hmac '${secret}' | sed 's/^.* //')
curl -fsS -m 10 -X POST '${url}' -H 'Content-Type: application/json' -H "Idempotency-Key: $now-$$" \\
  -H "X-Slipway-Timestamp: $now" -H "X-Slipway-Signature: sha256=$signature" -d "$body"`;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : url;
}
