import type { Forge } from '../../model/ports/forge.ts';
import type { SourceControlType } from '../../model/trigger-definition.ts';
import type { HttpClient } from '../../util/http.ts';
import { createAzure } from './azure.ts';
import { createBitbucket } from './bitbucket.ts';
import { createGitea } from './gitea.ts';
import { createGithub } from './github.ts';
import { createGitlab } from './gitlab.ts';

/** The forge of a kind; undefined for `Generic`, which has no API. */
export type Forges = (kind: SourceControlType) => Forge | undefined;

/** `http` decides which addresses may be reached. Which server is asked follows from the URL of the repository. */
export function createForges({ http }: { readonly http: HttpClient }): Forges {
  const forges: Readonly<Record<SourceControlType, Forge | undefined>> = {
    Github: createGithub(http),
    GitLab: createGitlab(http),
    Gitea: createGitea(http),
    Bitbucket: createBitbucket(http),
    VisualStudioTeamService: createAzure(http),
    Generic: undefined,
  };
  return (kind) => forges[kind];
}
