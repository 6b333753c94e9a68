import PQueue from 'p-queue';
import type { GitSource } from '../../model/ports/git-source.ts';

/** Each question is a process or several. */
const AT_ONCE = 8;

/** As `git`, with so many questions at once: many repositories may be pushed to at the same moment. */
export function limitedGit(git: GitSource): GitSource {
  const queue = new PQueue({ concurrency: AT_ONCE });
  return {
    ...git,
    listRefs: (request) => queue.add(() => git.listRefs(request)),
    changes: (request) => queue.add(() => git.changes(request)),
  };
}
