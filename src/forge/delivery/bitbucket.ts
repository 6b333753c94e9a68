import type { ReadDelivery } from '../../model/ports/delivery-reader.ts';
import type { PullRequestHappening, SourceRepositoryId } from '../../model/trigger-event.ts';
import type { Fields } from './fields.ts';
import {
  type ChangedRef,
  commitOf,
  defined,
  gitDelivery,
  httpUrlOf,
  lookAt,
  MOST_REFS,
  refHappenings,
  repositoryId,
  shortCommitOf,
  shortRefOf,
  zeroLike,
} from './git-values.ts';
import { type DeliveryFormat, deliveryIdOf, type GitSourceOfHook, ignored, type Message, PING, shown } from './message.ts';
import { isHmac } from './proof.ts';

/** Bitbucket Cloud. Its `X-Hub-Signature` is SHA-256, unlike GitHub's header of that name. */
export const BITBUCKET: DeliveryFormat<GitSourceOfHook> = {
  verify: ({ headers, body }, secrets) =>
    isHmac(/^sha256=(.*)$/.exec(headers['x-hub-signature'] ?? '')?.[1], secrets, body)
      ? undefined
      : 'expected the header X-Hub-Signature with "sha256=" and the HMAC-SHA256 of the body under the secret of the hook',
  read: (message) => {
    const event = message.headers['x-event-key'];
    if (event === 'diagnostics:ping') return PING;
    if (event === 'repo:push') return readPush(message);
    const action = event === undefined ? undefined : ACTIONS.get(event);
    if (action === undefined) return ignored(`the Bitbucket event ${shown(event)} starts nothing`);
    return readPullRequest(message, event ?? '', action);
  },
};

/** An update does not say what of; one without a new head commit makes no new run. */
const ACTIONS = new Map<string, PullRequestHappening['action']>([
  ['pullrequest:created', 'opened'],
  ['pullrequest:updated', 'synchronized'],
  ['pullrequest:fulfilled', 'closed'],
  ['pullrequest:rejected', 'closed'],
]);

function readPush({ headers, body, payload }: Message): ReadDelivery {
  const repository = repositoryOf(payload.object('repository'));
  const id = deliveryIdOf(headers['x-request-uuid'], 'repo:push', body);
  const push = payload.object('push');
  if (push.list('changes').length > MOST_REFS) return lookAt(id, repository);
  const changes = push.objects('changes').flatMap(changeOf);
  return gitDelivery(id, repository, refHappenings(repository, changes, actorOf(payload)));
}

/** One ref; `new` is null when it was deleted, `old` when it was created. Mercurial's kinds of refs are left out. */
function changeOf(change: Fields): ChangedRef[] {
  const next = change.optionalObject('new');
  const previous = change.optionalObject('old');
  const named = next ?? previous;
  if (named === undefined) return [];
  const folder = FOLDERS.get(named.text('type', 64));
  if (folder === undefined) return [];
  const before = previous === undefined ? undefined : commitOf(previous.object('target'), 'hash');
  const after = next === undefined ? undefined : commitOf(next.object('target'), 'hash');
  return [
    {
      ref: `${folder}${shortRefOf(named, 'name')}`,
      before: before ?? zeroLike(after),
      after: after ?? zeroLike(before),
      forced: change.has('forced') ? change.flag('forced') : undefined,
    },
  ];
}

const FOLDERS = new Map([
  ['branch', 'refs/heads/'],
  ['tag', 'refs/tags/'],
  ['annotated_tag', 'refs/tags/'],
]);

function readPullRequest({ headers, body, payload }: Message, event: string, action: PullRequestHappening['action']): ReadDelivery {
  const repository = repositoryOf(payload.object('repository'));
  const pull = payload.object('pullrequest');
  const source = pull.object('source');
  const destination = pull.object('destination');
  const from = source.optionalObject('repository');
  const fromId = from?.optionalId('uuid');
  const fork = fromId === undefined || fromId !== destination.optionalObject('repository')?.optionalId('uuid');
  const headBranch = shortRefOf(source.object('branch'), 'name');
  const happening: PullRequestHappening = {
    kind: 'pull-request',
    repository,
    number: pull.id('id'),
    action,
    headSha: shortCommitOf(source.object('commit'), 'hash'),
    headBranch,
    baseBranch: shortRefOf(destination.object('branch'), 'name'),
    fork,
    ...defined({
      headRef: fork ? undefined : `refs/heads/${headBranch}`,
      headUrl: from === undefined ? undefined : cloneUrlOf(from),
      baseSha: destination.has('commit') ? shortCommitOf(destination.object('commit'), 'hash') : undefined,
      actor: actorOf(payload),
    }),
  };
  return gitDelivery(deliveryIdOf(headers['x-request-uuid'], event, body), repository, [happening]);
}

function repositoryOf(repository: Fields): SourceRepositoryId {
  return repositoryId('Bitbucket', { id: repository.id('uuid'), url: cloneUrlOf(repository), fullName: repository.note('full_name') });
}

/** Payloads have the URL of the page, and that is the clone URL but for the ending. */
function cloneUrlOf(repository: Fields): string {
  return `${httpUrlOf(repository.object('links').object('html'), 'href').replace(/\/+$/, '')}.git`;
}

/** The account's id: nicknames are free to choose, by several people. */
function actorOf(payload: Fields): string | undefined {
  const actor = payload.optionalObject('actor');
  return actor?.note('account_id') ?? actor?.note('uuid');
}
