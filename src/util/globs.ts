import picomatch from 'picomatch';
import { RE2JS } from 're2js';

/** Globs of names that git gives: no leading, final or double slash, no `.` and `..` between them. */
export interface Globs {
  /** The last one that matches decides; what begins with `!` takes away from those before it. */
  matches(name: string): boolean;
  /** The one with `!` that decides against a name which others match, as it is written. */
  takenAwayBy(name: string): string | undefined;
}

export const MOST_GLOBS = 100;
const LONGEST = 512;
/** Lists that were compiled, the last used ones: each push asks for those of its triggers. */
const MOST_KEPT = 200;
const kept = new Map<string, Globs>();
const OPTIONS = { dot: true, noextglob: true, nonegate: true, strictSlashes: true, fastpaths: false, strictBrackets: true } as const;
/** What picomatch guards against cannot be in these names: empty segments, `.` and `..`. */
const GUARDS = ['(?!\\.{0,1}(?:\\/|$))', '(?!(?:^|\\/)\\.{1,2}(?:\\/|$))', '(?!\\.{1,2}(?:\\/|$))', '(?=.)'];

/**
 * `*` and `?` stay within a segment, `**` as a segment is any number of them, `[…]` and `{a,b}` are as usual, names with a leading dot are like
 * others. The expressions are matched in linear time, whoever wrote the pattern or the name. A pattern that cannot be read matches nothing.
 */
export function compileGlobs(patterns: readonly string[]): Globs {
  const key = JSON.stringify(patterns);
  const globs = kept.get(key) ?? compile(patterns);
  kept.delete(key);
  kept.set(key, globs);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value ?? '');
  return globs;
}

function compile(patterns: readonly string[]): Globs {
  const compiled = patterns.slice(0, MOST_GLOBS).map((pattern) => {
    const takesAway = pattern.startsWith('!');
    const expression = expressionOf(takesAway ? pattern.slice(1) : pattern);
    return { pattern, takesAway, expression: typeof expression === 'string' ? undefined : expression };
  });
  const matching = (name: string): typeof compiled => compiled.filter(({ expression }) => expression?.testExact(name) ?? false);
  return {
    matches: (name) => matching(name).at(-1)?.takesAway === false,
    takenAwayBy: (name) => {
      const found = matching(name);
      const last = found.at(-1);
      return last?.takesAway === true && found.some(({ takesAway }) => !takesAway) ? last.pattern : undefined;
    },
  };
}

/** Why a pattern, with or without its `!`, matches nothing: the end of a sentence about it. Undefined when it can be read. */
export function globProblem(glob: string): string | undefined {
  const expression = expressionOf(glob.replace(/^!/, ''));
  return typeof expression === 'string' ? expression : undefined;
}

/**
 * picomatch reads the pattern; RE2 matches it, because an expression with several stars takes a backtracking matcher very long. The problem of one
 * that cannot be read.
 */
function expressionOf(pattern: string): RE2JS | string {
  if (pattern === '') return ', which matches nothing';
  if (pattern.length > LONGEST) return ', which is too long';
  try {
    // In names of git these are letters like others.
    const { source } = picomatch.makeRe(pattern.replaceAll(/(?<!\\)[()|"]/g, '\\$&'), OPTIONS);
    const plain = GUARDS.reduce((text, guard) => text.replaceAll(guard, ''), source);
    return RE2JS.compile(plain, RE2JS.DOTALL);
  } catch {
    return ', in which brackets or braces are not in pairs, or hold what they cannot';
  }
}
