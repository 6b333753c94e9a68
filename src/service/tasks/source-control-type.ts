import type { SourceControlType } from '../../model/trigger-definition.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';

const HOSTS: readonly (readonly [RegExp, SourceControlType])[] = [
  [/^github\.com$|^github\.|\.ghe\.com$/, 'Github'],
  [/^gitlab\./, 'GitLab'],
  [/^bitbucket\.org$/, 'Bitbucket'],
  [/^(?:ssh\.)?dev\.azure\.com$|\.visualstudio\.com$/, 'VisualStudioTeamService'],
  [/^codeberg\.org$|^gitea\.|^forgejo\./, 'Gitea'],
];

/** What a repository's host most likely runs; `Generic` when its name does not tell. */
export function sourceControlTypeOf(repositoryUrl: string): SourceControlType {
  const host = (canonicalRepositoryUrl(repositoryUrl) ?? '').split('/', 1)[0]?.replace(/:\d+$/, '') ?? '';
  return HOSTS.find(([pattern]) => pattern.test(host))?.[1] ?? 'Generic';
}
