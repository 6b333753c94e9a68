import { EngineError } from '../../model/engine-error.ts';
import type { GitChanges } from '../../model/ports/git-source.ts';
import type { SourceTrigger } from '../../model/trigger-definition.ts';
import type { DecisionCode } from '../../model/trigger-event.ts';
import { compileGlobs } from '../../util/globs.ts';
import type { TriggerParts } from '../parts.ts';
import { withDeadline } from './deadline.ts';
import { listed } from './ref-filter.ts';
import { skipWords } from './skip-ci.ts';

export interface ChangeRange {
  readonly url: string;
  readonly token?: string;
  readonly after: string;
  readonly afterRef?: string;
  readonly before?: string;
  readonly against?: string;
  readonly isMove?: boolean;
}

export interface Refusal {
  readonly code: DecisionCode;
  readonly because: string;
}

const LONGEST_MS = 300_000;

export type Changes = () => Promise<GitChanges>;

const UNKNOWN: GitChanges = { paths: undefined, message: '' };

/** Reads what changed at most once for all triggers of an event, and only when one asks. What cannot be known stops no run: in doubt it runs. */
export function readChangesOnce(
  rangeOf: () => Promise<ChangeRange | undefined>,
  { git, gitCache }: Pick<TriggerParts, 'git' | 'gitCache'>,
  signal: AbortSignal,
): Changes {
  let reading: Promise<GitChanges> | undefined;
  const read = async (): Promise<GitChanges> => {
    const range = await rangeOf();
    if (range === undefined) return UNKNOWN;
    try {
      const what = `reading what changed in ${range.url}`;
      return await withDeadline({ ms: LONGEST_MS, signal, what }, (ending) =>
        git.changes({ ...range, cacheDirectory: gitCache, signal: ending }),
      );
    } catch (error) {
      if (error instanceof EngineError && !error.transient) return UNKNOWN;
      throw error;
    }
  };
  return () => {
    reading ??= read();
    return reading;
  };
}

export function wantsChanges({ paths, skipCi }: SourceTrigger): boolean {
  return paths.include.length > 0 || paths.exclude.length > 0 || skipCi;
}

/** Why a trigger does not want these changes; undefined when it does, or when it is not known what changed. */
export function changeRefusal(
  { paths, skipCi }: SourceTrigger,
  changes: GitChanges,
  checks: { readonly skipCi: boolean },
): Refusal | undefined {
  const words = skipCi && checks.skipCi ? skipWords(changes.message) : undefined;
  const because = changes.paths === undefined ? undefined : pathRefusal(paths, changes.paths);
  if (because !== undefined) return { code: 'path-filter', because };
  return words === undefined ? undefined : { code: 'skip-ci', because: `the message of the head commit says ${words}` };
}

function pathRefusal({ include, exclude }: SourceTrigger['paths'], changed: readonly string[]): string | undefined {
  if (include.length === 0 && exclude.length === 0) return undefined;
  const included = compileGlobs(include);
  const excluded = compileGlobs(exclude);
  const wanted = (path: string): boolean => (include.length === 0 || included.matches(path)) && !excluded.matches(path);
  if (changed.some(wanted)) return undefined;
  const filter = [
    ...(include.length === 0 ? [] : [`matches ${listed(include)}`]),
    ...(exclude.length === 0 ? [] : [`is outside ${listed(exclude)}`]),
  ].join(' and ');
  if (changed.length === 0) return `no file changed, and one that ${filter} would have to`;
  const word = changed.length === 1 ? 'the changed file' : `none of the ${changed.length} changed files`;
  return changed.length === 1
    ? `${word} ${listed(changed)} is none that ${filter}`
    : `${word} (${listed(changed.slice(0, 3))}${changed.length > 3 ? ', …' : ''}) ${filter}`;
}
