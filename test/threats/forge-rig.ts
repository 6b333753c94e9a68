import { createHmac, randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { TriggerEventDetail } from '../../src/api/event-schema.ts';
import type { HookSecretResource } from '../../src/api/hook-schema.ts';
import type { RunSummaryResource } from '../../src/api/run-schema.ts';
import type { TestDaemon } from '../support/daemon.ts';
import { waitFor } from '../support/wait-for.ts';

export interface GithubDelivery {
  readonly event: 'push' | 'pull_request';
  readonly payload: object | string;
  readonly id?: string;
  /** By default that of the hook. */
  readonly secret?: string;
}

export interface DeliveryAnswer {
  readonly status: number;
  readonly events: readonly string[];
  readonly text: string;
}

/** Posts as GitHub does. */
export async function deliver(hook: HookSecretResource, { event, payload, id, secret }: GithubDelivery): Promise<DeliveryAnswer> {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const signature = createHmac('sha256', secret ?? hook.secret)
    .update(body)
    .digest('hex');
  const answer = await fetch(hook.url, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', 'x-github-event': event, 'x-github-delivery': id ?? randomUUID() },
      'x-hub-signature-256': `sha256=${signature}`,
    },
    body,
  });
  const text = await answer.text();
  return { status: answer.status, text, events: text.startsWith('{') ? ((JSON.parse(text) as { events?: string[] }).events ?? []) : [] };
}

/** The events of a delivery that was taken, decided on. */
export async function decided(daemon: TestDaemon, { status, events, text }: DeliveryAnswer): Promise<readonly TriggerEventDetail[]> {
  expect([status, text]).toStrictEqual([202, text]);
  return Promise.all(
    events.map((id) =>
      waitFor(async () => {
        const { body } = await daemon.api<TriggerEventDetail>('GET', `/api/v1/trigger-events/${id}`);
        return body.status === 'pending' ? undefined : body;
      }, 60_000),
    ),
  );
}

export async function runsOf(daemon: TestDaemon, task: string): Promise<readonly RunSummaryResource[]> {
  return (await daemon.api<{ items: RunSummaryResource[] }>('GET', `/api/v1/runs?task=${task}&top=1000`)).body.items;
}

export async function defineTask(daemon: TestDaemon, definition: object): Promise<void> {
  const { status, body } = await daemon.api('POST', '/api/v1/tasks', definition);
  expect([status, body]).toStrictEqual([201, body]);
}

export async function hookOf(daemon: TestDaemon, task: string): Promise<HookSecretResource> {
  return (await daemon.api<HookSecretResource>('POST', `/api/v1/tasks/${task}/hooks`)).body;
}

export interface PullRequest {
  readonly url: string;
  readonly head: string;
  readonly base: string;
  readonly action?: string;
  readonly headBranch?: string;
  readonly title?: string;
  readonly login?: string;
  /** Of the repositories that the payload names. */
  readonly ids?: { readonly repository?: number; readonly head?: number | null; readonly base?: number };
}

/** Pull request 1 of repository 7, from repository 66, as GitHub tells it. */
export function pullRequest({ url, head, base, ids = {}, ...parts }: PullRequest): object {
  const { action = 'opened', headBranch = 'main', title = 'nothing to see', login = 'mallory' } = parts;
  const own = { id: ids.repository ?? 7, full_name: 'me/app', clone_url: url, default_branch: 'main' };
  const headId = ids.head === undefined ? 66 : ids.head;
  const headRepository = headId === null ? null : { id: headId, full_name: 'mallory/app', clone_url: 'https://github.com/mallory/app.git' };
  return {
    ...{ action, number: 1, repository: own, sender: { login, id: 666 } },
    pull_request: {
      ...{ number: 1, title, user: { login, id: 666 } },
      head: { sha: head, ref: headBranch, repo: headRepository },
      base: { sha: base, ref: 'main', repo: { ...own, id: ids.base ?? own.id } },
    },
  };
}

export interface Push {
  readonly url: string;
  readonly before: string;
  readonly after: string;
  readonly ref?: string;
  readonly id?: number;
  readonly login?: string;
  readonly message?: string;
}

export function push({ url, before, after, ref = 'refs/heads/main', id = 7, login = 'ann', message = 'one' }: Push): object {
  return {
    ...{ ref, before, after, created: /^0+$/.test(before), deleted: false, forced: false },
    ...{ head_commit: { id: after, message }, sender: { login, id: 5 }, pusher: { name: login } },
    repository: { id, full_name: 'me/app', clone_url: url, default_branch: 'main' },
  };
}
