import type { SourceControlType } from '../../model/trigger-definition.ts';

/** Forges that have an API. */
export type ForgeKind = Exclude<SourceControlType, 'Generic'>;

interface Rights {
  readonly name: string;
  readonly statuses: string;
  readonly hooks: string;
}

/** What a token needs, in the words of each forge. */
export const RIGHTS: Readonly<Record<ForgeKind, Rights>> = {
  Github: {
    name: 'GitHub',
    statuses: '`repo:status` (of private repositories `repo`), or "Commit statuses: read and write" of a fine-grained token',
    hooks: '`admin:repo_hook`, or "Webhooks: read and write" of a fine-grained token',
  },
  GitLab: {
    name: 'GitLab',
    statuses: 'the scope `api` and the role Developer in the project (of merge requests from forks: in the fork)',
    hooks: 'the scope `api` and the role Maintainer in the project',
  },
  Gitea: {
    name: 'Gitea or Forgejo',
    statuses: 'the scope `write:repository` of somebody who may write to the repository',
    hooks: 'the scope `write:repository` of an administrator of the repository',
  },
  Bitbucket: {
    name: 'Bitbucket',
    statuses: 'the scope `repository:write`; give an app password or an API token as `USER:TOKEN`, an access token as it is',
    hooks: 'the scope `webhook` and admin rights in the repository',
  },
  VisualStudioTeamService: {
    name: 'Azure DevOps',
    statuses: 'the scope "Code (status)"',
    hooks: 'the scope "Code (read)" of somebody with the permission "Edit subscriptions" (project administrators have it)',
  },
};

/** For the help of an error. */
export function rightsHelp(kind: ForgeKind): string {
  const { name, statuses, hooks } = RIGHTS[kind];
  return `A token of ${name} needs ${statuses} for commit statuses, and ${hooks} to set up webhooks. Check that it has not expired and that it sees the repository.`;
}
