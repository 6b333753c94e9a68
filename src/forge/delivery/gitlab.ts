import type { Delivery, ReadDelivery } from '../../model/ports/delivery-reader.ts';
import { isZeroId, type PullRequestHappening, type SourceRepositoryId } from '../../model/trigger-event.ts';
import type { Fields } from './fields.ts';
import {
  type ChangedRef,
  commitOf,
  defaultBranchOf,
  defined,
  gitDelivery,
  httpUrlOf,
  lookAt,
  optionalCommitOf,
  optionalHttpUrlOf,
  refHappenings,
  refOf,
  repositoryId,
  shortRefOf,
} from './git-values.ts';
import { type DeliveryFormat, deliveryIdOf, type GitSourceOfHook, ignored, type Message, shown } from './message.ts';
import { isSecret } from './proof.ts';
import { isStandardSignature } from './standard-webhooks.ts';

/** GitLab: hooks of projects and groups, and system hooks. */
export const GITLAB: DeliveryFormat<GitSourceOfHook> = {
  verify: (delivery, secrets, now) =>
    isStandardSignature(delivery, secrets, now) || isSecret(delivery.headers['x-gitlab-token'], secrets)
      ? undefined
      : 'expected the header X-Gitlab-Token with the secret of the hook, or webhook-signature under it not older than 5 minutes',
  read: (message) => {
    const { payload } = message;
    const event = payload.note('object_kind', 64) ?? payload.note('event_name', 64);
    switch (event) {
      case 'push':
      case 'tag_push':
      case 'merge_request':
      case 'repository_update':
        return readEvent(event, message);
      default:
        return ignored(`the GitLab event ${shown(event)} starts nothing`);
    }
  },
};

function readEvent(event: 'push' | 'tag_push' | 'merge_request' | 'repository_update', { headers, body, payload }: Message): ReadDelivery {
  const repository = repositoryOf(payload);
  const id = deliveryIdOf(idHeaderOf(headers), event, body);
  // Of many refs at once GitLab tells no pushes; a system hook still tells this.
  if (event === 'repository_update') return lookAt(id, repository);
  if (event === 'merge_request') return gitDelivery(id, repository, [mergeRequestOf(payload, repository)]);
  return gitDelivery(id, repository, refHappenings(repository, [changeOf(payload)], payload.note('user_username')));
}

/** The same over retries. X-Gitlab-Event-UUID is not: it is shared by all that one cause brings about. */
function idHeaderOf(headers: Delivery['headers']): string | undefined {
  return headers['idempotency-key'] ?? headers['webhook-id'];
}

function repositoryOf(payload: Fields): SourceRepositoryId {
  const project = payload.object('project');
  return repositoryId('GitLab', {
    id: project.optionalId('id') ?? payload.id('project_id'),
    url: httpUrlOf(project, 'git_http_url'),
    fullName: project.note('path_with_namespace'),
    defaultBranch: defaultBranchOf(project, 'default_branch'),
  });
}

/** `checkout_sha` is the commit, also of an annotated tag; absent when the ref is deleted. */
function changeOf(payload: Fields): ChangedRef {
  const after = commitOf(payload, 'after');
  return {
    ref: refOf(payload, 'ref'),
    before: commitOf(payload, 'before'),
    after: isZeroId(after) ? after : (optionalCommitOf(payload, 'checkout_sha') ?? after),
  };
}

function mergeRequestOf(payload: Fields, repository: SourceRepositoryId): PullRequestHappening {
  const merge = payload.object('object_attributes');
  const number = merge.id('iid');
  const from = merge.optionalId('source_project_id');
  return {
    kind: 'pull-request',
    repository,
    number,
    action: actionOf(payload, merge),
    headSha: commitOf(merge.object('last_commit'), 'id'),
    headBranch: shortRefOf(merge, 'source_branch'),
    headRef: `refs/merge-requests/${number}/head`,
    baseBranch: shortRefOf(merge, 'target_branch'),
    fork: from === undefined || from !== merge.optionalId('target_project_id'),
    ...defined({
      headUrl: optionalHttpUrlOf(merge.optionalObject('source'), 'git_http_url'),
      actor: payload.optionalObject('user')?.note('username'),
    }),
  };
}

const ACTIONS = new Map<string, PullRequestHappening['action']>([
  ['open', 'opened'],
  ['reopen', 'reopened'],
  ['close', 'closed'],
  ['merge', 'closed'],
]);

/** An update has new commits only when it tells the revision before; else it is about labels, titles, reviewers. */
function actionOf(payload: Fields, merge: Fields): PullRequestHappening['action'] {
  const action = merge.note('action', 64) ?? '';
  if (action !== 'update') return ACTIONS.get(action) ?? 'other';
  if (merge.has('oldrev')) return 'synchronized';
  return payload.optionalObject('changes')?.has('target_branch') === true ? 'retargeted' : 'other';
}
