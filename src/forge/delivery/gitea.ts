import type { Delivery, ReadDelivery } from '../../model/ports/delivery-reader.ts';
import { isZeroId, type PullRequestHappening } from '../../model/trigger-event.ts';
import type { Fields } from './fields.ts';
import { gitDelivery, refHappenings } from './git-values.ts';
import { githubActor, githubChange, githubPullRequest, githubRepository } from './github-shape.ts';
import { type DeliveryFormat, deliveryIdOf, type GitSourceOfHook, ignored, type Message, PING, shown } from './message.ts';
import { isHmac } from './proof.ts';

/** The forges of one family, each with headers under its own name; Forgejo sends those of Gitea as well. */
const FAMILY = ['gitea', 'forgejo', 'gogs'] as const;

/** Gitea, Forgejo and Gogs. A tag comes as `push` and as `create`: `create` and `delete` are left aside. */
export const GITEA: DeliveryFormat<GitSourceOfHook> = {
  forms: true,
  verify: (delivery, secrets) =>
    isHmac(headerOf(delivery.headers, 'signature'), secrets, delivery.body)
      ? undefined
      : 'expected the header X-Gitea-Signature (or X-Forgejo-Signature, X-Gogs-Signature) with the HMAC-SHA256 of the body under the secret of the hook',
  read: (message) => {
    const event = headerOf(message.headers, 'event');
    if (event !== 'push' && event !== 'pull_request') return ignored(`the Gitea event ${shown(event)} starts nothing`);
    return readEvent(event, message);
  },
};

function headerOf(headers: Delivery['headers'], what: 'signature' | 'event' | 'delivery'): string | undefined {
  return FAMILY.map((name) => headers[`x-${name}-${what}`]).find((value) => value !== undefined && value !== '');
}

function readEvent(event: 'push' | 'pull_request', { headers, body, payload }: Message): ReadDelivery {
  const repository = githubRepository('Gitea', payload);
  const id = deliveryIdOf(headerOf(headers, 'delivery'), event, body);
  if (event === 'push') {
    const change = githubChange(payload);
    // The test button sends a push from the head to the head.
    if (change.before === change.after && !isZeroId(change.after)) return PING;
    return gitDelivery(id, repository, refHappenings(repository, [change], githubActor(payload)));
  }
  const happening = githubPullRequest(payload, repository, {
    action: actionOf(payload),
    repositoryIdOf: (side) => side.optionalId('repo_id') ?? side.optionalObject('repo')?.optionalId('id'),
  });
  return gitDelivery(id, repository, [happening]);
}

const ACTIONS = new Map<string, PullRequestHappening['action']>([
  ['opened', 'opened'],
  ['reopened', 'reopened'],
  ['synchronized', 'synchronized'],
  ['closed', 'closed'],
]);

function actionOf(payload: Fields): PullRequestHappening['action'] {
  const action = payload.text('action', 64);
  if (action === 'edited') return payload.optionalObject('changes')?.has('ref') === true ? 'retargeted' : 'other';
  return ACTIONS.get(action) ?? 'other';
}
