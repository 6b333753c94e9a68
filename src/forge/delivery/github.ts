import type { ReadDelivery } from '../../model/ports/delivery-reader.ts';
import type { PullRequestHappening } from '../../model/trigger-event.ts';
import type { Fields } from './fields.ts';
import { gitDelivery, refHappenings } from './git-values.ts';
import { githubActor, githubChange, githubPullRequest, githubRepository } from './github-shape.ts';
import { verifyGithubSignature } from './github-signature.ts';
import { type DeliveryFormat, deliveryIdOf, type GitSourceOfHook, ignored, type Message, PING, shown } from './message.ts';

/** GitHub and GitHub Enterprise Server. Created and deleted refs come as `push` too, so `create` and `delete` are left to it. */
export const GITHUB: DeliveryFormat<GitSourceOfHook> = {
  forms: true,
  verify: verifyGithubSignature,
  read: (message) => {
    const event = message.headers['x-github-event'];
    if (event === 'ping') return PING;
    if (event !== 'push' && event !== 'pull_request') return ignored(`the GitHub event ${shown(event)} starts nothing`);
    return readEvent(event, message);
  },
};

function readEvent(event: 'push' | 'pull_request', { headers, body, payload }: Message): ReadDelivery {
  const repository = githubRepository('Github', payload);
  const id = deliveryIdOf(headers['x-github-delivery'], event, body);
  if (event === 'push') return gitDelivery(id, repository, refHappenings(repository, [githubChange(payload)], githubActor(payload)));
  const happening = githubPullRequest(payload, repository, {
    action: actionOf(payload),
    repositoryIdOf: (side) => side.optionalObject('repo')?.optionalId('id'),
  });
  return gitDelivery(id, repository, [happening]);
}

const ACTIONS = new Map<string, PullRequestHappening['action']>([
  ['opened', 'opened'],
  ['reopened', 'reopened'],
  ['synchronize', 'synchronized'],
  ['closed', 'closed'],
]);

function actionOf(payload: Fields): PullRequestHappening['action'] {
  const action = payload.text('action', 64);
  if (action === 'edited') return payload.optionalObject('changes')?.has('base') === true ? 'retargeted' : 'other';
  return ACTIONS.get(action) ?? 'other';
}
