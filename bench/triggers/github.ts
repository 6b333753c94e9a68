import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type Agent, type IncomingMessage, request } from 'node:http';
import { projectRoot } from '../lib/parts.ts';

/** A repository as GitHub's deliveries name it. */
export interface PushedRepository {
  readonly id: number;
  readonly name: string;
  readonly url: string;
}

export interface Push {
  readonly repository: PushedRepository;
  readonly branch: string;
  readonly before: string;
  readonly after: string;
}

export interface Hook {
  readonly url: string;
  readonly secret: string;
}

/** A delivery as it goes over the wire, signed. */
export interface SignedDelivery {
  readonly id: string;
  readonly url: string;
  readonly body: Buffer;
  readonly signature: string;
  readonly about: string;
}

/** Names a push. */
export function aboutPush(repository: string, branch: string, commit: string): string {
  return `${repository} ${branch} ${commit}`;
}

const template = JSON.parse(readFileSync(`${projectRoot}/test/fixtures/deliveries/github/push.json`, 'utf8'));

/** A whole payload of GitHub's (8 KB), about this push. */
export function signedPush({ repository, branch, before, after }: Push, hook: Hook, id: string): SignedDelivery {
  const { id: repositoryId, name, url } = repository;
  const body = Buffer.from(
    JSON.stringify({
      ...template,
      ...{ ref: `refs/heads/${branch}`, before, after },
      repository: { ...template.repository, id: repositoryId, name, full_name: `bench/${name}`, clone_url: url, html_url: url },
      head_commit: { ...template.head_commit, id: after },
    }),
  );
  const about = aboutPush(name, branch, after);
  return { id, about, url: hook.url, body, signature: `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}` };
}

export interface Delivered {
  readonly status: number;
  readonly duplicate: boolean;
}

export async function deliver({ id, url, body, signature }: SignedDelivery, agent: Agent | false): Promise<Delivered> {
  const sent = request(url, {
    method: 'POST',
    agent,
    headers: {
      ...{ 'content-type': 'application/json', 'content-length': body.length, 'user-agent': 'GitHub-Hookshot/bench' },
      ...{ 'x-github-event': 'push', 'x-github-delivery': id, 'x-hub-signature-256': signature },
    },
  });
  sent.end(body);
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (response === undefined) throw new Error('bug: a response without a message');
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  return { status: response.statusCode ?? 0, duplicate: JSON.parse(text).duplicate === true };
}
