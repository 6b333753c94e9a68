import { compileGlob, type Glob } from './glob.ts';

/** Bits of the patterns that match a path or one of its parents: a child starts from its directory's. */
export interface PathMatch {
  readonly ignored: boolean;
  readonly matched: readonly boolean[];
}

/** The rules of one .dockerignore; the last pattern that matches a path or one of its parents decides. */
export interface IgnoreRules {
  /** True when nothing is ignored. */
  readonly empty: boolean;
  /** `path` is relative with `/`; `parent` is the match of its directory, absent at the top. */
  match(path: string, parent: PathMatch | undefined): PathMatch;
  /** The same without a walk: looks at every parent itself. */
  ignores(path: string): boolean;
  /** Whether something below an ignored directory may be let in again by a `!` pattern: otherwise it need not be walked. */
  mayReincludeBelow(directory: string): boolean;
}

interface Rule {
  readonly negated: boolean;
  readonly glob: Glob;
  readonly depth: number;
  /** One glob per component, or undefined where `**` reaches any depth. */
  readonly components: readonly (Glob | undefined)[];
}

/** A line that is no valid pattern; `line` counts from 1. */
export class IgnorePatternError extends Error {
  override readonly name = 'IgnorePatternError';
  readonly line: number;

  constructor(line: number, pattern: string, reason: string) {
    super(`.dockerignore line ${line}: "${pattern}": ${reason}`);
    this.line = line;
  }
}

/**
 * Reads the lines of a .dockerignore as docker does (https://docs.docker.com/build/concepts/context/#dockerignore-files):
 * `#` in the first column is a comment, patterns are trimmed and cleaned, a leading `/` means nothing, `!` lets in again.
 * Throws IgnorePatternError for a pattern that docker refuses too.
 */
export function compileIgnoreRules(lines: readonly string[]): IgnoreRules {
  const rules: Rule[] = [];
  lines.forEach((line, index) => {
    const rule = parseLine(index === 0 ? line.replace(/^\uFEFF/, '') : line, index + 1);
    if (rule !== undefined) rules.push(rule);
  });
  const match = (path: string, parent: PathMatch | undefined): PathMatch => {
    let ignored = false;
    const matched = rules.map((rule, index) => {
      const hit = parent?.matched[index] === true || rule.glob.matches(path);
      if (hit) ignored = !rule.negated;
      return hit;
    });
    return { ignored, matched };
  };
  return {
    empty: rules.length === 0,
    match,
    ignores: (path) => {
      let result: PathMatch | undefined;
      for (const prefix of prefixes(path)) result = match(prefix, result);
      return result?.ignored ?? false;
    },
    mayReincludeBelow: (directory) => rules.some((rule) => rule.negated && mayMatchBelow(rule, directory)),
  };
}

function parseLine(line: string, number: number): Rule | undefined {
  if (line.startsWith('#')) return undefined;
  const trimmed = line.trim();
  if (trimmed === '') return undefined;
  const negated = trimmed.startsWith('!');
  const pattern = cleanPattern(negated ? trimmed.slice(1).trim() : trimmed);
  if (pattern === '') {
    if (negated) throw new IgnorePatternError(number, trimmed, 'a pattern is expected after "!"');
    return undefined;
  }
  const compile = (text: string): Glob => {
    const glob = compileGlob(text);
    if (typeof glob === 'string') throw new IgnorePatternError(number, trimmed, glob);
    return glob;
  };
  const parts = pattern.split('/');
  return {
    negated,
    glob: compile(pattern),
    depth: parts.length,
    components: parts.map((part) => (part.includes('**') ? undefined : compile(part))),
  };
}

/** What Go's filepath.Clean leaves, without the leading `/`: `.` for a pattern of the whole context. */
function cleanPattern(pattern: string): string {
  if (pattern === '') return '';
  const rooted = pattern.startsWith('/');
  const parts: string[] = [];
  for (const part of pattern.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !rooted) parts.push(part);
  }
  if (parts.length > 0) return parts.join('/');
  return rooted ? '/' : '.';
}

function mayMatchBelow(rule: Rule, directory: string): boolean {
  const parts = directory.split('/');
  for (const [index, part] of parts.entries()) {
    const component = rule.components[index];
    if (index >= rule.components.length) return false;
    if (component === undefined) return true;
    if (!component.matches(part)) return false;
  }
  return rule.depth > parts.length;
}

function prefixes(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
