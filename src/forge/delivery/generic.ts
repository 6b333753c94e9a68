import type { ReadDelivery } from '../../model/ports/delivery-reader.ts';
import type { PullRequestHappening, SourceRepositoryId } from '../../model/trigger-event.ts';
import type { Fields } from './fields.ts';
import {
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
  shortCommitOf,
  shortRefOf,
  zeroLike,
} from './git-values.ts';
import { type DeliveryFormat, deliveryIdOf, type GitSourceOfHook, ignored, type Message, PING, shown } from './message.ts';
import { isHmac } from './proof.ts';
import { isRecent } from './timestamp.ts';

const MOST_SIGNATURES = 16;
const COMMON = ['event', 'actor', 'repository'];
const CHANGE = ['ref', 'before', 'after', 'forced'];
const PULL_REQUEST = [...['number', 'action', 'headSha', 'headBranch', 'headRef', 'headUrl'], ...['baseBranch', 'baseSha', 'fork']];

/**
 * For any other sender, a `post-receive` script for one. Headers: `X-Slipway-Timestamp` (Unix seconds, at most 5 minutes off),
 * `X-Slipway-Signature` (`sha256=` and the HMAC-SHA256 in hex over `timestamp.body`, several separated by commas), and, if it is to be known
 * again when it is sent again, `Idempotency-Key`. The body is one of
 *
 *     {"ref": "refs/heads/main", "before": "…", "after": "…", "forced": false}
 *     {"changes": [{"ref": …, "before": …, "after": …}, …]}
 *     {"pullRequest": {"number": 5, "action": "opened", "headSha": …, "headBranch": …, "baseBranch": …}}
 *     {}
 *
 * the last of which means: look. With them go, all optional, `repository` (a URL, or `{url, id, fullName, defaultBranch}`), which otherwise is
 * the one of the hook, `actor`, and `event` (`push`, `pull-request`, `repository`, `ping`). `before` is absent for a new ref, `after` is zeros for
 * a deleted one. A pull request may have `headRef`, `headUrl`, `baseSha` and `fork`, which is true unless `false` is given. Other fields are
 * refused: whoever writes these bodies by hand is told of a slip.
 */
export const GENERIC: DeliveryFormat<GitSourceOfHook> = {
  verify: ({ headers, body }, secrets, now) => {
    const timestamp = headers['x-slipway-timestamp'] ?? '';
    if (!isRecent(timestamp, now)) return 'expected the header X-Slipway-Timestamp with Unix seconds at most 5 minutes off';
    const signatures = (headers['x-slipway-signature'] ?? '').split(',', MOST_SIGNATURES);
    return signatures.some((signature) => isHmac(/^sha256=(.*)$/.exec(signature.trim())?.[1], secrets, `${timestamp}.`, body))
      ? undefined
      : 'expected the header X-Slipway-Signature with "sha256=" and the HMAC-SHA256 of "timestamp.body" under the secret of the hook';
  },
  read: (message, source) => {
    message.payload.only(...COMMON, ...CHANGE, 'changes', 'pullRequest');
    textOnly(message.payload, 'actor');
    const event = eventOf(message.payload);
    switch (event) {
      case 'ping':
        return PING;
      case 'push':
      case 'pull-request':
      case 'repository':
        return readEvent(event, message, source);
      default:
        return ignored(`the event ${shown(event)} starts nothing (push, pull-request, repository or ping)`);
    }
  },
};

function textOnly(fields: Fields, name: string): void {
  if (fields.has(name) && typeof fields.raw(name) !== 'string') throw fields.expected(name, 'text');
}

function eventOf(payload: Fields): string {
  const written = payload.optionalText('event', 64);
  if (written !== undefined) return written;
  if (payload.has('pullRequest')) return 'pull-request';
  return payload.has('ref') || payload.has('changes') ? 'push' : 'repository';
}

function readEvent(
  event: 'push' | 'pull-request' | 'repository',
  { headers, body, payload }: Message,
  source: GitSourceOfHook,
): ReadDelivery {
  const repository = repositoryOf(payload, source);
  // The same body may be sent on purpose another time: its signed time tells the two apart.
  const id = deliveryIdOf(headers['idempotency-key'], event, headers['x-slipway-timestamp'] ?? '', body);
  if (event === 'repository') return lookAt(id, repository);
  if (event === 'pull-request') return gitDelivery(id, repository, [pullRequestOf(payload, repository)]);
  if (!payload.has('changes')) return gitDelivery(id, repository, refHappenings(repository, [changeOf(payload)], payload.note('actor')));
  if (payload.list('changes').length > MOST_REFS) return lookAt(id, repository);
  return gitDelivery(
    id,
    repository,
    refHappenings(
      repository,
      payload.objects('changes').map((change) => changeOf(change.only(...CHANGE))),
      payload.note('actor'),
    ),
  );
}

function repositoryOf(payload: Fields, source: GitSourceOfHook): SourceRepositoryId {
  if (!payload.has('repository')) return configuredRepository(source);
  if (typeof payload.raw('repository') === 'string') return { forge: 'Generic', url: httpUrlOf(payload, 'repository') };
  const repository = payload.object('repository').only('url', 'id', 'fullName', 'defaultBranch');
  textOnly(repository, 'fullName');
  return repositoryId('Generic', {
    id: repository.optionalId('id'),
    url: httpUrlOf(repository, 'url'),
    fullName: repository.note('fullName'),
    defaultBranch: defaultBranchOf(repository, 'defaultBranch'),
  });
}

function changeOf(change: Fields): ChangedRef {
  const after = commitOf(change, 'after');
  return {
    ref: refOf(change, 'ref'),
    before: optionalCommitOf(change, 'before') ?? zeroLike(after),
    after,
    forced: change.optionalFlag('forced'),
  };
}

const ACTIONS: readonly string[] = [
  'opened',
  'reopened',
  'synchronized',
  'retargeted',
  'closed',
] satisfies PullRequestHappening['action'][];

function numberOf(pull: Fields): string {
  const number = pull.id('number');
  if (!/^[1-9]\d{0,15}$/.test(number)) throw pull.expected('number', 'a whole number from 1 up');
  return number;
}

function pullRequestOf(payload: Fields, repository: SourceRepositoryId): PullRequestHappening {
  const pull = payload.object('pullRequest').only(...PULL_REQUEST);
  const number = numberOf(pull);
  const action = pull.text('action', 64);
  return {
    kind: 'pull-request',
    repository,
    number,
    action: ACTIONS.includes(action) ? (action as PullRequestHappening['action']) : 'other',
    headSha: shortCommitOf(pull, 'headSha'),
    headBranch: shortRefOf(pull, 'headBranch'),
    baseBranch: shortRefOf(pull, 'baseBranch'),
    fork: pull.optionalFlag('fork') !== false,
    ...defined({
      headRef: pull.has('headRef') ? refOf(pull, 'headRef') : undefined,
      headUrl: optionalHttpUrlOf(pull, 'headUrl'),
      baseSha: optionalCommitOf(pull, 'baseSha'),
      actor: payload.note('actor'),
    }),
  };
}
