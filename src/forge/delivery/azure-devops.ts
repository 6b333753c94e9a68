import type { ReadDelivery } from '../../model/ports/delivery-reader.ts';
import type { PullRequestHappening, SourceRepositoryId } from '../../model/trigger-event.ts';
import type { Fields } from './fields.ts';
import {
  branchOf,
  type ChangedRef,
  commitOf,
  configuredRepository,
  defaultBranchOf,
  defined,
  gitDelivery,
  httpUrlOf,
  lookAt,
  MOST_REFS,
  optionalCommitOf,
  optionalHttpUrlOf,
  refHappenings,
  refOf,
  repositoryId,
} from './git-values.ts';
import { type DeliveryFormat, deliveryIdOf, type GitSourceOfHook, ignored, type Message, PING, shown } from './message.ts';
import { isAuthorized, isSecret } from './proof.ts';

const NO_SUBSCRIPTION = '00000000-0000-0000-0000-000000000000';

/** Azure DevOps. Its service hooks sign nothing; they send a password, or the secret is the last part of their URL. */
export const AZURE_DEVOPS: DeliveryFormat<GitSourceOfHook> = {
  verify: ({ headers, pathSecret }, secrets) => {
    const inPath = isSecret(pathSecret, secrets);
    return isAuthorized(headers['authorization'], secrets) || inPath
      ? undefined
      : 'expected HTTP Basic authentication with the secret of the hook as password, or the secret as the last part of the URL';
  },
  read: (message, source) => {
    const event = message.payload.note('eventType', 64);
    // The test button sends a sample about a repository of nobody.
    if (message.payload.note('subscriptionId') === NO_SUBSCRIPTION) return PING;
    if (event === 'git.push') return readPush(message, source);
    if (event === 'git.pullrequest.created' || event === 'git.pullrequest.updated' || event === 'git.pullrequest.merged') {
      return readPullRequest(message, source, event);
    }
    return ignored(`the Azure DevOps event ${shown(event)} starts nothing`);
  },
};

/** Subscriptions may send ids only, or nothing, of the resource: then all that is known is that something happened. */
function readPush(message: Message, source: GitSourceOfHook): ReadDelivery {
  const id = idOf(message);
  const resource = message.payload.optionalObject('resource');
  const repository = repositoryOf(resource);
  if (repository === undefined || resource?.has('refUpdates') !== true) return lookAt(id, repository ?? configuredRepository(source));
  if (resource.list('refUpdates').length > MOST_REFS) return lookAt(id, repository);
  const changes = resource.objects('refUpdates').map(changeOf);
  return gitDelivery(id, repository, refHappenings(repository, changes, identityOf(resource, 'pushedBy')));
}

function changeOf(update: Fields): ChangedRef {
  return { ref: refOf(update, 'name'), before: commitOf(update, 'oldObjectId'), after: commitOf(update, 'newObjectId') };
}

type PullRequestEvent = 'git.pullrequest.created' | 'git.pullrequest.updated' | 'git.pullrequest.merged';

function readPullRequest(message: Message, source: GitSourceOfHook, event: PullRequestEvent): ReadDelivery {
  const id = idOf(message);
  const resource = message.payload.optionalObject('resource');
  const repository = repositoryOf(resource);
  const head = resource?.optionalObject('lastMergeSourceCommit');
  if (resource === undefined || repository === undefined || head?.has('commitId') !== true || !resource.has('sourceRefName')) {
    return lookAt(id, repository ?? configuredRepository(source));
  }
  const fork = resource.optionalObject('forkSource');
  const headBranch = branchOf(resource, 'sourceRefName');
  const happening: PullRequestHappening = {
    kind: 'pull-request',
    repository,
    number: resource.id('pullRequestId'),
    action: actionOf(event, resource),
    headSha: commitOf(head, 'commitId'),
    headBranch,
    baseBranch: branchOf(resource, 'targetRefName'),
    fork: fork !== undefined,
    ...defined({
      headRef: fork === undefined ? `refs/heads/${headBranch}` : undefined,
      headUrl: fork === undefined ? repository.url : optionalHttpUrlOf(fork.optionalObject('repository'), 'remoteUrl'),
      baseSha: optionalCommitOf(resource.optionalObject('lastMergeTargetCommit'), 'commitId'),
      // Of other events the payload names who created the pull request, not who did this.
      actor: event === 'git.pullrequest.created' ? identityOf(resource, 'createdBy') : undefined,
    }),
  };
  return gitDelivery(id, repository, [happening]);
}

/** Updates do not say what of; one without a new head commit makes no new run. `merged` tells of attempts as well. */
function actionOf(event: PullRequestEvent, resource: Fields): PullRequestHappening['action'] {
  const status = resource.note('status', 64);
  if (status === 'completed' || status === 'abandoned') return 'closed';
  if (event === 'git.pullrequest.created') return 'opened';
  return event === 'git.pullrequest.updated' && status === 'active' ? 'synchronized' : 'other';
}

function repositoryOf(resource: Fields | undefined): SourceRepositoryId | undefined {
  const repository = resource?.optionalObject('repository');
  if (repository?.has('remoteUrl') !== true) return undefined;
  return repositoryId('VisualStudioTeamService', {
    id: repository.id('id'),
    url: httpUrlOf(repository, 'remoteUrl'),
    fullName: repository.note('name'),
    defaultBranch: defaultBranchOf(repository, 'defaultBranch'),
  });
}

function identityOf(resource: Fields, name: string): string | undefined {
  const identity = resource.optionalObject(name);
  return identity?.note('uniqueName') ?? identity?.note('id');
}

/** The event, for one subscription: a push may be told through several. */
function idOf({ payload, body }: Message): string {
  const id = payload.optionalId('id');
  if (id === undefined) return deliveryIdOf(undefined, 'azure-devops', body);
  return deliveryIdOf([id, payload.optionalId('subscriptionId'), payload.optionalId('notificationId')].filter(Boolean).join('.'));
}
