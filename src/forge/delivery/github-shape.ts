import type { SourceControlType } from '../../model/trigger-definition.ts';
import { isZeroId, type PullRequestHappening, type SourceRepositoryId } from '../../model/trigger-event.ts';
import type { Fields } from './fields.ts';
import {
  type ChangedRef,
  commitOf,
  defaultBranchOf,
  defined,
  httpUrlOf,
  optionalCommitOf,
  optionalHttpUrlOf,
  refOf,
  repositoryId,
  shortRefOf,
} from './git-values.ts';

/** What payloads of GitHub and of the forges that follow it have in common. */
export function githubRepository(forge: SourceControlType, payload: Fields): SourceRepositoryId {
  const repository = payload.object('repository');
  return repositoryId(forge, {
    id: repository.id('id'),
    url: httpUrlOf(repository, 'clone_url'),
    fullName: repository.note('full_name'),
    defaultBranch: defaultBranchOf(repository, 'default_branch'),
  });
}

/** The one ref of a push. `after` of an annotated tag is the tag's own object; its commit is the head commit. */
export function githubChange(payload: Fields): ChangedRef {
  const ref = refOf(payload, 'ref');
  const after = commitOf(payload, 'after');
  const peeled =
    ref.startsWith('refs/tags/') && !isZeroId(after) ? optionalCommitOf(payload.optionalObject('head_commit'), 'id') : undefined;
  return {
    ref,
    before: commitOf(payload, 'before'),
    after: peeled ?? after,
    forced: payload.has('forced') ? payload.flag('forced') : undefined,
  };
}

export function githubActor(payload: Fields): string | undefined {
  return payload.optionalObject('sender')?.note('login');
}

/** A pull request of `repository`. `repositoryIdOf` reads the id of the repository of a head or base. */
export function githubPullRequest(
  payload: Fields,
  repository: SourceRepositoryId,
  forge: { readonly action: PullRequestHappening['action']; readonly repositoryIdOf: (side: Fields) => string | undefined },
): PullRequestHappening {
  const pull = payload.object('pull_request');
  const head = pull.object('head');
  const base = pull.object('base');
  const number = payload.id('number');
  const headRepository = head.optionalObject('repo');
  const headId = headRepository === undefined ? undefined : forge.repositoryIdOf(head);
  return {
    kind: 'pull-request',
    repository,
    number,
    action: forge.action,
    headSha: commitOf(head, 'sha'),
    headBranch: shortRefOf(head, 'ref'),
    headRef: `refs/pull/${number}/head`,
    baseBranch: shortRefOf(base, 'ref'),
    fork: headId === undefined || headId !== forge.repositoryIdOf(base),
    ...defined({
      headUrl: optionalHttpUrlOf(headRepository, 'clone_url'),
      baseSha: optionalCommitOf(base, 'sha'),
      actor: githubActor(payload),
    }),
  };
}
