import type { TaskRecord } from '../../model/task-definition.ts';
import type { SourceTrigger } from '../../model/trigger-definition.ts';
import { compileGlobs } from '../../util/globs.ts';
import { ownContext } from './context-place.ts';
import { branchOf, isObjectId, shown } from './ref-names.ts';

/** Names in a sentence. */
const MOST_NAMED = 10;

interface Following {
  readonly record: TaskRecord;
  readonly trigger: SourceTrigger;
  /** Canonical URL. */
  readonly repository: string;
}

/** Why a trigger does not want a branch; undefined when it does. `defaultBranch` is that of the repository. */
export function branchRefusal(
  branch: string,
  { record, trigger, repository }: Following,
  defaultBranch: string | undefined,
): string | undefined {
  if (trigger.branches.length > 0) return globRefusal('branch', branch, trigger.branches);
  const only = namedBranch({ record, trigger, repository }) ?? defaultBranch;
  if (only === undefined) return `branch ${shown(branch)} may not be the default branch: the repository tells of none`;
  return only === branch ? undefined : `branch ${shown(branch)} is not ${shown(only)}`;
}

/** The one branch that a trigger without globs is about; undefined for the default branch. */
export function namedBranch({ record, trigger, repository }: Following): string | undefined {
  return trigger.sourceRepository.branch ?? contextBranch(record, repository);
}

export function tagRefusal(tag: string, { tags }: SourceTrigger): string | undefined {
  return tags.length === 0 ? `tag ${shown(tag)} is not followed: the trigger names no tags` : globRefusal('tag', tag, tags);
}

function globRefusal(word: string, name: string, globs: readonly string[]): string | undefined {
  const compiled = compileGlobs(globs);
  if (compiled.matches(name)) return undefined;
  const by = compiled.takenAwayBy(name);
  if (by !== undefined) return `${word} ${shown(name)} is excluded by ${shown(by)}`;
  const wanted = globs.filter((glob) => !glob.startsWith('!'));
  return `${word} ${shown(name)} matches none of ${listed(wanted.length === 0 ? globs : wanted)}`;
}

/** `a, b, c and 5 more`, each cut. */
export function listed(names: readonly string[]): string {
  const first = names.slice(0, MOST_NAMED).map(shown).join(', ');
  return names.length > MOST_NAMED ? `${first} and ${names.length - MOST_NAMED} more` : first;
}

/** The branch that the task's context names, if it is this repository's and no tag, commit or pull request. */
function contextBranch(record: TaskRecord, repository: string): string | undefined {
  const ref = ownContext(record, repository)?.ref ?? '';
  if (ref.startsWith('refs/')) return branchOf(ref);
  return ref === '' || ref === 'HEAD' || isObjectId(ref) || /^pull\/\d+\//.test(ref) ? undefined : ref;
}
